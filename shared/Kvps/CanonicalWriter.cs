using System.Runtime.InteropServices;
using System.Text;
using System.Text.Json;

namespace Eddy.Kvps;

/// <summary>
/// Turns the JSON value on which a reader stands into canonical JSON. One serves a thread, one value after another, so that
/// a value costs no memory but its own text.
/// </summary>
internal sealed class CanonicalWriter
{
    // Each counted level may have a $dict around it, and the last one holds a tag.
    private const int DeepestJson = (2 * KvpValue.MaxDepth) + 2;

    private static readonly KvpFault TooDeep = new(KvpFaultKind.Value, $"Lists and dictionaries are at most {KvpValue.MaxDepth} deep.");

    [ThreadStatic]
    private static CanonicalWriter? mine;

    private readonly Utf8Buffer _out = new();
    private readonly Utf8Buffer _keys = new();
    private readonly Utf8Buffer _scratch = new();
    private readonly List<Pair> _pairs = [];
    private readonly HashSet<long> _tagLike = [];
    private long _lookedTo;
    private int _maxBytes;

    private readonly record struct Pair(int KeyStart, int KeyLength, int Start, int End);

    public static KvpFault? Write(ref Utf8JsonReader reader, int maxBytes, out string canonical)
    {
        var writer = mine ??= new CanonicalWriter();
        writer._maxBytes = maxBytes;
        writer._lookedTo = 0;
        try
        {
            var fault = writer.Value(ref reader, 0);
            canonical = fault is null ? writer._out.ToString() : "";
            return fault;
        }
        finally
        {
            writer.Reset();
        }
    }

    private KvpFault? Value(ref Utf8JsonReader reader, int depth)
    {
        var fault = reader.TokenType switch
        {
            JsonTokenType.StartObject => depth == KvpValue.MaxDepth && !IsTag(reader) ? TooDeep : Object(ref reader, depth),
            JsonTokenType.StartArray => depth == KvpValue.MaxDepth ? TooDeep : List(ref reader, depth),
            JsonTokenType.String => Text(ref reader),
            JsonTokenType.Number => Number(reader.ValueSpan),
            JsonTokenType.True => Constant("true"u8),
            JsonTokenType.False => Constant("false"u8),
            _ => Constant("null"u8),
        };
        return fault ?? (_out.Length > _maxBytes ? KvpValue.TooLarge(_maxBytes) : null);
    }

    private KvpFault? Constant(ReadOnlySpan<byte> text)
    {
        _out.Add(text);
        return null;
    }

    private KvpFault? Text(ref Utf8JsonReader reader)
    {
        _scratch.Cut(0);
        if (JsonText.Plain(ref reader, _scratch) is { } fault)
        {
            return fault;
        }

        JsonText.Quote(_scratch.Written, _out);
        return null;
    }

    private KvpFault? Number(ReadOnlySpan<byte> digits)
    {
        if (!digits.ContainsAny((byte)'.', (byte)'e', (byte)'E'))
        {
            var fault = KvpValue.IntegerFault(digits);
            _out.Add(digits.SequenceEqual("-0"u8) ? "0"u8 : digits);
            return fault;
        }

        var number = double.Parse(digits, System.Globalization.NumberStyles.Float, System.Globalization.CultureInfo.InvariantCulture);
        if (!double.IsFinite(number))
        {
            return KvpValue.NotFinite;
        }

        FloatText.Write(number, _out);
        return null;
    }

    private KvpFault? List(ref Utf8JsonReader reader, int depth)
    {
        _out.Add((byte)'[');
        var count = 0;
        for (; reader.Read() && reader.TokenType != JsonTokenType.EndArray; count++)
        {
            if (Value(ref reader, depth + 1) is { } fault)
            {
                return fault.Below(count.ToString());
            }

            _out.Add((byte)',');
        }

        Close(count, (byte)']');
        return null;
    }

