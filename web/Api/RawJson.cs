using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;
using Eddy.Kvps;

namespace Eddy.Api;

/// <summary>A value as it is stored. It goes out as the canonical JSON that it is (<c>docs/values.md</c>), and is not taken apart on the way.</summary>
[JsonConverter(typeof(Converter))]
public readonly record struct RawJson(string Text)
{
    public static RawJson? OrNull(string? text) => text is null ? null : new RawJson(text);

    private sealed class Converter : JsonConverter<RawJson>
    {
        public override RawJson Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
            throw new NotSupportedException("Values come in through KvpValue.");

        public override void Write(Utf8JsonWriter writer, RawJson value, JsonSerializerOptions options) =>
            writer.WriteRawValue(Canonical(value.Text), skipInputValidation: true);

        // The database keeps lists and dictionaries in an order and with spaces of its own.
        private static string Canonical(string text) =>
            text[0] is '{' or '[' && KvpValue.TryCanonical(Encoding.UTF8.GetBytes(text), out var canonical, out _, int.MaxValue) ? canonical : text;
    }
}
