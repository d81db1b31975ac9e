using System.CommandLine;
using Eddy.Tenants;

namespace Eddy.Operator;

/// <summary><c>eddy tenant add</c> and <c>eddy tenant list</c>.</summary>
public static class TenantCommands
{
    public static Command Make(string database)
    {
        var slug = new Argument<string>("slug") { Description = "Its name in addresses." };
        var name = new Option<string?>("--name") { Description = "Its name for people; the slug if none is given." };
        var zone = new Option<string>("--time-zone") { Description = "An IANA time zone.", DefaultValueFactory = _ => "UTC" };
        var add = new Command("add", "Make a tenant.") { slug, name, zone };
        add.SetAction(async (parsed, cancel) =>
        {
            var (slugText, zoneText) = (parsed.GetRequiredValue(slug), parsed.GetRequiredValue(zone));
            if ((Tenant.NewSlugFault(slugText) ?? Tenant.TimeZoneFault(zoneText)) is { } fault)
            {
                await Console.Error.WriteLineAsync(fault);
                return 2;
            }

            await using var db = new OperatorDb(database);
            if (await db.FindAsync(slugText, cancel) is not null)
            {
                await Console.Error.WriteLineAsync($"There is a tenant '{slugText}' already.");
                return 1;
            }

            var id = await db.AddAsync(slugText, parsed.GetValue(name) ?? slugText, zoneText, TimeProvider.System.GetUtcNow(), cancel);
            Console.WriteLine($"{id}  {slugText}");
            return 0;
        });

        var list = new Command("list", "Show all tenants.");
        list.SetAction(async (_, cancel) =>
        {
            await using var db = new OperatorDb(database);
            foreach (var tenant in await db.ListAsync(cancel))
            {
                Console.WriteLine($"{tenant.Id}  {tenant.Slug,-40}  {tenant.TimeZone,-24}  {tenant.Name}");
            }

            return 0;
        });

        return new Command("tenant", "Tenants.") { add, list };
    }
}
