using System.Text.Json;
using Eddy.Sandbox;

namespace Eddy.Pump;

/// <summary>A run that was put aside, as the database keeps it and an arrival brings it back: what woke it, where in the log that is, and the cascade that it goes on with.</summary>
/// <param name="Set">The first position of the change set that woke it.</param>
/// <param name="SetAt">When that was made.</param>
/// <param name="Root">The arrival whose cascade it belongs to.</param>
/// <param name="Quarantine">Its number there, which the database adds when it is tried again.</param>
/// <param name="Attempt">As in <see cref="Again"/>.</param>
/// <param name="Due">It has waited as long as its rule says.</param>
/// <param name="Acting">As in <see cref="Cascade.Acting"/>.</param>
public sealed record StoredWaking(
    string Rule, long Pid, long Set, int Count, DateTime SetAt, int Generation, IReadOnlyList<string> Chain, Guid Root, string Actor, bool Quiet, string? Trace, long? Quarantine = null, int Attempt = 0, bool Due = false,
    string? Acting = null)
{
    public static StoredWaking Read(string json) => JsonSerializer.Deserialize<StoredWaking>(json, JsonSerializerOptions.Web)!;

    public string Write() => JsonSerializer.Serialize(this, JsonSerializerOptions.Web);

    public OwedRun ToOwed(string source, IReadOnlyList<SetEvent> events) => new(Rule, Pid, events, new DateTimeOffset(SetAt), source, new Cascade(Root, Actor, 0) { Acting = Acting }, Generation, Chain)
    {
        IsQuiet = Quiet,
        Again = new Again(Quarantine, Attempt, Due),
    };
}
