using Eddy.Postgres;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Eddy.Migrations;

/// <summary>Who is no member has a message of their own, and can unsubscribe.</summary>
[DbContext(typeof(EddyDb))]
[Migration("20261129004500_Unsubscribed")]
public sealed class Unsubscribed : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(Migrator.Sql("unsubscribed"));

    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql("drop function note_handed; drop table unsubscribed;");
}
