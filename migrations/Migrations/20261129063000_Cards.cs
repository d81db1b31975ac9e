using Eddy.Postgres;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Eddy.Migrations;

/// <summary>Cards are answered by links, and with files; screens are told of new ones.</summary>
[DbContext(typeof(EddyDb))]
[Migration("20261129063000_Cards")]
public sealed class Cards : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(Migrator.Sql("cards"));

    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql("drop function keep_upload, prune_uploads; drop table answered_links, uploads;");
}
