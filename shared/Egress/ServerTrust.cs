using System.Net.Security;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;

namespace Eddy.Egress;

/// <summary>Which servers are believed to be who they say: those that a root of the machine, or of the operator's file, vouches for.</summary>
internal sealed class ServerTrust
{
    private static readonly Oid ServerAuthentication = new("1.3.6.1.5.5.7.3.1");

    private readonly X509Certificate2Collection? _roots;

    public ServerTrust(string? file)
    {
        if (file is not null)
        {
            _roots = [];
            _roots.ImportFromPemFile(file);
        }
    }

    /// <summary>Why the file gives no roots, or null.</summary>
    public static string? Fault(string file)
    {
        try
        {
            var roots = new X509Certificate2Collection();
            roots.ImportFromPemFile(file);
            return roots.Count > 0 ? null : $"{nameof(EgressOptions.TrustedRoots)} '{file}' has no certificate in it.";
        }
        catch (Exception e) when (e is CryptographicException or IOException or UnauthorizedAccessException)
        {
            return $"{nameof(EgressOptions.TrustedRoots)} '{file}' can not be read: {e.Message}";
        }
    }

    public SslClientAuthenticationOptions Options() => new()
    {
        CertificateChainPolicy = Policy(),
        RemoteCertificateValidationCallback = _roots is null ? null : Verify,
        // A session that is taken up again tells the server that two tenants come from one place.
        AllowTlsResume = false,
    };

    // A certificate can name an address where its issuer is to be had: to fetch that would be a call past all rules.
    private static X509ChainPolicy Policy()
    {
        var policy = new X509ChainPolicy { DisableCertificateDownloads = true, RevocationMode = X509RevocationMode.NoCheck };
        policy.ApplicationPolicy.Add(ServerAuthentication);
        return policy;
    }

    private bool Verify(object sender, X509Certificate? certificate, X509Chain? chain, SslPolicyErrors errors)
    {
        if (errors == SslPolicyErrors.None)
        {
            return true;
        }

        if (errors != SslPolicyErrors.RemoteCertificateChainErrors || certificate is not X509Certificate2 server)
        {
            return false;
        }

        using var own = new X509Chain();
        own.ChainPolicy = Policy();
        own.ChainPolicy.TrustMode = X509ChainTrustMode.CustomRootTrust;
        own.ChainPolicy.CustomTrustStore.AddRange(_roots!);
        if (chain is not null)
        {
            own.ChainPolicy.ExtraStore.AddRange(chain.ChainPolicy.ExtraStore);
            foreach (var element in chain.ChainElements)
            {
                own.ChainPolicy.ExtraStore.Add(element.Certificate);
            }
        }

        return own.Build(server);
    }
}
