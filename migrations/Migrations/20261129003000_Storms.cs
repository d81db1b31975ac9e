using Eddy.Postgres;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Eddy.Migrations;

/// <summary>An hour has limits for mails that go out.</summary>
[DbContext(typeof(EddyDb))]
[Migration("20261129003000_Storms")]
public sealed class Storms : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(Migrator.Sql("storms"));

    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql("drop function admit_mail, note_mail, prune_handed; drop table handed_mails;");
}
