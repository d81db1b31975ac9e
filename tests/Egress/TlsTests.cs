using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Eddy.Egress;

namespace Eddy.Tests.Egress;

/// <summary>Servers that prove their name to a root that the operator trusts, and those that do not.</summary>
public sealed class TlsTests : IDisposable
{
    private readonly DirectoryInfo _folder = Directory.CreateTempSubdirectory("eddy-test-");
    private readonly X509Certificate2 _root;
    private readonly string _roots;

    public TlsTests()
    {
        _root = NewRoot();
        _roots = Path.Combine(_folder.FullName, "roots.pem");
        File.WriteAllText(_roots, _root.ExportCertificatePem());
    }

    public void Dispose()
    {
        _root.Dispose();
        _folder.Delete(recursive: true);
    }

    [Fact]
    public async Task A_server_that_proves_its_name_to_a_trusted_root_is_called()
    {
        await using var server = new RawServer(RawServer.Ok("secure"), Certificate(_root, "good.test"));
        await using var calls = Calls(server, _roots);

        (await calls.GetAsync($"https://good.test:{server.Port}/")).Text().ShouldBe("secure");
        server.Requests[0].ShouldContain($"Host: good.test:{server.Port}");
    }

    [Fact]
    public async Task Without_its_root_it_is_not()
    {
        await using var server = new RawServer(RawServer.Ok("secure"), Certificate(_root, "good.test"));
        await using var calls = Calls(server, null);

        await RefusedAsync(calls, server, "good.test");
    }

    [Fact]
    public async Task Another_name_than_that_of_the_certificate_is_not()
    {
        await using var server = new RawServer(RawServer.Ok("secure"), Certificate(_root, "good.test"));
        await using var calls = Calls(server, _roots);

        await RefusedAsync(calls, server, "other.test");
        await RefusedAsync(calls, server, "127.0.0.1");
    }

    [Fact]
    public async Task A_certificate_of_its_own_making_is_not()
    {
        using var other = NewRoot();
        await using var server = new RawServer(RawServer.Ok("secure"), Certificate(other, "good.test"));
        await using var calls = Calls(server, _roots);

        await RefusedAsync(calls, server, "good.test");
    }

    [Fact]
    public async Task A_certificate_that_has_ended_is_not()
    {
        await using var server = new RawServer(RawServer.Ok("secure"), Certificate(_root, "good.test", days: -1));
        await using var calls = Calls(server, _roots);

        await RefusedAsync(calls, server, "good.test");
    }

    [Fact]
    public async Task A_certificate_for_clients_is_not()
    {
        await using var server = new RawServer(RawServer.Ok("secure"), Certificate(_root, "good.test", usage: "1.3.6.1.5.5.7.3.2"));
        await using var calls = Calls(server, _roots);

        await RefusedAsync(calls, server, "good.test");
    }

    [Fact]
    public async Task The_place_that_a_certificate_names_for_its_issuer_is_not_called()
    {
        using var other = NewRoot();
        await using var trap = new RawServer(RawServer.Ok("never"));
        await using var server = new RawServer(RawServer.Ok("secure"), Certificate(other, "good.test", issuerAt: trap.Url + "issuer.cer"));
        await using var calls = Calls(server, _roots);

        await RefusedAsync(calls, server, "good.test");

        trap.Connections.ShouldBe(0);
    }

    [Fact, Trait("Category", "Long")]
    public async Task A_server_without_tls_is_not()
    {
        await using var server = new RawServer(RawServer.Ok("plain"));
        await using var calls = Calls(server, _roots);

        (await calls.GetAsync($"https://good.test:{server.Port}/")).Fault.ShouldNotBeNull().Kind.ShouldBeOneOf(CallFaults.Tls, CallFaults.Protocol, CallFaults.Timeout);
    }

    private static async Task RefusedAsync(TestCalls calls, RawServer server, string name)
    {
        var fault = (await calls.GetAsync($"https://{name}:{server.Port}/")).Fault.ShouldNotBeNull();

        fault.Kind.ShouldBe(CallFaults.Tls);
        fault.Message.ShouldContain(name);
        server.Requests.ShouldBeEmpty();
    }

    private static TestCalls Calls(RawServer server, string? roots) => new(
        new EgressOptions { Allow = [server.Place], TrustedRoots = roots, CallTime = TimeSpan.FromSeconds(5) }, _ => Task.FromResult<IPAddress[]>([IPAddress.Loopback]));

    private static X509Certificate2 NewRoot()
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest("CN=Test root", key, HashAlgorithmName.SHA256);
        request.CertificateExtensions.Add(new X509BasicConstraintsExtension(true, false, 0, true));
        request.CertificateExtensions.Add(new X509KeyUsageExtension(X509KeyUsageFlags.KeyCertSign, true));
        return request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-10), DateTimeOffset.UtcNow.AddDays(10));
    }

    private static X509Certificate2 Certificate(X509Certificate2 root, string name, int days = 5, string usage = "1.3.6.1.5.5.7.3.1", string? issuerAt = null)
    {
        using var key = ECDsa.Create(ECCurve.NamedCurves.nistP256);
        var request = new CertificateRequest($"CN={name}", key, HashAlgorithmName.SHA256);
        var names = new SubjectAlternativeNameBuilder();
        names.AddDnsName(name);
        request.CertificateExtensions.Add(names.Build());
        request.CertificateExtensions.Add(new X509EnhancedKeyUsageExtension([new Oid(usage)], false));
        if (issuerAt is not null)
        {
            request.CertificateExtensions.Add(new X509AuthorityInformationAccessExtension(null, [issuerAt]));
        }

        using var certificate = request.Create(root, DateTimeOffset.UtcNow.AddDays(-9), DateTimeOffset.UtcNow.AddDays(days), RandomNumberGenerator.GetBytes(8));
        using var whole = certificate.CopyWithPrivateKey(key);
        return X509CertificateLoader.LoadPkcs12(whole.Export(X509ContentType.Pkcs12), null);
    }
}
