using Eddy.Kvps;

namespace Eddy.Access;

/// <summary>What somebody does with a KVP. To remove it is to set it.</summary>
public enum KeyAct
{
    Read,
    Set,
}

/// <summary>Where a KVP is: in the shared bag, or in a process of some kind or none.</summary>
public readonly record struct KvpPlace
{
    public const string KindKey = "kind";

    private KvpPlace(bool isShared, string? kind) => (IsShared, Kind) = (isShared, kind);

    public static KvpPlace Shared { get; } = new(true, null);

    public bool IsShared { get; }

    /// <summary>Null for the shared bag and for a process without a kind.</summary>
    public string? Kind { get; }

    public static KvpPlace Process(string? kind) => new(false, kind);

    /// <summary>What it is once these changes are made.</summary>
    public KvpPlace After(IReadOnlyList<Change> changes)
    {
        var after = this;
        foreach (var (key, value) in changes)
        {
            if (!IsShared && key == KindKey)
            {
                after = Process(value is null ? null : KvpLookup.Of(value).Txt);
            }
        }

        return after;
    }
}
