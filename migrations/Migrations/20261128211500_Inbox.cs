using Eddy.Postgres;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Eddy.Migrations;

/// <summary>Mail comes in.</summary>
[DbContext(typeof(EddyDb))]
[Migration("20261128211500_Inbox")]
public sealed class Inbox : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(Migrator.Sql("inbox"));

    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        "drop function tenant_of_inbox, lease_mailbox, leave_mailbox, taken_of, take_message, prune_taken, prune_inbox; drop table mailbox_leases, taken_messages, inbox_messages, attachments;");
}
