namespace Eddy.Client.Server;

/// <summary>By what an address lets one in.</summary>
/// <param name="Address">As in https://eddy.acme.test, without a slash at its end.</param>
/// <param name="Tenant">The slug of the tenant that the key is of; null while nobody has asked.</param>
public sealed record Login(string Address, string? Tenant, string Key)
{
    /// <summary>Never the key.</summary>
    public override string ToString() => $"{Tenant} at {Address}";

    /// <summary>An address as somebody types it; without a scheme it is https, and http on this machine.</summary>
    public static string ReadAddress(string typed)
    {
        var text = typed.Contains("://", StringComparison.Ordinal) ? typed
            : Uri.TryCreate("http://" + typed, UriKind.Absolute, out var bare) && IsHere(bare) ? "http://" + typed : "https://" + typed;
        return Uri.TryCreate(text, UriKind.Absolute, out var address) && address.Scheme is "http" or "https" && address is { AbsolutePath: "/", Query: "", Fragment: "", UserInfo: "" }
            ? address.GetLeftPart(UriPartial.Authority)
            : throw new ClientFault($"'{typed}' is no address of an Eddy: it is like https://eddy.acme.test.", ClientFault.Usage);
    }

    /// <summary>What is sent there is read by nobody on the way.</summary>
    public static bool IsPrivate(string address) => new Uri(address) is var uri && (uri.Scheme == "https" || IsHere(uri));

    private static bool IsHere(Uri address) => address.IsLoopback || address.Host.EndsWith(".localhost", StringComparison.Ordinal);
}
