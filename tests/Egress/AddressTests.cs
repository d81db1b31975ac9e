using System.Net;
using Eddy.Egress;

namespace Eddy.Tests.Egress;

/// <summary>Which addresses are called, in every way to write them. Whatever is not refused would go to nobody: nothing here resolves or listens.</summary>
public sealed class AddressTests
{
    [Theory]
    [InlineData("127.0.0.1")]
    [InlineData("127.1")]
    [InlineData("127.0.1")]
    [InlineData("127.255.255.254")]
    [InlineData("2130706433")]
    [InlineData("0x7f000001")]
    [InlineData("0X7F.0.0.1")]
    [InlineData("0x7f.1")]
    [InlineData("0177.0.0.1")]
    [InlineData("017700000001")]
    [InlineData("0177.0x0.0.1")]
    [InlineData("127.0.0.1.")]
    [InlineData("localhost")]
    [InlineData("localhost.")]
    [InlineData("LOCALHOST")]
    [InlineData("0")]
    [InlineData("0.0.0.0")]
    [InlineData("0.1.2.3")]
    [InlineData("10.0.0.1")]
    [InlineData("10.255.255.255")]
    [InlineData("0x0a000001")]
    [InlineData("167772161")]
    [InlineData("012.0.0.1")]
    [InlineData("100.64.0.1")]
    [InlineData("100.100.100.200")]
    [InlineData("100.127.255.255")]
    [InlineData("169.254.169.254")]
    [InlineData("2852039166")]
    [InlineData("0xa9fea9fe")]
    [InlineData("0251.0376.0251.0376")]
    [InlineData("169.254.43518")]
    [InlineData("169.254.170.2")]
    [InlineData("168.63.129.16")]
    [InlineData("172.16.0.1")]
    [InlineData("172.31.255.255")]
    [InlineData("192.0.0.192")]
    [InlineData("192.0.2.1")]
    [InlineData("192.31.196.1")]
    [InlineData("192.52.193.1")]
    [InlineData("192.88.99.1")]
    [InlineData("192.168.0.1")]
    [InlineData("192.168.257")]
    [InlineData("192.175.48.1")]
    [InlineData("198.18.0.1")]
    [InlineData("198.19.255.255")]
    [InlineData("198.51.100.1")]
    [InlineData("203.0.113.1")]
    [InlineData("224.0.0.1")]
    [InlineData("239.255.255.250")]
    [InlineData("240.0.0.1")]
    [InlineData("255.255.255.255")]
    [InlineData("[::1]")]
    [InlineData("[0:0:0:0:0:0:0:1]")]
    [InlineData("[::]")]
    [InlineData("[::127.0.0.1]")]
    [InlineData("[::7f00:1]")]
    [InlineData("[::8.8.8.8]")]
    [InlineData("[::ffff:127.0.0.1]")]
    [InlineData("[::ffff:7f00:1]")]
    [InlineData("[0:0:0:0:0:ffff:169.254.169.254]")]
    [InlineData("[::ffff:10.0.0.1]")]
    [InlineData("[::ffff:0:127.0.0.1]")]
    [InlineData("[64:ff9b::127.0.0.1]")]
    [InlineData("[64:ff9b::a9fe:a9fe]")]
    [InlineData("[64:ff9b:1::1]")]
    [InlineData("[64:ff9b:1::8.8.8.8]")]
    [InlineData("[100::1]")]
    [InlineData("[2001::1]")]
    [InlineData("[2001:0:4136:e378:8000:63bf:3fff:fdd2]")]
    [InlineData("[2001:2::1]")]
    [InlineData("[2001:10::1]")]
    [InlineData("[2001:20::1]")]
    [InlineData("[2001:db8::1]")]
    [InlineData("[2002:7f00:1::1]")]
    [InlineData("[2002:808:808::1]")]
    [InlineData("[2620:4f:8000::1]")]
    [InlineData("[2a00:1450::5efe:7f00:1]")]
    [InlineData("[3ffe::1]")]
    [InlineData("[3fff::1]")]
    [InlineData("[5f00::1]")]
    [InlineData("[4000::1]")]
    [InlineData("[fc00::1]")]
    [InlineData("[fd00:ec2::254]")]
    [InlineData("[fd20:ce::254]")]
    [InlineData("[fe80::1]")]
    [InlineData("[fe80::1%25lo]")]
    [InlineData("[fe80::1%lo]")]
    [InlineData("[fec0::1]")]
    [InlineData("[ff02::1]")]
    [InlineData("[ff0e::1]")]
    [InlineData("１２７.0.0.1")]
    [InlineData("127。0。0。1")]
    [InlineData("①②⑦.0.0.1")]
    [InlineData("ⓛⓞⓒⓐⓛⓗⓞⓢⓣ")]
    [InlineData("%31%32%37.0.0.1")]
    [InlineData("user@127.0.0.1")]
    [InlineData("8.8.8.8@127.0.0.1")]
    [InlineData("127.0.0.1%00.example.com")]
    [InlineData("127.0.0.1:80:80")]
    [InlineData("8.8.8.8\\@127.0.0.1")]
    public async Task An_address_that_is_not_public_is_refused_however_it_is_written(string host)
    {
        var asked = new List<string>();
        await using var calls = new TestCalls(new EgressOptions(), name =>
        {
            asked.Add(name);
            return Dns.GetHostAddressesAsync(name, TestContext.Current.CancellationToken);
        });

        foreach (var scheme in (string[])["http", "https"])
        {
            var answer = await calls.GetAsync($"{scheme}://{host}/");

            answer.Fault.ShouldNotBeNull().Kind.ShouldBeOneOf(CallFaults.Refused, asked.Count > 0 ? CallFaults.Dns : CallFaults.Refused);
            answer.Fault.Message.ShouldEndWith(".");
        }
    }

