using Eddy.Postgres;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Eddy.Migrations;

/// <summary>What a commit writes is unfolded in select lists. It does what it did before, so there is no way back.</summary>
[DbContext(typeof(EddyDb))]
[Migration("20261130150000_Columns")]
public sealed class Columns : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(Migrator.Sql("columns"));

    protected override void Down(MigrationBuilder migrationBuilder)
    {
    }
}
