using System.Text;
using System.Text.Json;
using Eddy.Sandbox;

namespace Eddy.Tests.Sandbox;

/// <summary>What a broken cell may say of mails and cards: the host checks all of it again.</summary>
public sealed class EffectLieTests
{
    private const string Mail = """["mail",7,["a@b.test"],"m",0,1]""";
    private const string Card = """["card",7,"c",0]""";

    [Theory]
    [InlineData("")]
    [InlineData(Mail)]
    [InlineData(Mail + "," + Card)]
    [InlineData("""["actor","anna"],""" + Card)]
    [InlineData("""["mail",8,["a@b.test","jörg@müller.example"],"",  "s {{x}}",0]""")]
    public void What_a_run_may_tell_is_taken(string effects) => Told(effects).ShouldBeNull();

    [Theory]
    [InlineData("5")]
    [InlineData("[]")]
    [InlineData("[5]")]
    [InlineData("""["page",7,"x"]""")]
    [InlineData("""["mail",9,["a@b.test"],"m",0,1]""", Label = "a process that is not known")]
    [InlineData("""["mail",0,["a@b.test"],"m",0,1]""")]
    [InlineData("""["mail",-7,["a@b.test"],"m",0,1]""")]
    [InlineData("""["mail",7,[],"m",0,1]""")]
    [InlineData("""["mail",7,"a@b.test","m",0,1]""")]
    [InlineData("""["mail",7,["a@b.test","a@b.test"],"m",0,1]""")]
    [InlineData("""["mail",7,["nobody"],"m",0,1]""")]
    [InlineData("""["mail",7,["a@b.test\r\nBcc: c@d.test"],"m",0,1]""")]
    [InlineData("""["mail",7,["a@b.test"],"m","a\nBcc: c@d.test",1]""")]
    [InlineData("""["mail",7,["a@b.test"],"m\u0000",0,1]""")]
    [InlineData("""["mail",7,["a@b.test"],"m\ud800",0,1]""")]
    [InlineData("""["mail",7,["a@b.test"],5,0,1]""")]
    [InlineData("""["mail",7,["a@b.test"],"m",1,1]""")]
    [InlineData("""["mail",7,["a@b.test"],"m","",1]""")]
    [InlineData("""["mail",7,["a@b.test"],"m",0,2]""")]
    [InlineData("""["mail",7,["a@b.test"],"m",0]""")]
    [InlineData("""["mail",7,["a@b.test"],"m",0,1,1]""")]
    [InlineData("""["card",7,"../c",0]""")]
    [InlineData("""["card",7,"",0]""")]
    [InlineData("""["card",9,"c",0]""")]
    [InlineData("""["card",7,"c","a\tb"]""")]
    [InlineData("""["card",7,"c"]""")]
    [InlineData(Card + """,["actor","anna"]""", Label = "the actor comes first")]
    [InlineData("""["actor","anna"],["actor","bob"]""")]
    [InlineData("""["actor","a\u2028b"]""")]
    [InlineData("""["actor",0]""")]
    public void A_lie_is_told_as_such(string effects) => Told(effects).ShouldNotBeNull();

    [Fact]
    public void Nothing_goes_beyond_what_a_run_may_tell()
    {
        Told(string.Join(',', Enumerable.Repeat(Card, 100))).ShouldBeNull();
        Told(string.Join(',', Enumerable.Repeat(Card, 101))).ShouldNotBeNull();
        Told("""["actor","anna"],""" + string.Join(',', Enumerable.Repeat(Card, 100))).ShouldBeNull();
        Told(MailOf("x", 262_144)).ShouldBeNull();
        Told(MailOf("x", 262_145)).ShouldNotBeNull();
        Told(MailOf("é", 131_073)).ShouldNotBeNull();
        Told(string.Join(',', Enumerable.Repeat(MailOf("x", 262_000), 4))).ShouldBeNull();
        Told(string.Join(',', Enumerable.Repeat(MailOf("x", 262_000), 5))).ShouldNotBeNull();
        Told(MailTo(50)).ShouldBeNull();
        Told(MailTo(51)).ShouldNotBeNull();

        static string MailOf(string piece, int times) => $"""["mail",7,["a@b.test"],"{string.Concat(Enumerable.Repeat(piece, times))}",0,1]""";
        static string MailTo(int receivers) => $"""["mail",7,[{string.Join(',', Enumerable.Range(0, receivers).Select(i => $"\"a{i}@b.test\""))}],"m",0,1]""";
    }

    [Theory]
    [InlineData(0)]
    [InlineData(2)]
    public void Only_a_run_that_ran_well_tells_anything(int outcome) => Told(Card, outcome).ShouldNotBeNull();

    /// <summary>Why the frame was refused, or null.</summary>
    private static string? Told(string effects, int outcome = 1)
    {
        var slice = new Slice(0, TestTenant.Now, [], [TestTenant.Arrival(7, ("a", "1"))], new Dictionary<long, IReadOnlyDictionary<string, string>>
        {
            [7] = new Dictionary<string, string>(), [8] = new Dictionary<string, string>(),
        }, 10, TimeSpan.FromMinutes(1));
        var limits = CellFixture.Limits();
        var course = new SliceCourse(new WakeTable([new LoadedRule("s/a.py:a", ["a"])]), slice, limits);
        var error = outcome == 2 ? """["ValueError","no",null,null,null]""" : "0";
        try
        {
            new FrameReader(limits).Read(Encoding.UTF8.GetBytes($"[7,0,[3,0,7,{outcome},5,5,0,0,0,{error},[],[{effects}]]]"), 7, course);
        }
        catch (CellLied lie)
        {
            course.Steps.OfType<RunEnded>().ShouldBeEmpty();
            return lie.Message;
        }

        using var said = JsonDocument.Parse($"[{effects}]");
        course.Steps.OfType<RunEnded>().ShouldHaveSingleItem().Effects.Count.ShouldBe(said.RootElement.GetArrayLength());
        return null;
    }
}
