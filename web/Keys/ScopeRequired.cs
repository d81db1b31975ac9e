using Eddy.Access;

namespace Eddy.Keys;

/// <summary>An endpoint's mark: a key with this scope may call it; null where any key in force may.</summary>
public sealed record ScopeRequired(string? Scope);

/// <summary>An endpoint's mark: the key is the part <c>{key}</c> of its address. Such a key counts for <see cref="Tenants.Scope.Ingest"/> alone.</summary>
public sealed record KeyInAddress;

/// <summary>An endpoint's mark: the key may come as the password of HTTP Basic, beside any name, which is what git sends.</summary>
public sealed record KeyInPassword;

/// <summary>
/// An endpoint's mark: what a person must be who calls it by a key that acts for them. Without it they must be an <see cref="PersonKind.Editor"/>, so that one which is forgotten is
/// closed.
/// </summary>
public sealed record PersonRequired(PersonKind Kind);

public enum PersonKind
{
    /// <summary>Anybody in the tenant: the endpoint asks for each KVP, or has none.</summary>
    Anybody,

    /// <summary>An owner, an editor, or one of admins.</summary>
    Editor,

    /// <summary>An owner, or one of admins.</summary>
    Admin,
}

public static class ScopeRequiredExtensions
{
    /// <summary>Lets in whoever shows a key with this scope; <see cref="KeyGate"/> sees to it.</summary>
    public static TBuilder RequireScope<TBuilder>(this TBuilder endpoint, string scope)
        where TBuilder : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new ScopeRequired(scope));

    /// <summary>Lets in whoever shows a key, whatever its scopes: for what it may know of itself alone.</summary>
    public static TBuilder RequireAnyScope<TBuilder>(this TBuilder endpoint)
        where TBuilder : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new ScopeRequired(null));

    /// <summary>Takes the key from the part <c>{key}</c> of the address.</summary>
    public static TBuilder TakeKeyFromAddress<TBuilder>(this TBuilder endpoint)
        where TBuilder : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new KeyInAddress());

    /// <summary>Takes the key as a password, too.</summary>
    public static TBuilder TakeKeyFromPassword<TBuilder>(this TBuilder endpoint)
        where TBuilder : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new KeyInPassword());

    /// <summary>Says what a person must be who calls it; <see cref="KeyGate"/> sees to it.</summary>
    public static TBuilder RequirePerson<TBuilder>(this TBuilder endpoint, PersonKind kind)
        where TBuilder : IEndpointConventionBuilder =>
        endpoint.WithMetadata(new PersonRequired(kind));

    /// <summary>What whoever calls an endpoint that requires a scope may do with KVPs.</summary>
    public static ActorAccess Access(this HttpContext context) =>
        context.Features.Get<ActorAccess>() ?? throw new InvalidOperationException("The endpoint requires no scope, so nobody has been asked for a key.");

    /// <summary>Who calls an endpoint that requires a scope.</summary>
    public static KeyHolder Holder(this HttpContext context) =>
        context.Features.Get<KeyHolder>() ?? throw new InvalidOperationException("The endpoint requires no scope, so nobody has been asked for a key.");
}
