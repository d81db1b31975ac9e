using Eddy.Postgres;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.EntityFrameworkCore.Migrations;

namespace Eddy.Migrations;

/// <summary>Each tenant's files are a git repository: what was pushed is kept.</summary>
[DbContext(typeof(EddyDb))]
[Migration("20261129150000_Git")]
public sealed class Git : Migration
{
    protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(Migrator.Sql("git"));

    protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql("drop index file_versions_in_git; drop table git_pushes;");
}
