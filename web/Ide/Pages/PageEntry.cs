using Eddy.Files;
using Eddy.Pages;
using Eddy.Tenants;

namespace Eddy.Ide.Pages;

/// <summary>A template of the tenant's site, as the list of pages has it.</summary>
/// <param name="Address">As in <c>/board</c>; null for a part of pages.</param>
/// <param name="For">Whom it is for, in a word.</param>
internal sealed record PageEntry(string? Address, string For)
{
    public static bool IsTemplate(string path) => PagePath.IsTemplate(path);

    public static async Task<PageEntry> ReadAsync(TenantId tenant, string path, FileStore files, CancellationToken cancel)
    {
        var text = await files.FindAsync(tenant, path, cancel) is { } file ? FileStore.TextOf(file.Content) ?? "" : "";
        var audience = PageAudience.Of(text, out _);
        return new PageEntry(PagePath.AddressOf(path), audience.IsPublic ? "everybody" : audience.Group ?? "members");
    }
}
