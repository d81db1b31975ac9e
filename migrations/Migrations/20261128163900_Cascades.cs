using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Eddy.Migrations
{
    /// <inheritdoc />
    public partial class Cascades : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(Migrator.Sql("cascades"));

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {

        }
    }
}
