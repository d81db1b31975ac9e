using System.Buffers;
using System.Diagnostics.CodeAnalysis;
using Eddy.Problems;

namespace Eddy.Ingest;

/// <summary>An HTML form's fields, URL-encoded: one process.</summary>
internal static class FormBody
{
    public static ParsedBody Parse(ReadOnlySpan<byte> body, Charset charset, IngestLimits limits)
    {
        var fields = new FieldList(limits);
        foreach (var range in body.Split((byte)'&'))
        {
            var field = body[range];
            if (field.IsEmpty)
            {
                continue;
            }

            var sign = field.IndexOf((byte)'=');
            var name = sign < 0 ? field : field[..sign];
            if (!TryDecode(name, charset, out var key))
            {
                return Refusal.Of(ProblemType.InvalidForm, $"The name of the field at byte {range.Start.Value + 1} is not URL-encoded {charset.Name}.");
            }

            if (!TryDecode(sign < 0 ? [] : field[(sign + 1)..], charset, out var text))
            {
                return Refusal.Of(ProblemType.InvalidForm, "The field's value is not URL-encoded " + charset.Name + ".", Refusal.Segment(key));
            }

            if (fields.Add(key, text) is { } refused)
            {
                return refused;
            }
        }

        return fields.ToBody();
    }

    private static bool TryDecode(ReadOnlySpan<byte> encoded, Charset charset, [NotNullWhen(true)] out string? text)
    {
        text = null;
        var bytes = ArrayPool<byte>.Shared.Rent(encoded.Length);
        try
        {
            var length = 0;
            for (var i = 0; i < encoded.Length; i++, length++)
            {
                bytes[length] = encoded[i] == '+' ? (byte)' ' : encoded[i];
                if (encoded[i] == '%')
                {
                    if (i + 2 >= encoded.Length || !char.IsAsciiHexDigit((char)encoded[i + 1]) || !char.IsAsciiHexDigit((char)encoded[i + 2]))
                    {
                        return false;
                    }

                    Convert.FromHexString(encoded.Slice(i + 1, 2), bytes.AsSpan(length, 1), out _, out _);
                    i += 2;
                }
            }

            return charset.TryDecode(bytes.AsSpan(0, length), out text);
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(bytes);
        }
    }
}
