using Eddy.Postgres;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Eddy.Migrations;

/// <summary>Replays that tell nobody anything silence nothing else.</summary>
[DbContext(typeof(EddyDb))]
[Migration("20261129104500_Replays")]
public sealed class Replays : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(Migrator.Sql("replays"));
}
