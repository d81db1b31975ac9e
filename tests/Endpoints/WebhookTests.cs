using System.Globalization;
using System.Net;
using System.Security.Cryptography;
using System.Text;
using Eddy.Endpoints;
using Eddy.Tests.Secrets;

namespace Eddy.Tests.Endpoints;

/// <summary><c>verify_webhook</c> against signatures that are made here as each service documents them.</summary>
public sealed class WebhookTests(SecretWay way) : IClassFixture<SecretWay>
{
    private const string Secret = "MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    private const string Body = """{"event": "paid", "amount": 5}""";

    [Fact]
    public async Task A_signature_is_taken_only_where_the_service_made_it_and_not_long_ago()
    {
        var callers = new Dictionary<string, TestCaller>();
        foreach (var (kind, body, headers, isTrue) in Deliveries(Seconds(DateTimeOffset.UtcNow), Seconds(DateTimeOffset.UtcNow.AddMinutes(-10))))
        {
            if (!callers.TryGetValue(kind, out var caller))
            {
                callers[kind] = caller = await CallerAsync($"return verify_webhook(request, '{kind}')");
                await caller.PutAsync($"/api/secrets/{kind.ToUpperInvariant()}_WEBHOOK_SECRET", $$"""{"value": "whsec_{{Secret}}", "hosts": ["hooks.example"]}""").JsonAsync(HttpStatusCode.Created);
            }

            var reply = await EndpointTests.ReplyAsync(way, caller, "POST", "/api/v1/hooks/it", body, kind == "twilio" ? "application/x-www-form-urlencoded" : "application/json", headers: headers);

            EndpointTests.TextOf(reply.ShouldBeOfType<EndpointReply.Answer>().Answered).ShouldBe(isTrue ? "true" : "false", $"{kind}: {string.Join(", ", headers)}");
        }
    }

    /// <summary>Signed when the test asks, not when the runner lists its cases: what is signed holds for minutes.</summary>
    private static List<(string Kind, string Body, (string, string)[] Headers, bool IsTrue)> Deliveries(string now, string old)
    {
        var other = Encoding.UTF8.GetBytes("another secret");
        var key = Encoding.UTF8.GetBytes("whsec_" + Secret);
        return
        [
            ("standard", Body, [("webhook-id", "msg_1"), ("webhook-timestamp", now), ("webhook-signature", "v1,bm90IGl0 v1," + Base64(Sha256(Convert.FromBase64String(Secret), $"msg_1.{now}.{Body}")))], true),
            ("standard", Body, [("webhook-id", "msg_2"), ("webhook-timestamp", now), ("webhook-signature", "v1," + Base64(Sha256(Convert.FromBase64String(Secret), $"msg_1.{now}.{Body}")))], false),
            ("standard", Body, [("webhook-id", "msg_1"), ("webhook-timestamp", old), ("webhook-signature", "v1," + Base64(Sha256(Convert.FromBase64String(Secret), $"msg_1.{old}.{Body}")))], false),
            ("stripe", Body, [("Stripe-Signature", $"t={now},v1={Hex(Sha256(key, $"{now}.{Body}"))},v0=x")], true),
            ("stripe", Body, [("Stripe-Signature", $"t={now},v1={Hex(Sha256(other, $"{now}.{Body}"))}")], false),
            ("stripe", Body, [("Stripe-Signature", $"t={old},v1={Hex(Sha256(key, $"{old}.{Body}"))}")], false),
            ("stripe", Body, [], false),
            ("github", Body, [("X-Hub-Signature-256", "sha256=" + Hex(Sha256(key, Body)))], true),
            ("github", Body + " ", [("X-Hub-Signature-256", "sha256=" + Hex(Sha256(key, Body)))], false),
            ("slack", Body, [("X-Slack-Request-Timestamp", now), ("X-Slack-Signature", "v0=" + Hex(Sha256(key, $"v0:{now}:{Body}")))], true),
            ("slack", Body, [("X-Slack-Request-Timestamp", old), ("X-Slack-Signature", "v0=" + Hex(Sha256(key, $"v0:{old}:{Body}")))], false),
            ("twilio", "From=%2B1555&Body=hello", [("X-Twilio-Signature", Base64(Sha1(key, "http://acme.test/api/v1/hooks/itBodyhelloFrom+1555")))], true),
            ("twilio", "From=%2B1556&Body=hello", [("X-Twilio-Signature", Base64(Sha1(key, "http://acme.test/api/v1/hooks/itBodyhelloFrom+1555")))], false),
        ];
    }

    [Fact]
    public async Task A_kind_that_is_not_known_and_a_secret_that_is_not_set_are_told()
    {
        var caller = await CallerAsync("return verify_webhook(request, request.GET.kind)");

        (await EndpointTests.ReplyAsync(way, caller, "POST", "/api/v1/hooks/it", query: "kind=paypal")).ShouldBeOfType<EndpointReply.Failed>().Error.Message.ShouldContain("standard, stripe, github, slack, twilio");
        (await EndpointTests.ReplyAsync(way, caller, "POST", "/api/v1/hooks/it", query: "kind=stripe")).ShouldBeOfType<EndpointReply.Failed>().Error.Message.ShouldContain("STRIPE_WEBHOOK_SECRET");
    }

    private Task<TestCaller> CallerAsync(string body) => way.CallerAsync(("api/hooks.py", $"def it(request):\n    {body}\n"));

    private static byte[] Sha256(byte[] key, string data) => HMACSHA256.HashData(key, Encoding.UTF8.GetBytes(data));

#pragma warning disable CA5350 // Twilio's choice.
    private static byte[] Sha1(byte[] key, string data) => HMACSHA1.HashData(key, Encoding.UTF8.GetBytes(data));
#pragma warning restore CA5350

    private static string Seconds(DateTimeOffset at) => at.ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture);

    private static string Hex(byte[] bytes) => Convert.ToHexStringLower(bytes);

    private static string Base64(byte[] bytes) => Convert.ToBase64String(bytes);
}

/// <summary>A way on which secrets can be kept.</summary>
public sealed class SecretWay(TestDatabase database) : TestWay(database)
{
    protected override string[] Settings { get; } = ["Secrets:MasterKeyFile=" + TestSecrets.File(TestSecrets.Line("one"))];
}
