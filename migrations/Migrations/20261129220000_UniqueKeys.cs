using Eddy.Postgres;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Eddy.Migrations;

/// <summary>A key's hash finds one row, whatever PostgreSQL has not yet counted.</summary>
[DbContext(typeof(EddyDb))]
[Migration("20261129220000_UniqueKeys")]
public sealed class UniqueKeys : Migration
{
    private const string Index = "ix_api_keys_hash";
    private const string Table = "api_keys";

    protected override void Up(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.DropIndex(Index, Table);
        migrationBuilder.CreateIndex(Index, Table, "hash", unique: true);
    }

    protected override void Down(MigrationBuilder migrationBuilder)
    {
        migrationBuilder.DropIndex(Index, Table);
        migrationBuilder.CreateIndex(Index, Table, "hash");
    }
}
