using Eddy.Postgres;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Eddy.Migrations;

/// <summary>Runs save files in <c>workspace/</c>.</summary>
[DbContext(typeof(EddyDb))]
[Migration("20261128160000_Workspace")]
public sealed class Workspace : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(Migrator.Sql("workspace"));

    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql("drop function save_files, lock_file;");
}
