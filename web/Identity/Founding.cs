using System.Globalization;
using System.Text.RegularExpressions;
using Eddy.Files;
using Eddy.Pages;
using Eddy.Postgres;
using Eddy.Tenants;
using Microsoft.EntityFrameworkCore;
using Npgsql;

namespace Eddy.Identity;

/// <summary>Makes tenants: with the person who owns it and the first rule, all at once.</summary>
public sealed partial class Founding(EddyDbs dbs, NpgsqlDataSource source, TimeProvider time)
{
    public const int MostNameCharacters = 80;

    public static string? NameFault(string name) =>
        name.Length is 0 or > MostNameCharacters || name.Any(char.IsControl) ? $"A tenant has a name of 1 to {MostNameCharacters} characters." : null;

    /// <summary>Why no tenant can have this slug, or null.</summary>
    public async Task<string?> SlugFaultAsync(string slug, CancellationToken cancel) =>
        Tenant.NewSlugFault(slug) ?? (await IsTakenAsync(slug, cancel) ? $"'{slug}' is taken; choose another, such as {Other(slug)}." : null);

    /// <summary>False where somebody else has taken the slug meanwhile.</summary>
    public async Task<bool> MakeAsync(TenantId tenant, string name, string slug, string zone, Guid owner, string address, CancellationToken cancel)
    {
        var now = time.GetUtcNow();
        await using var rows = dbs.For(tenant);
        rows.Tenants.Add(new Tenant { Id = tenant.Value, Slug = slug, Name = name, TimeZone = zone, CreatedAt = now, TreeVersion = FirstRule.TreeVersion });
        rows.Members.Add(new Member { TenantId = tenant.Value, PersonId = owner, Role = "owner" });
        FirstRule.AddTo(rows, tenant, address, now);
        FirstPage.AddTo(rows, tenant, address, now);
        try
        {
            await rows.SaveChangesAsync(cancel);
            return true;
        }
        catch (DbUpdateException fault) when (fault.InnerException is PostgresException { SqlState: PostgresErrorCodes.UniqueViolation })
        {
            return false;
        }
    }

    /// <summary>A slug for a name, as wwwroot/identity/entry.js proposes one while somebody types; empty where nothing is left of it.</summary>
    public static string SlugOf(string name)
    {
        var plain = string.Concat(name.Normalize(System.Text.NormalizationForm.FormD).Where(c => CharUnicodeInfo.GetUnicodeCategory(c) != UnicodeCategory.NonSpacingMark)).ToLowerInvariant();
        var slug = Leading().Replace(Others().Replace(plain, "-"), "");
        return (slug.Length > 40 ? slug[..40] : slug).TrimEnd('-');
    }

    private static string Other(string slug) => $"{(slug.Length > 37 ? slug[..37].TrimEnd('-') : slug)}-2";

    private async Task<bool> IsTakenAsync(string slug, CancellationToken cancel)
    {
        await using var ask = source.CreateCommand("select slug_is_taken($1)");
        ask.Parameters.Add(new() { Value = slug });
        return (bool)(await ask.ExecuteScalarAsync(cancel))!;
    }

    [GeneratedRegex("[^a-z0-9]+", RegexOptions.CultureInvariant)]
    private static partial Regex Others();

    [GeneratedRegex("^[^a-z]+", RegexOptions.CultureInvariant)]
    private static partial Regex Leading();
}
