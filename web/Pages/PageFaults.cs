using System.Collections.Concurrent;
using Eddy.Tenants;

namespace Eddy.Pages;

/// <summary>A page that could not be shown.</summary>
/// <param name="Version">Of the tenant's tree.</param>
/// <param name="Count">How often since <paramref name="FirstAt"/>.</param>
public sealed record PageFailure(string Path, long Version, string Message, DateTimeOffset FirstAt, DateTimeOffset LastAt, long Count);

/// <summary>The last failures of each tenant's pages, for whoever wrote them: one for each page and reason. They are in the log too.</summary>
public sealed class PageFaults(TimeProvider time, ILogger<PageFaults> log)
{
    private const int MostOfTenant = 50;
    private const int MostTenants = 10_000;

    private readonly ConcurrentDictionary<TenantId, ConcurrentDictionary<(string Path, string Message), PageFailure>> _known = new();

    /// <summary>The newest first.</summary>
    public IReadOnlyList<PageFailure> Of(TenantId tenant) => _known.TryGetValue(tenant, out var known) ? [.. known.Values.OrderByDescending(one => one.LastAt)] : [];

    internal void Note(TenantId tenant, string path, long version, string message)
    {
        var now = time.GetUtcNow();
        if (_known.Count > MostTenants)
        {
            _known.Clear();
        }

        var ofTenant = _known.GetOrAdd(tenant, static _ => new());
        var noted = ofTenant.AddOrUpdate((path, message), new PageFailure(path, version, message, now, now, 1), (_, before) => before with { Version = version, LastAt = now, Count = before.Count + 1 });
        if (noted.Count == 1)
        {
            log.LogInformation("A page of {Tenant} could not be shown: {Path}: {Message}", tenant, path, message);
        }

        if (ofTenant.Count > MostOfTenant && ofTenant.Values.MinBy(one => one.LastAt) is { } oldest)
        {
            ofTenant.TryRemove((oldest.Path, oldest.Message), out _);
        }
    }
}
