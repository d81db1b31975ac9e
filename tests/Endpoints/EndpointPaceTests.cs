using Eddy.Endpoints;

namespace Eddy.Tests.Endpoints;

/// <summary>What requests put into the line counts as waiting only until it is there.</summary>
public sealed class EndpointPaceTests(NarrowWay way) : IClassFixture<NarrowWay>
{
    [Fact]
    public async Task Requests_that_are_through_are_in_nobodys_way()
    {
        var caller = await way.CallerAsync(("api/one.py", "def it(request):\n    Process.objects.create(kind='note')\n"));

        for (var i = 0; i < 300; i++)
        {
            (await EndpointTests.ReplyAsync(way, caller, "POST", "/api/v1/one/it")).ShouldBeOfType<EndpointReply.Answer>();
        }
    }
}

/// <summary>A way on which few arrivals of a tenant may wait: more than one caller brings between two words of the pump (200 ms), for until then all of them count.</summary>
public sealed class NarrowWay(TestDatabase database) : TestWay(database)
{
    protected override string[] Settings { get; } = ["Door:TenantBacklog=200"];
}
