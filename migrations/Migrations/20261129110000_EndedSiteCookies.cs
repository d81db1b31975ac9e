using Eddy.Postgres;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Eddy.Migrations;

/// <summary>Members sign out at a tenant's host for good, whoever has a copy of their cookie.</summary>
[DbContext(typeof(EddyDb))]
[Migration("20261129110000_EndedSiteCookies")]
public sealed class EndedSiteCookies : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(Migrator.Sql("ended_site_cookies"));

    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql("drop table ended_site_cookies;");
}
