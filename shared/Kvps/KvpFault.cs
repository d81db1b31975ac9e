namespace Eddy.Kvps;

/// <summary>What is wrong with something that should have become a KVP.</summary>
public enum KvpFaultKind
{
    /// <summary>It is not written as its format demands: it does not parse.</summary>
    Malformed,

    /// <summary>The key is none.</summary>
    Key,

    /// <summary>It parses, but no KVP can have this value.</summary>
    Value,

    /// <summary>The value is longer than a value may be.</summary>
    TooLarge,
}

/// <summary>Why something can not be a KVP, in a sentence for the one who sent it.</summary>
/// <param name="Pointer">Where inside the value, as a JSON Pointer (RFC 6901); empty for the value itself.</param>
public sealed record KvpFault(KvpFaultKind Kind, string Detail, string Pointer = "")
{
    /// <summary>
    /// The same fault, as seen from the object or list that holds the faulty value under this name or index. Too large is always the whole value.
    /// </summary>
    public KvpFault Below(string name) => Kind == KvpFaultKind.TooLarge ? this : this with { Pointer = $"/{name.Replace("~", "~0").Replace("/", "~1")}{Pointer}" };
}
