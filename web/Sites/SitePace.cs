using System.Net;
using System.Net.Sockets;
using System.Threading.RateLimiting;
using Eddy.Problems;
using Microsoft.AspNetCore.RateLimiting;

namespace Eddy.Sites;

/// <summary>
/// How many requests a second the tenants' hosts answer: so many of one address of the network, whichever host it asks, and so many of one tenant's, whoever asks. Twice as many may come at once, where it was quiet. The rest
/// is told to come later.
/// </summary>
public static class SitePace
{
    public static RateLimiterOptions OfAddresses(SiteOptions options) =>
        Limit(options.AddressRequests, context => PlaceOf(context.Connection.RemoteIpAddress ?? IPAddress.None), "More requests come from your address of the network than may.");

    public static RateLimiterOptions OfTenants(SiteOptions options) =>
        Limit(options.TenantRequests, context => context.Site().Tenant.ToString(), "More requests come to this site than may.");

    /// <summary>IPv6 is given out by the 2^64: whoever has one of these addresses has them all.</summary>
    public static string PlaceOf(IPAddress address) =>
        address.IsIPv4MappedToIPv6 ? address.MapToIPv4().ToString()
        : address.AddressFamily == AddressFamily.InterNetworkV6 ? Convert.ToHexString(address.GetAddressBytes().AsSpan(0, 8))
        : address.ToString();

    private static RateLimiterOptions Limit(int aSecond, Func<HttpContext, string> whose, string detail) => new()
    {
        GlobalLimiter = PartitionedRateLimiter.Create<HttpContext, string>(context => RateLimitPartition.GetTokenBucketLimiter(whose(context), _ => new TokenBucketRateLimiterOptions
        {
            TokenLimit = 2 * aSecond, TokensPerPeriod = aSecond, ReplenishmentPeriod = TimeSpan.FromSeconds(1), QueueLimit = 0,
        })),
        OnRejected = async (rejected, _) => await new Problem(
            ProblemType.TooManyRequests, detail, retryAfter: rejected.Lease.TryGetMetadata(MetadataName.RetryAfter, out var pause) ? pause : TimeSpan.FromSeconds(1)).ExecuteAsync(rejected.HttpContext),
    };
}