    [Theory]
    [InlineData("8.8.8.8")]
    [InlineData("1.1.1.1")]
    [InlineData("93.184.216.34")]
    [InlineData("100.63.255.255")]
    [InlineData("100.128.0.0")]
    [InlineData("172.15.255.255")]
    [InlineData("172.32.0.0")]
    [InlineData("192.167.255.255")]
    [InlineData("192.169.0.0")]
    [InlineData("198.17.255.255")]
    [InlineData("198.20.0.0")]
    [InlineData("223.255.255.255")]
    [InlineData("11.0.0.0")]
    [InlineData("128.0.0.0")]
    [InlineData("169.253.255.255")]
    [InlineData("168.63.129.17")]
    [InlineData("2606:4700:4700::1111")]
    [InlineData("2001:4860:4860::8888")]
    [InlineData("2a00:1450:4001:80b::200e")]
    [InlineData("2400:cb00:2048:1::c629:d7a2")]
    [InlineData("::ffff:8.8.8.8")]
    [InlineData("64:ff9b::8.8.8.8")]
    public void A_public_address_is_none_of_those(string address)
    {
        PublicAddress.Fault(IPAddress.Parse(address)).ShouldBeNull();
    }

    [Theory]
    [InlineData("ftp://example.com/")]
    [InlineData("file:///etc/passwd")]
    [InlineData("gopher://example.com/_GET")]
    [InlineData("unix:///var/run/docker.sock")]
    [InlineData("data:text/plain,hello")]
    [InlineData("//example.com/")]
    [InlineData("/path")]
    [InlineData("example.com")]
    [InlineData("")]
    [InlineData("http://")]
    [InlineData("http:///path")]
    [InlineData("http://user:password@example.com/")]
    [InlineData("http://@example.com/")]
    [InlineData("http://example.com:22/")]
    [InlineData("http://example.com:25/")]
    [InlineData("https://example.com:5432/")]
    [InlineData("http://example.com:0/")]
    [InlineData("http://example.com:99999/")]
    [InlineData("http://example.com/a b")]
    [InlineData("http://example.com/\r\nX: y")]
    [InlineData("http://example.com\r\n.evil/")]
    [InlineData("http://example.com/\0")]
    [InlineData("http://exa mple.com/")]
    [InlineData("http://example..com/")]
    [InlineData("http://.example.com/")]
    [InlineData("http://exa\\mple.com/")]
    [InlineData("http://example.com/\u00e9")]
    [InlineData("http://[::1")]
    [InlineData("http://[v1.x]/")]
    public async Task What_is_no_address_of_the_web_is_refused(string url)
    {
        await using var calls = new TestCalls(new EgressOptions(), _ => throw new InvalidOperationException("Nobody may be asked for this name."));

        var answer = await calls.GetAsync(url);

        answer.Fault.ShouldNotBeNull().Kind.ShouldBe(CallFaults.Refused);
        calls.Trail.Records.ShouldHaveSingleItem().Fault.ShouldBe(CallFaults.Refused);
    }

    [Fact]
    public async Task One_bad_address_refuses_the_whole_name()
    {
        await using var server = new RawServer(RawServer.Ok("secret"));
        await using var calls = new TestCalls(new EgressOptions { Allow = [server.Place] }, TestCalls.Names(("mixed.test", "127.0.0.1"), ("mixed.test", "10.0.0.7")));

        var answer = await calls.GetAsync($"http://mixed.test:{server.Port}/");

        answer.Fault.ShouldNotBeNull().Kind.ShouldBe(CallFaults.Refused);
        server.Connections.ShouldBe(0);
    }

    [Fact]
    public async Task A_name_is_resolved_once_and_the_address_that_was_checked_is_the_one_that_is_called()
    {
        await using var good = new RawServer(RawServer.Ok("good"));
        var asked = 0;
        await using var calls = new TestCalls(
            new EgressOptions { Allow = [good.Place] },
            _ => Task.FromResult<IPAddress[]>([IPAddress.Parse(++asked == 1 ? "127.0.0.1" : "127.0.0.2")]));

        (await calls.GetAsync($"http://rebind.test:{good.Port}/one")).Text().ShouldBe("good");
        (await calls.GetAsync($"http://rebind.test:{good.Port}/two", ("Connection", "close"))).Text().ShouldBe("good");
        asked.ShouldBe(1);

        // On a new connection the name is asked again, and what it is now is checked again.
        await using var other = new TestCalls(new EgressOptions { Allow = [good.Place] }, _ => Task.FromResult<IPAddress[]>([IPAddress.Parse("127.0.0.2")]));
        (await other.GetAsync($"http://rebind.test:{good.Port}/")).Fault.ShouldNotBeNull().Kind.ShouldBe(CallFaults.Refused);
        good.Requests.Count.ShouldBe(2);
    }

