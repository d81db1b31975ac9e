using Eddy.Postgres;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Eddy.Migrations;

/// <summary>What is new is written without looking out for what may be there.</summary>
[DbContext(typeof(EddyDb))]
[Migration("20261130030000_NewProcesses")]
public sealed class NewProcesses : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(Migrator.Sql("new_processes"));

    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
        """
        drop function add_processes(uuid[], bigint[], text[], bigint[], timestamptz[]);
        drop function add_kvps(uuid[], bigint[], text[], text[], text[], float8[], timestamptz[], bigint[]);
        """);
}