    private KvpFault? Object(ref Utf8JsonReader reader, int depth)
    {
        var ahead = reader;
        if (ahead.Read() && ahead.TokenType == JsonTokenType.PropertyName && IsDollar(ref ahead))
        {
            var dict = _scratch.Written.SequenceEqual("$dict"u8);
            if (dict && ahead.Read() && ahead.TokenType == JsonTokenType.StartObject && IsTagLike(reader) && IsTagLike(ahead))
            {
                return Wrapped(ref reader, ahead, depth);
            }

            if (!dict && TryTag(ref ahead))
            {
                reader = ahead;
                return null;
            }
        }

        var start = _out.Length;
        if (Dictionary(ref reader, depth, out var tagLike) is { } fault)
        {
            return fault;
        }

        if (tagLike)
        {
            _out.Insert(start, "{\"$dict\":"u8);
            _out.Add((byte)'}');
        }

        return null;
    }

    // {"$dict":{"$x":…}} is the dictionary {"$x":…}, whatever that looks like.
    private KvpFault? Wrapped(ref Utf8JsonReader reader, Utf8JsonReader inner, int depth)
    {
        _out.Add("{\"$dict\":"u8);
        reader = inner;
        if (Dictionary(ref reader, depth, out _) is { } fault)
        {
            return fault.Below("$dict");
        }

        reader.Read();
        _out.Add((byte)'}');
        return null;
    }

    private KvpFault? Dictionary(ref Utf8JsonReader reader, int depth, out bool tagLike)
    {
        var (start, firstPair, firstKey, sorted) = (_out.Length, _pairs.Count, _keys.Length, true);
        tagLike = false;
        _out.Add((byte)'{');
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            var key = _keys.Length;
            if (JsonText.Plain(ref reader, _keys) is { } badKey)
            {
                return badKey;
            }

            var length = _keys.Length - key;
            var pair = new Pair(key, length, _out.Length, 0);
            sorted = sorted && (_pairs.Count == firstPair || Key(_pairs[^1]).SequenceCompareTo(Key(pair)) < 0);
            JsonText.Quote(Key(pair), _out);
            _out.Add((byte)':');
            reader.Read();
            if (Value(ref reader, depth + 1) is { } fault)
            {
                return fault.Below(Encoding.UTF8.GetString(Key(pair)));
            }

            _out.Add((byte)',');
            _pairs.Add(pair with { End = _out.Length });
        }

        var count = _pairs.Count - firstPair;
        if (!sorted && Sort(start, firstPair) is { } twice)
        {
            return twice;
        }

