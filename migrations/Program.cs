using System.CommandLine;
using Eddy.Migrations;
using Eddy.Operator;

var database = Environment.GetEnvironmentVariable("EDDY_DB")?.Trim() ?? "";
if (database.Length == 0 && args is not ["doctor", ..] && !args.Any(arg => arg is "--help" or "-h" or "-?"))
{
    await Console.Error.WriteLineAsync("EDDY_DB is not set: it takes the connection string of whoever owns the database, as in 'Host=db;Database=eddy;Username=postgres;Password=…'.");
    return 2;
}

var migrate = new Command("migrate", "Bring the database to this version's schema.");
migrate.SetAction(async (_, cancel) =>
{
    var migrator = new Migrator(database);
    if (await migrator.FaultAsync(cancel) is { } fault)
    {
        await Console.Error.WriteLineAsync(fault);
        return 1;
    }

    await migrator.MigrateAsync(Environment.GetEnvironmentVariable("EDDY_APP_PASSWORD"), cancel);
    Console.WriteLine("The database is at this version's schema.");
    return 0;
});

var root = new RootCommand("eddy: the operator's command line.")
{
    migrate,
    TenantCommands.Make(database),
    KeyCommands.Make(database),
    MemberCommands.Make(database),
    SecretCommands.Make(database),
    DemoCommand.Make(database),
    DoctorCommand.Make(database),
};
return await root.Parse(args).InvokeAsync();
