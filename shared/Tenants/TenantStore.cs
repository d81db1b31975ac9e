using Eddy.Postgres;
using Microsoft.EntityFrameworkCore;

namespace Eddy.Tenants;

/// <summary>A tenant's name and time zone, which its members change.</summary>
public sealed class TenantStore(EddyDbs dbs)
{
    public const int MostNameCharacters = 100;

    /// <summary>Its name, as people have given it.</summary>
    public async Task<string> NameAsync(TenantId tenant, CancellationToken cancel)
    {
        await using var db = dbs.For(tenant);
        return await db.Tenants.Select(t => t.Name).SingleAsync(cancel);
    }

    /// <summary>Gives it a name and a time zone; why not, in a sentence, or null. Files count as changed with the zone: cells know it.</summary>
    public async Task<string?> ChangeAsync(TenantId tenant, string name, string timeZone, CancellationToken cancel)
    {
        if (name.Length is 0 or > MostNameCharacters || name.Any(char.IsControl))
        {
            return $"A tenant's name has 1 to {MostNameCharacters} characters, none of them a control character.";
        }

        if (Tenant.TimeZoneFault(timeZone) is { } fault)
        {
            return fault;
        }

        await using var db = dbs.For(tenant);
        await db.Tenants.ExecuteUpdateAsync(
            set => set.SetProperty(t => t.Name, name).SetProperty(t => t.TreeVersion, t => t.TimeZone == timeZone ? t.TreeVersion : t.TreeVersion + 1).SetProperty(t => t.TimeZone, timeZone), cancel);
        return null;
    }
}