        tagLike = count == 1 && _keys.Length > firstKey && _keys[firstKey] == '$';
        _pairs.RemoveRange(firstPair, count);
        _keys.Cut(firstKey);
        Close(count, (byte)'}');
        return null;
    }

    private ReadOnlySpan<byte> Key(Pair pair) => _keys.Slice(pair.KeyStart, pair.KeyLength);

    private KvpFault? Sort(int start, int firstPair)
    {
        var pairs = CollectionsMarshal.AsSpan(_pairs)[firstPair..];
        pairs.Sort((a, b) => Key(a).SequenceCompareTo(Key(b)));
        _scratch.Cut(0);
        for (var i = 0; i < pairs.Length; i++)
        {
            if (i > 0 && Key(pairs[i - 1]).SequenceEqual(Key(pairs[i])))
            {
                var name = Encoding.UTF8.GetString(Key(pairs[i]));
                return new KvpFault(KvpFaultKind.Value, "A dictionary has each key once.").Below(name);
            }

            _scratch.Add(_out.Slice(pairs[i].Start, pairs[i].End - pairs[i].Start));
        }

        _out.Cut(start + 1);
        _out.Add(_scratch.Written);
        return null;
    }

    // Behind each element stands a comma; the last one becomes the bracket.
    private void Close(int count, byte bracket)
    {
        if (count == 0)
        {
            _out.Add(bracket);
            return;
        }

        _out[_out.Length - 1] = bracket;
    }

    // Whether the name on which the reader stands begins with $; if so, it is in _scratch.
    private bool IsDollar(ref Utf8JsonReader reader)
    {
        if (!reader.ValueIsEscaped && reader.ValueSpan is not [(byte)'$', ..])
        {
            return false;
        }

        _scratch.Cut(0);
        return JsonText.Plain(ref reader, _scratch) is null && _scratch.Written is [(byte)'$', ..];
    }

    private bool IsTag(Utf8JsonReader reader)
    {
        var length = _out.Length;
        var tag = reader.Read() && reader.TokenType == JsonTokenType.PropertyName && IsDollar(ref reader) && TryTag(ref reader);
        _out.Cut(length);
        return tag;
    }

    // The reader stands on the name, which is in _scratch; where it is a tag, the reader then stands on the object's end.
    private bool TryTag(ref Utf8JsonReader reader)
    {
        var name = _scratch.Length;
        reader.Read();
        if (reader.TokenType == JsonTokenType.Number)
        {
            var digits = reader.ValueSpan;
            if (!_scratch.Written.SequenceEqual("$process"u8) || !TagForm.IsProcess(digits) || !reader.Read() || reader.TokenType != JsonTokenType.EndObject)
            {
                return false;
            }

            AddTag(name, digits);
            return true;
        }

        if (reader.TokenType != JsonTokenType.String || JsonText.Plain(ref reader, _scratch) is not null
            || !TagForm.IsTag(_scratch.Slice(0, name), _scratch.Written[name..]) || !reader.Read() || reader.TokenType != JsonTokenType.EndObject)
        {
            return false;
        }

        _scratch.Add((byte)'"');
        _out.Add("{\""u8);
        _out.Add(_scratch.Slice(0, name));
        _out.Add("\":\""u8);
        _out.Add(_scratch.Written[name..]);
        _out.Add((byte)'}');
        return true;
    }

    private void AddTag(int name, ReadOnlySpan<byte> value)
    {
        _out.Add("{\""u8);
        _out.Add(_scratch.Slice(0, name));
        _out.Add("\":"u8);
        _out.Add(value);
        _out.Add((byte)'}');
    }

    // Whether the object at which the reader stands has exactly one key, which begins with $.
    private bool IsTagLike(Utf8JsonReader reader)
    {
        var at = reader.TokenStartIndex;
        if (at >= _lookedTo)
        {
            Look(reader);
        }

        return _tagLike.Contains(at);
    }

    // Looks at everything inside once, so that $dict in $dict in $dict costs no more than one look.
    private void Look(Utf8JsonReader reader)
    {
        var name = _scratch.Written.ToArray();
        var outer = reader.CurrentDepth;
        var open = new Stack<(long At, int Keys, bool Dollar)>();
        do
        {
            switch (reader.TokenType)
            {
                case JsonTokenType.StartObject:
                    open.Push((reader.TokenStartIndex, 0, false));
                    break;
                case JsonTokenType.PropertyName:
                    var (at, keys, dollar) = open.Pop();
                    open.Push((at, keys + 1, keys == 0 ? IsDollar(ref reader) : dollar));
                    break;
                case JsonTokenType.EndObject when open.Pop() is (var start, 1, true):
                    _tagLike.Add(start);
                    break;
            }
        }
        while (reader.CurrentDepth < outer + DeepestJson && !(reader.TokenType == JsonTokenType.EndObject && open.Count == 0) && reader.Read());

        // Past the deepest level the value is refused anyway.
        _lookedTo = open.Count == 0 ? reader.TokenStartIndex : long.MaxValue;
        _scratch.Cut(0);
        _scratch.Add(name);
    }

    private void Reset()
    {
        _out.Reset();
        _keys.Reset();
        _scratch.Reset();
        _pairs.Clear();
        _tagLike.Clear();
    }
}
