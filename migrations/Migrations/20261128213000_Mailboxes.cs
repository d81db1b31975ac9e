using Eddy.Postgres;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Eddy.Migrations;

/// <summary>Tenants add mailboxes of their own.</summary>
[DbContext(typeof(EddyDb))]
[Migration("20261128213000_Mailboxes")]
public sealed class Mailboxes : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(Migrator.Sql("mailboxes"));

    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql("drop function all_mailboxes; drop table mailboxes;");
}
