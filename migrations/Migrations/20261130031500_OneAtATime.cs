using Eddy.Postgres;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Eddy.Migrations;

/// <summary>One event at a time is written without joins. It does what it did before, so there is no way back.</summary>
[DbContext(typeof(EddyDb))]
[Migration("20261130031500_OneAtATime")]
public sealed class OneAtATime : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(Migrator.Sql("one_at_a_time"));

    protected override void Down(MigrationBuilder migrationBuilder)
    {
    }
}
