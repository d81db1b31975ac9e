using System.Text;

namespace Eddy.Kvps;

/// <summary>Bytes that grow at the end, and can be cut there.</summary>
internal sealed class Utf8Buffer
{
    private byte[] _bytes = new byte[256];

    public int Length { get; private set; }

    public ReadOnlySpan<byte> Written => _bytes.AsSpan(0, Length);

    public byte this[int index]
    {
        get => _bytes[index];
        set => _bytes[index] = value;
    }

    public ReadOnlySpan<byte> Slice(int start, int length) => _bytes.AsSpan(start, length);

    public void Cut(int length) => Length = length;

    public void Add(byte value)
    {
        Room(1)[0] = value;
        Length++;
    }

    public void Add(ReadOnlySpan<byte> bytes)
    {
        bytes.CopyTo(Room(bytes.Length));
        Length += bytes.Length;
    }

    public void Add(ReadOnlySpan<char> chars) => Length += Encoding.UTF8.GetBytes(chars, Room(Encoding.UTF8.GetMaxByteCount(chars.Length)));

    public void Zeros(int count)
    {
        Room(count)[..count].Fill((byte)'0');
        Length += count;
    }

    public void Insert(int at, ReadOnlySpan<byte> bytes)
    {
        Room(bytes.Length);
        _bytes.AsSpan(at, Length - at).CopyTo(_bytes.AsSpan(at + bytes.Length));
        bytes.CopyTo(_bytes.AsSpan(at));
        Length += bytes.Length;
    }

    /// <summary>Empties it, and gives back what an unusually large value had made it grow to.</summary>
    public void Reset()
    {
        Length = 0;
        if (_bytes.Length > 64 * 1024)
        {
            _bytes = new byte[256];
        }
    }

    public override string ToString() => Encoding.UTF8.GetString(Written);

    private Span<byte> Room(int count)
    {
        if (_bytes.Length - Length < count)
        {
            Array.Resize(ref _bytes, Math.Max(_bytes.Length * 2, Length + count));
        }

        return _bytes.AsSpan(Length);
    }
}
