using System.Text.Json;

namespace Eddy.Sandbox;

/// <summary>A test of a tenant's that was run. Lines count from 1.</summary>
/// <param name="Path">Its file, as in <c>tests/test_heat.py</c>.</param>
/// <param name="Name">Its function.</param>
/// <param name="FirstLine">Where that begins.</param>
/// <param name="Message">Why it did not pass; null where it did.</param>
/// <param name="Line">Where in its file it failed.</param>
/// <param name="Place">Where it failed, if that is in another file.</param>
/// <param name="Log">What it and its rules have printed.</param>
/// <param name="Took">Its time on the wall.</param>
public sealed record RanTest(string Path, string Name, int FirstLine, string? Message, int? Line, (string File, int? Line)? Place, string Log, TimeSpan Took)
{
    public bool Passed => Message is null;
}

/// <summary>What came of some tests.</summary>
/// <param name="Tests">In the order of the files and of what stands in them.</param>
/// <param name="Faults">Files that do not load, tests and rules; what is in them was not run.</param>
public sealed record RanTests(IReadOnlyList<RanTest> Tests, IReadOnlyList<LoadError> Faults)
{
    public int Passed => Tests.Count(test => test.Passed);

    public int Failed => Tests.Count - Passed;

    public bool AllPassed => Failed == 0 && Faults.Count == 0;
}

/// <summary>Reads what a cell tells of its tests. It is shown and not stored, and believed no further than its lengths.</summary>
internal sealed class TestReader(IReadOnlySet<string> files)
{
    private const int MostTests = 2000;
    private const int MostText = 40_000;

    private readonly HashSet<string> _loaded = new(StringComparer.Ordinal);
    private readonly HashSet<string> _ended = new(StringComparer.Ordinal);
    private (string Path, string Name, int Line)? _begun;
    private string? _loading;

    public List<RanTest> Tests { get; } = [];

    public List<LoadError> Faults { get; } = [];

    /// <summary>What has come to its end: tests, and files that do not load.</summary>
    public IReadOnlyCollection<string> Ended => _ended;

    /// <summary>Another cell goes on, and loads the files anew.</summary>
    public void Begin() => _loaded.Clear();

    /// <returns>Whether that was all.</returns>
    /// <exception cref="CellLied">It is not what it may be.</exception>
    public bool Read(JsonElement told)
    {
        try
        {
            switch (told[0].GetString())
            {
                case "file" when _begun is null && _loaded.Add(Path(told[1])):
                    _loading = Path(told[1]);
                    return false;
                case "test" when _begun is null && Tests.Count < MostTests:
                    _loading = null;
                    _begun = (Path(told[1]), Text(told[2]), told[3].GetInt32());
                    return false;
                case "tested" when _begun is not null:
                    End(told[1].GetBoolean() ? null : Text(told[2]), Number(told[3]), told[4].ValueKind == JsonValueKind.Null ? null : (Text(told[4]), Number(told[5])), Text(told[6]), TimeSpan.FromMicroseconds(told[7].GetInt64()));
                    return false;
                case "fault" when _loading is not null:
                    Fail(Number(told[1]), Text(told[2]));
                    return false;
                case "no more" when _begun is null:
                    return true;
                default:
                    throw new CellLied("It told what it was not asked.");
            }
        }
        catch (Exception e) when (e is InvalidOperationException or FormatException or ArgumentException or IndexOutOfRangeException or OverflowException)
        {
            throw new CellLied("It told what can not be read: " + e.Message);
        }
    }

    /// <summary>The cell ended in the middle of something.</summary>
    /// <returns>False where nobody knows of what.</returns>
    public bool Blame(string message, TimeSpan took)
    {
        if (_begun is not null)
        {
            End(message, null, null, "", took);
        }
        else if (_loading is not null)
        {
            Fail(null, message);
        }
        else
        {
            return false;
        }

        return true;
    }

    private void Fail(int? line, string message)
    {
        Faults.Add(new LoadError(_loading!, line, null, message, null));
        _ended.Add(_loading!);
        _loading = null;
    }

    private void End(string? message, int? line, (string, int?)? place, string log, TimeSpan took)
    {
        var (path, name, first) = _begun!.Value;
        Tests.Add(new RanTest(path, name, first, message, message is null ? null : line ?? first, place, log, took));
        _ended.Add($"{path}:{name}");
        _begun = null;
    }

    private string Path(JsonElement path) => path.GetString() is { } read && files.Contains(read) ? read : throw new CellLied("It has run what is in no file.");

    private static string Text(JsonElement text) => text.GetString() is { Length: <= MostText } read ? read : throw new CellLied("Text is missing, or too long.");

    private static int? Number(JsonElement number) => number.ValueKind == JsonValueKind.Null ? null : number.GetInt32();
}
