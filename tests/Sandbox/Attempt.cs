using System.Text.RegularExpressions;
using Eddy.Sandbox;

namespace Eddy.Tests.Sandbox;

/// <summary>An attack of <c>attacks/*.py</c>: its file, its name, and what must stop it, alternatives between bars.</summary>
public sealed partial record Attempt(string Group, string Name, string Stopped)
{
    private static readonly string Folder = Path.Combine(AppContext.BaseDirectory, "Sandbox", "attacks");

    /// <summary>The attempts of a group, in the order of its file.</summary>
    public static IEnumerable<Attempt> In(string group) =>
        Lines().Matches(Source(group)).Select(line => new Attempt(group, line.Groups["name"].Value, 
            line.Groups["stopped"] is { Success: true } stopped ? stopped.Value : line.Value.StartsWith("@endless", StringComparison.Ordinal) ? "CpuTime" : "lie"));

    public static string Source(string name) => File.ReadAllText(Path.Combine(Folder, name + ".py"));

    /// <summary>A tenant that can make the attempts of a group.</summary>
    internal static TestTenant Tenant(RuleSandbox sandbox, string group) => new(
        sandbox, ("scripts/attack.py", Source("attack")), ("libraries/attempt.py", Source("attempt")), ("libraries/group.py", Source(group)));

    /// <summary>What stopped a run that made an attempt: what it says itself, or how its cell ended in the host's words.</summary>
    internal static string Outcome(RunEnded run, string? told) => run.Outcome switch
    {
        RunOutcome.Ran => told?.Trim('"') ?? "own word",
        RunOutcome.Killed when run.Error!.Message.Contains("system call", StringComparison.Ordinal) => "seccomp",
        RunOutcome.Killed when run.Error!.Message.Contains("crashed the interpreter", StringComparison.Ordinal) => "crash",
        RunOutcome.Killed when run.Error!.Message.Contains("telling what can not be", StringComparison.Ordinal) => "lie",
        RunOutcome.Killed when run.Error!.Kind == "Died" => End().Match(run.Error.Message).Groups["how"].Value,
        _ => run.Error!.Kind,
    };

    /// <summary>Whether this is what must stop it. On a busy machine an endless loop comes to the one limit of time before the other.</summary>
    public bool Holds(string outcome) => Array.Exists(Stopped.Split('|'), one => one == outcome || (one, outcome) == ("CpuTime", "WallTime"));

    [GeneratedRegex(@"\((?<how>[^)]+)\)\.$")]
    private static partial Regex End();

    [GeneratedRegex("""^(@?(attempt|endless)\("(?<name>[^"]+)", "(?<stopped>[^"]+)"[,)]|@endless\("(?<name>[^"]+)"\)|(lie|raw)\("(?<name>[^"]+)",)""", RegexOptions.Multiline)]
    private static partial Regex Lines();
}