    [Fact]
    public async Task A_new_connection_checks_the_name_anew()
    {
        await using var server = new RawServer(async call =>
        {
            await call.WriteAsync(RawServer.Ok("good", "Connection: close\r\n"));
            call.HangUp();
        });
        var asked = 0;
        await using var calls = new TestCalls(
            new EgressOptions { Allow = [server.Place] },
            _ => Task.FromResult<IPAddress[]>([IPAddress.Parse(++asked == 1 ? "127.0.0.1" : "169.254.169.254")]));

        (await calls.GetAsync($"http://rebind.test:{server.Port}/")).Text().ShouldBe("good");
        var second = await calls.GetAsync($"http://rebind.test:{server.Port}/");

        second.Fault.ShouldNotBeNull().Kind.ShouldBe(CallFaults.Refused);
        asked.ShouldBe(2);
    }

    [Fact]
    public async Task The_addresses_of_this_machine_are_refused_though_they_be_public()
    {
        var own = System.Net.NetworkInformation.NetworkInterface.GetAllNetworkInterfaces()
            .SelectMany(network => network.GetIPProperties().UnicastAddresses).Select(one => one.Address).ToList();
        var rules = new OwnAddresses(TimeProvider.System);

        own.ShouldNotBeEmpty();
        own.ShouldAllBe(address => rules.Contains(address));
        rules.Contains(IPAddress.Parse("8.8.8.8")).ShouldBeFalse();
    }

    [Fact]
    public async Task What_the_operator_denies_is_refused_before_what_is_allowed()
    {
        await using var server = new RawServer(RawServer.Ok(""));
        await using var calls = new TestCalls(new EgressOptions { Allow = [server.Place], Deny = ["127.0.0.0/8"] });

        (await calls.GetAsync(server.Url)).Fault.ShouldNotBeNull().Message.ShouldContain("refuses its address");
    }

    [Fact]
    public async Task A_list_of_hosts_lets_out_only_to_them()
    {
        await using var server = new RawServer(RawServer.Ok("yes"));
        var options = new EgressOptions { Allow = [server.Place], Hosts = ["api.good.test", "*.wide.test"] };
        await using var calls = new TestCalls(options, _ => Task.FromResult<IPAddress[]>([IPAddress.Loopback]));

        (await calls.GetAsync($"http://API.good.test:{server.Port}/")).Text().ShouldBe("yes");
        (await calls.GetAsync($"http://a.b.wide.test.:{server.Port}/")).Text().ShouldBe("yes");
        foreach (var other in (string[])["good.test", "xapi.good.test", "wide.test", "xwide.test", "api.good.test.evil.test", "127.0.0.1"])
        {
            (await calls.GetAsync($"http://{other}:{server.Port}/")).Fault.ShouldNotBeNull().Message.ShouldContain("not among the hosts");
        }
    }

    [Fact]
    public async Task A_name_that_the_operator_allows_at_a_port_leads_wherever_it_leads()
    {
        await using var server = new RawServer(RawServer.Ok("inside"));
        await using var calls = new TestCalls(new EgressOptions { Allow = [$"search.internal:{server.Port}"] }, _ => Task.FromResult<IPAddress[]>([IPAddress.Loopback]));

        (await calls.GetAsync($"http://search.internal:{server.Port}/")).Text().ShouldBe("inside");
        (await calls.GetAsync($"http://other.internal:{server.Port}/")).Fault.ShouldNotBeNull().Kind.ShouldBe(CallFaults.Refused);
        (await calls.GetAsync("http://search.internal/")).Fault.ShouldNotBeNull().Kind.ShouldBe(CallFaults.Refused);
    }

    [Fact]
    public void Wrong_settings_are_all_told_at_once()
    {
        var options = new EgressOptions
        {
            Ports = [0], Allow = ["nonsense", "10.0.0.1/8x", "10.0.0.0/8"], Deny = ["a:1"], Hosts = ["*"], TrustedRoots = "/nonexistent.pem", Calls = -1, CallTime = TimeSpan.Zero,
        };

        var faults = options.Faults();

        faults.Count.ShouldBe(8);
        string.Join(' ', faults).ShouldSatisfyAllConditions(
            text => text.ShouldContain("Ports has 0"), text => text.ShouldContain("'nonsense'"), text => text.ShouldContain("'10.0.0.1/8x'"), text => text.ShouldContain("Deny has 'a:1'"),
            text => text.ShouldContain("Hosts has '*'"), text => text.ShouldContain("/nonexistent.pem"), text => text.ShouldContain("Calls is -1"), text => text.ShouldContain("CallTime is 0"));
        new EgressOptions().Faults().ShouldBeEmpty();
    }
}
