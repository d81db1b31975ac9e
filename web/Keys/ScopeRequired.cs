namespace Eddy.Keys;

/// <summary>An endpoint's mark: a key with this scope may call it.</summary>
public sealed record ScopeRequired(string Scope);

/// <summary>An endpoint's mark: the key is the part <c>{key}</c> of its address. Such a key counts for <see cref="Tenants.Scope.Ingest"/> alone.</summary>
public sealed record KeyInAddress;

public static class ScopeRequiredExtensions
{
    /// <summary>Lets in whoever shows a key with this scope; <see cref="KeyGate"/> sees to it.</summary>
    public static TBuilder RequireScope<TBuilder>(this TBuilder endpoint, string scope)
        where TBuilder : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new ScopeRequired(scope));

    /// <summary>Takes the key from the part <c>{key}</c> of the address.</summary>
    public static TBuilder TakeKeyFromAddress<TBuilder>(this TBuilder endpoint)
        where TBuilder : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new KeyInAddress());

    /// <summary>Who calls an endpoint that requires a scope.</summary>
    public static KeyHolder Holder(this HttpContext context) =>
        context.Features.Get<KeyHolder>() ?? throw new InvalidOperationException("The endpoint requires no scope, so nobody has been asked for a key.");
}
