using Eddy.Postgres;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Eddy.Migrations;

/// <summary>How processes were: what they had and have no more, and where the log was at a moment.</summary>
[DbContext(typeof(EddyDb))]
[Migration("20261129103000_Hindsight")]
public sealed class Hindsight : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(Migrator.Sql("hindsight"));

    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql("drop function position_at(uuid, timestamptz); drop index events_removed;");
}
