using System.Text.Json.Nodes;
using Fluid.Values;

namespace Eddy.Pages;

/// <summary>A template's value as JSON, for the page's own scripts to read from an attribute.</summary>
internal static class PageJson
{
    public static string Of(FluidValue value) => Node(value)?.ToJsonString() ?? "null";

    private static JsonNode? Node(FluidValue value) => value switch
    {
        NilValue => null,
        BooleanValue => JsonValue.Create(value.ToBooleanValue()),
        NumberValue => JsonValue.Create(value.ToNumberValue()),
        ArrayValue list => new JsonArray([.. list.Values.Select(Node)]),
        DictionaryValue pairs => Pairs(pairs),
        ProcessValue process => JsonValue.Create(process.Pid),
        _ => JsonValue.Create(value.ToStringValue()),
    };

    private static JsonObject Pairs(DictionaryValue pairs)
    {
        var json = new JsonObject();
        foreach (var (key, value) in PageValue.Pairs(pairs))
        {
            json[key] = Node(value);
        }

        return json;
    }
}
