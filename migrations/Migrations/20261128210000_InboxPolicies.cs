using Eddy.Postgres;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Eddy.Migrations;

/// <summary>Tenants say whose mail they take.</summary>
[DbContext(typeof(EddyDb))]
[Migration("20261128210000_InboxPolicies")]
public sealed class InboxPolicies : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(Migrator.Sql("inbox_policies"));

    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql("drop table inbox_policies;");
}
