using Eddy.Egress;
using Eddy.Files;
using Eddy.Secrets;

namespace Eddy.Endpoints;

internal static class EndpointParts
{
    public static void AddEndpoints(this IServiceCollection services)
    {
        services.AddSingleton<TreeReader>();
        services.AddSingleton(all => new OutgoingCalls(all.GetRequiredService<EgressOptions>(), all.GetRequiredService<SecretKeeper>(), TimeProvider.System, all.GetRequiredService<ILogger<OutgoingCalls>>()));
        services.AddSingleton<EndpointStore>().AddSingleton<TenantEndpoints>().AddSingleton<EndpointServer>();
        services.AddSingleton<EndpointRecorder>().AddHostedService(all => all.GetRequiredService<EndpointRecorder>());
    }
}
