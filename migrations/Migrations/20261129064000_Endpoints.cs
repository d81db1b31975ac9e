using Eddy.Postgres;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Eddy.Migrations;

/// <summary>API scripts: requests in the line, and the record of what was called.</summary>
[DbContext(typeof(EddyDb))]
[Migration("20261129064000_Endpoints")]
public sealed class Endpoints : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(Migrator.Sql("endpoints"));
}
