using Eddy.Postgres;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Eddy.Migrations;

/// <summary>Drafts of pages and cards are shown beside the editor.</summary>
[DbContext(typeof(EddyDb))]
[Migration("20261129061500_SiteDrafts")]
public sealed class SiteDrafts : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(Migrator.Sql("site_drafts"));

    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql("drop table site_drafts;");
}
