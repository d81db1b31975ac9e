using Eddy.Postgres;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Eddy.Migrations;

/// <summary>Why a rule has not run yet.</summary>
[DbContext(typeof(EddyDb))]
[Migration("20261129104600_Owed")]
public sealed class Owed : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(Migrator.Sql("owed"));

    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql("revoke select on wakings from eddy_app;");
}
