using Eddy.Migrations;

namespace Eddy.Tests.Way;

public sealed class MigratorTests(TestDatabase database)
{
    [Fact]
    public async Task A_database_from_before_the_first_migration_was_whole_is_told_of_and_left()
    {
        await using var own = await database.OfItsOwnAsync();
        var migrator = new Migrator(own.SuperuserConnection);
        (await migrator.FaultAsync(TestContext.Current.CancellationToken)).ShouldBeNull();

        await using (var drop = own.Superuser.CreateCommand("drop table acl_versions cascade"))
        {
            await drop.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        }

        (await migrator.FaultAsync(TestContext.Current.CancellationToken)).ShouldNotBeNull().ShouldContain("28 November 2026");
    }
}
