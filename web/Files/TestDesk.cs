using System.Text;
using Eddy.Hindsight;
using Eddy.Postgres;
using Eddy.Sandbox;
using Eddy.Tenants;

namespace Eddy.Files;

/// <summary>Writes tests of events that were into the tenant's files.</summary>
public sealed class TestDesk(TestMaker maker, FileStore files, FileKeeper keeper)
{
    private const string Decimals = "from decimal import Decimal\n";

    /// <summary>The file in which the tests of another are kept.</summary>
    public static string PathFor(string? file) =>
        $"tests/test_{(file is null ? "events" : Path.GetFileNameWithoutExtension(file))}.py";

    /// <summary>Adds a test of an event to a file.</summary>
    /// <returns>The line at which it begins, or why it was not made, in a sentence.</returns>
    /// <exception cref="SandboxUnavailable">It can not be checked now, and was not saved.</exception>
    public async Task<(int Line, string? Fault)> MakeAsync(TenantId tenant, string path, long position, string author, CancellationToken cancel)
    {
        var reads = (await keeper.RulesAsync(tenant, cancel)).SelectMany(rule => rule.Look.Reads.Concat(rule.Look.ListensTo ?? [])).Where(key => key.StartsWith("shared.", StringComparison.Ordinal))
            .Select(key => key["shared.".Length..]).ToHashSet(StringComparer.Ordinal);
        var (text, fault) = await maker.MakeAsync(tenant, position, reads, cancel);
        if (text is null)
        {
            return (0, fault);
        }

        for (var tries = 0; tries < 3; tries++)
        {
            var before = await files.FindAsync(tenant, path, cancel);
            if (before is not null && FileStore.TextOf(before.Content) is null)
            {
                return (0, $"{path} is there and is no text.");
            }

            var (whole, line) = Add(before is null ? "" : FileStore.TextOf(before.Content)!, text);
            var condition = before is null ? new WriteCondition(MustBeNew: true, MustBeThere: false, null) : new WriteCondition(MustBeNew: false, MustBeThere: true, [before.Version]);
            switch (await keeper.SaveAsync(tenant, path, Encoding.UTF8.GetBytes(whole), author, condition, cancel))
            {
                case SaveOutcome.Saved:
                    return (line, null);
                case SaveOutcome.Changed:
                    continue;
                default:
                    return (0, $"A tenant has at most {FileStore.MostFiles} files.");
            }
        }

        return (0, $"{path} was saved by others again and again meanwhile. Try once more.");
    }

    /// <summary>The text with one more test, and the line at which that begins. It gets another name where there is one of its name.</summary>
    internal static (string Text, int Line) Add(string before, string test)
    {
        var name = test["def ".Length..test.IndexOf('(', StringComparison.Ordinal)];
        var free = name;
        for (var number = 2; before.Contains($"def {free}(", StringComparison.Ordinal); number++)
        {
            free = $"{name}_{number}";
        }

        var head = before.TrimEnd();
        if (test.Contains("Decimal(", StringComparison.Ordinal) && !head.Contains(Decimals.TrimEnd(), StringComparison.Ordinal))
        {
            head = Decimals + head;
        }

        head = head.TrimEnd();
        head = head.Length == 0 ? "" : head + "\n\n\n";
        return (head + "def " + free + test[(test.IndexOf('(', StringComparison.Ordinal))..], head.Count(character => character == '\n') + 1);
    }
}
