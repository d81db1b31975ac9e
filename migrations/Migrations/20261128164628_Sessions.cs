using System;
using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Eddy.Migrations
{
    /// <inheritdoc />
    public partial class Sessions : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.CreateTable(
                name: "people_links",
                columns: table => new
                {
                    hash = table.Column<byte[]>(type: "bytea", nullable: false),
                    purpose = table.Column<string>(type: "text", nullable: false),
                    address = table.Column<string>(type: "text", nullable: false),
                    person_id = table.Column<Guid>(type: "uuid", nullable: true),
                    tenant_id = table.Column<Guid>(type: "uuid", nullable: true),
                    wish = table.Column<string>(type: "jsonb", nullable: true),
                    made_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    ends_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_people_links", x => x.hash);
                    table.CheckConstraint("people_links_purpose", "purpose in ('sign-up', 'reset', 'address', 'invitation')");
                    table.ForeignKey(
                        name: "fk_people_links_people_person_id",
                        column: x => x.person_id,
                        principalTable: "people",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateTable(
                name: "people_sessions",
                columns: table => new
                {
                    id = table.Column<Guid>(type: "uuid", nullable: false),
                    person_id = table.Column<Guid>(type: "uuid", nullable: false),
                    stamp = table.Column<string>(type: "text", nullable: false),
                    device = table.Column<string>(type: "text", nullable: false),
                    started_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false),
                    seen_at = table.Column<DateTimeOffset>(type: "timestamp with time zone", nullable: false)
                },
                constraints: table =>
                {
                    table.PrimaryKey("pk_people_sessions", x => x.id);
                    table.ForeignKey(
                        name: "fk_people_sessions_people_person_id",
                        column: x => x.person_id,
                        principalTable: "people",
                        principalColumn: "id",
                        onDelete: ReferentialAction.Cascade);
                });

            migrationBuilder.CreateIndex(
                name: "ix_people_links_address",
                table: "people_links",
                column: "address");

            migrationBuilder.CreateIndex(
                name: "ix_people_links_person_id",
                table: "people_links",
                column: "person_id");

            migrationBuilder.CreateIndex(
                name: "ix_people_links_tenant_id",
                table: "people_links",
                column: "tenant_id");

            migrationBuilder.CreateIndex(
                name: "ix_people_sessions_person_id",
                table: "people_sessions",
                column: "person_id");

            migrationBuilder.Sql(Migrator.Sql("sessions"));
        }

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder)
        {
            migrationBuilder.DropTable(
                name: "people_links");

            migrationBuilder.DropTable(
                name: "people_sessions");
        }
    }
}
