using Eddy.Postgres;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Eddy.Migrations;

/// <summary>Mails are delivered, retried and given up.</summary>
[DbContext(typeof(EddyDb))]
[Migration("20261128201500_Delivery")]
public sealed class Delivery : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(Migrator.Sql("delivery"));

    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql("drop function next_mail, take_mail, note_mail, leave_mail;");
}
