using CsCheck;

namespace Eddy.Tests.Kvps;

/// <summary>Values on their whole way: in at the door, into the database, into Python and back, and out again.</summary>
public sealed class ValueRoadTests(TestWay way) : IClassFixture<TestWay>
{
    [Fact]
    public async Task Every_value_comes_back_from_Python_and_the_database_as_it_went_in()
    {
        var caller = await way.CallerAsync(("scripts/a.py", """
            class back(Rule):
                listens_to = ["*"]
                def check(self):
                    return event.source != "rule"
                def action(self):
                    for key, value in list(self):
                        if key.startswith("in"):
                            self["out" + key[2:]] = value
            """));
        await KvpGen.Any.Array[40].SampleAsync(async values =>
        {
            var answer = await caller.SettleAsync("{" + string.Join(',', values.Select((value, i) => $"\"in{i}\":{value}")) + "}");

            answer.GetProperty("runs").EnumerateArray().Where(run => run.GetProperty("outcome").GetString() is "failed" or "killed").Select(run => run.ToString()).ShouldBeEmpty();
            // As it was stored and read again.
            var kvps = await caller.ProcessAsync(answer.GetProperty("pid").GetInt64());
            for (var i = 0; i < values.Length; i++)
            {
                kvps.GetProperty($"in{i}").GetRawText().ShouldBe(values[i]);
                // What is None and was not there stays away.
                (kvps.TryGetProperty($"out{i}", out var back) ? back.GetRawText() : "null").ShouldBe(values[i]);
            }
        }, iter: 10, threads: 1);
    }
}
