using System.Security.Cryptography;
using System.Text.Json.Serialization;
using Eddy.Keys;
using Eddy.Problems;
using Eddy.Secrets;
using Eddy.Tenants;

namespace Eddy.Api;

/// <summary>
/// A tenant's secrets over HTTP: set, listed and deleted, never read back. The ETag of a secret is its version. A PUT without <c>If-Match</c> overwrites; with it, it is
/// refused where somebody else did meanwhile.
/// </summary>
public static class SecretsApi
{
    public static void MapSecrets(this IEndpointRouteBuilder api)
    {
        var secrets = api.MapGroup("/secrets").WithTags("Secrets");
        secrets.MapGet("/", ListAsync).RequireScope(Scope.Write)
            .WithName("ListSecrets").WithSummary("List the secrets")
            .WithDescription("Names, hosts and when they were changed and used (to a minute or so). Values are never shown.")
            .Produces<SecretListAnswer>().Refuses(401, 403);
        secrets.MapPut("/{name}", SetAsync).RequireScope(Scope.Write)
            .WithName("SetSecret").WithSummary("Set a secret")
            .WithDescription(
                "Makes a secret or gives it a new value and new hosts; the old value stops at once. Rules write secrets.NAME, which is a placeholder: the value is put in where a call goes out to one of the hosts. "
                + "Since a value is never read back, changing the hosts takes it again. With If-Match only the version that was named is replaced; with 'If-None-Match: *' only a new secret is made.")
            .Accepts<SecretRequest>("application/json", ApiDescription.AnyType)
            .Produces<SecretAnswer>().Produces<SecretAnswer>(201).Refuses(400, 401, 403, 412, 413, 503)
            .WithExample("""{"value":"the-key-that-stripe-gave-you","hosts":["api.stripe.com","*.example.com:8443"]}""",
                """{"name":"STRIPE","hosts":["api.stripe.com","*.example.com:8443"],"version":1,"createdAt":"2026-11-23T10:00:00+00:00","changedAt":"2026-11-23T10:00:00+00:00","changedBy":"key:editor","lastUsedAt":null}""");
        secrets.MapDelete("/{name}", DeleteAsync).RequireScope(Scope.Write)
            .WithName("DeleteSecret").WithSummary("Delete a secret")
            .WithDescription("The value is gone at once; a rule that still names it fails. Who deleted it stays in the record.")
            .Produces(204).Refuses(401, 403, 404, 412);
    }

    private static async Task<IResult> ListAsync(HttpContext context, SecretStore secrets, CancellationToken cancel) =>
        Results.Ok(new SecretListAnswer([.. (await secrets.ListAsync(context.Holder().Tenant, cancel)).Select(secret => SecretAnswer.Of(secret))]));

    private static async Task<IResult> SetAsync(HttpContext context, string name, SecretStore secrets, CancellationToken cancel)
    {
        if (Secret.NameFault(name) is { } nameFault)
        {
            return new Problem(ProblemType.InvalidRequest, nameFault);
        }

        if (!Precondition.TryRead(context.Request, out var condition, out var problem))
        {
            return problem!;
        }

        if (await RequestBody.ReadAsync(context.Request, SecretBody.MostBytes, cancel) is not { } json)
        {
            return new Problem(ProblemType.BodyTooLarge, $"A secret is sent in at most {SecretBody.MostBytes} bytes; its value has at most {Secret.MostValueBytes}.");
        }

        var body = SecretBody.Read(json, out problem);
        CryptographicOperations.ZeroMemory(json);
        if (body is null)
        {
            return problem!;
        }

        var holder = context.Holder();
        try
        {
            switch (await secrets.SetAsync(holder.Tenant, name, body.Value, body.Hosts, holder.Actor, condition, cancel))
            {
                case SetOutcome.Set set:
                    context.Response.Headers.ETag = Precondition.ETag(set.Secret.Version);
                    var answer = SecretAnswer.Of(set.Secret) with { Warning = WarningOf(body.Value) };
                    return set.IsNew ? Results.Created(context.Request.Path.ToUriComponent(), answer) : Results.Ok(answer);
                case SetOutcome.Changed changed:
                    return Precondition.Changed($"The secret {name}", changed.Version);
                case SetOutcome.TooMany full:
                    return new Problem(ProblemType.TooMany, full.Why);
                default:
                    throw new InvalidOperationException("A setting ended in no known way.");
            }
        }
        catch (SecretsUnavailable unavailable)
        {
            return new Problem(ProblemType.NoMasterKey, unavailable.Message);
        }
    }

    private static async Task<IResult> DeleteAsync(HttpContext context, string name, SecretStore secrets, CancellationToken cancel)
    {
        if (!Precondition.TryRead(context.Request, out var condition, out var problem))
        {
            return problem!;
        }

        var holder = context.Holder();
        return await secrets.DeleteAsync(holder.Tenant, name, holder.Actor, condition, cancel) switch
        {
            null => new Problem(ProblemType.NotFound, "There is no secret of this name."),
            SetOutcome.Changed changed => Precondition.Changed($"The secret {name}", changed.Version),
            _ => Results.NoContent(),
        };
    }

    private static string? WarningOf(string value) => value.Length >= Secret.FewestRedactedCharacters
        ? null
        : $"The value has fewer than {Secret.FewestRedactedCharacters} characters: where an answer repeats it, it is not struck out, because text as short as this would be struck out everywhere. Take a longer one.";
}

/// <summary>What a secret is set to.</summary>
/// <param name="Value">1 to 8,192 bytes of text without NUL.</param>
/// <param name="Hosts">Where it may go: api.example.com, *.example.com (one label), either with a port where that is not 80 or 443, or an address.</param>
public sealed record SecretRequest(string Value, IReadOnlyList<string> Hosts);

/// <summary>A secret, without its value.</summary>
/// <param name="Version">Counts what was done to the tenant's secrets; its ETag.</param>
/// <param name="ChangedBy">Who set it last.</param>
/// <param name="LastUsedAt">When a call took it along or something was signed with it, to a minute or so; null where that never was.</param>
public sealed record SecretAnswer(
    string Name, IReadOnlyList<string> Hosts, long Version, DateTimeOffset CreatedAt, DateTimeOffset ChangedAt, string ChangedBy, DateTimeOffset? LastUsedAt)
{
    /// <summary>What is taken and yet not good; not there where all is well.</summary>
    [JsonIgnore(Condition = JsonIgnoreCondition.WhenWritingNull)]
    public string? Warning { get; init; }

    internal static SecretAnswer Of(SecretEntry secret) =>
        new(secret.Name, secret.Hosts, secret.Version, secret.CreatedAt, secret.ChangedAt, secret.ChangedBy, secret.LastUsedAt);
}

public sealed record SecretListAnswer(IReadOnlyList<SecretAnswer> Secrets);
