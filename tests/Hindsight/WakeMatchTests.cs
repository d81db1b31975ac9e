using Eddy.Events;
using Eddy.Hindsight;

namespace Eddy.Tests.Hindsight;

/// <summary>By what a rule hears of a change set, and what came nearest to that.</summary>
public sealed class WakeMatchTests
{
    [Theory]
    [InlineData("temperature", 15, "temperature", "temperature 15")]
    [InlineData("*", 15, "temperature", "* 15")]
    [InlineData("*", 0, "temperature", "")]
    [InlineData("shared.rate", 0, "rate", "shared.rate 99")]
    [InlineData("shared.rate", 15, "rate", "")]
    [InlineData("child.done", 16, "done", "child.done 15")]
    [InlineData("child.done", 15, "done", "")]
    [InlineData("parent.done", 15, "done", "parent.done ?")]
    public void It_is_heard_where_the_language_says_so(string entry, long pid, string key, string matches) =>
        string.Join(' ', WakeMatch.Of([entry], [Event(pid, key)], of => of == 16 ? 15 : 0, 99).Select(match => $"{match.Entry} {match.Pid?.ToString(System.Globalization.CultureInfo.InvariantCulture) ?? "?"}")).ShouldBe(matches);

    [Theory]
    [InlineData("rate", 0, "rate", "The shared KVP rate was set: a rule hears of that by shared.rate")]
    [InlineData("shared.rate", 15, "rate", "rate of process 15 was set: a rule hears of that by rate")]
    [InlineData("child.done", 15, "done", "done of process 15 was set, which stood below no other")]
    [InlineData("parent.done", 15, "done", "done of process 15 was set, below which no other stood")]
    [InlineData("temperature", 15, "temprature", "temprature was set, and it listens to temperature")]
    [InlineData("temperature", 15, "tempertaure", "tempertaure was set, and it listens to temperature")]
    [InlineData("temperature", 15, "humidity", null)]
    [InlineData("a", 15, "b", null)]
    public void What_came_nearest_is_told(string entry, long pid, string key, string? told)
    {
        if (told is null)
        {
            WakeMatch.Nearest([entry], [Event(pid, key)]).ShouldBeNull();
        }
        else
        {
            WakeMatch.Nearest([entry], [Event(pid, key)])!.ShouldStartWith(told);
        }
    }

    private static StoredEvent Event(long pid, string key) => new(1, default, pid, key, "1", null, "key:test", "post", null, 1, Guid.Empty);
}
