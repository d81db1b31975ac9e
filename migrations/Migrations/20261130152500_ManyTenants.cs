using Eddy.Postgres;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Eddy.Migrations;

/// <summary>Commits and draws for many tenants look each of them up once. They do what they did before, so there is no way back.</summary>
[DbContext(typeof(EddyDb))]
[Migration("20261130152500_ManyTenants")]
public sealed class ManyTenants : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(Migrator.Sql("many_tenants"));

    protected override void Down(MigrationBuilder migrationBuilder)
    {
    }
}
