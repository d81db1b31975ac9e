using Eddy.Postgres;
using Microsoft.EntityFrameworkCore.Design;

namespace Eddy.Migrations;

/// <summary>What <c>dotnet ef migrations add</c> uses. No database is opened for that.</summary>
public sealed class DesignTime : IDesignTimeDbContextFactory<EddyDb>
{
    public EddyDb CreateDbContext(string[] args) => new(Migrator.Options(Environment.GetEnvironmentVariable("EDDY_DB") ?? "Host=localhost"));
}
