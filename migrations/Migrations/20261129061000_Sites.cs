using Eddy.Postgres;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Eddy.Migrations;

/// <summary>Tenants have hosts of their own, and members come there by codes.</summary>
[DbContext(typeof(EddyDb))]
[Migration("20261129061000_Sites")]
public sealed class Sites : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(Migrator.Sql("sites"));

    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql("drop table site_codes; drop function site_of;");
}
