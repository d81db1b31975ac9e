using Eddy.Postgres;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Eddy.Migrations;

/// <summary>People have names, who wish.</summary>
[DbContext(typeof(EddyDb))]
[Migration("20261128201000_Names")]
public sealed class Names : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.AddColumn<string>("name", "people", "text", nullable: true);
        migrationBuilder.AddCheckConstraint("people_name", "people", "char_length(name) between 1 and 80");
    }

    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.DropColumn("name", "people");
}
