using System.Globalization;
using System.Text.Encodings.Web;
using System.Text.Json;
using Eddy.Access;
using Eddy.Kvps;
using Eddy.Mail;
using Fluid;
using Fluid.Values;

namespace Eddy.Pages;

/// <summary>Values of KVPs as templates see them, and as they are printed.</summary>
internal static class PageValue
{
    /// <param name="canonical">Canonical JSON; null where there is no such KVP, or the reader may not know.</param>
    public static FluidValue Of(string? canonical, PageRun run) => canonical is null ? NilValue.Instance : KvpKind.Of(canonical) switch
    {
        "none" => NilValue.Instance,
        "boolean" => BooleanValue.Create(canonical == KvpValue.True),
        "integer" or "float" => Number(canonical),
        "decimal" => Number(PrintedValue.Of(canonical, run.Zone)),
        "list" or "dictionary" => OfJson(canonical, run),
        "process" => new ProcessValue(run, long.Parse(KvpLookup.Of(canonical).Txt!, CultureInfo.InvariantCulture)),
        _ => new StringValue(PrintedValue.Of(canonical, run.Zone)),
    };

    /// <summary>What a template gives to a query, as a KVP has it.</summary>
    public static string Canonical(FluidValue value) => value switch
    {
        NilValue => KvpValue.Null,
        BooleanValue => FromBool(value),
        ProcessValue process => KvpValue.FromProcess(process.Pid),
        NumberValue => value.ToNumberValue() is var number && number == decimal.Truncate(number) && Math.Abs(number) < long.MaxValue ? KvpValue.FromInteger((long)number) : KvpValue.FromFloat((double)number),
        _ => KvpValue.TryText(value.ToStringValue(), out var text, out var fault) ? text : throw new PageFault(fault.Detail),
    };

    /// <summary>A value as a page prints it, before it is escaped.</summary>
    public static string Text(FluidValue value) => value switch
    {
        NilValue => "",
        BooleanValue => value.ToBooleanValue() ? "True" : "False",
        ProcessValue process => process.Pid.ToString(CultureInfo.InvariantCulture),
        ArrayValue list => string.Join(", ", list.Values.Select(Text)),
        DictionaryValue pairs => string.Join(", ", Pairs(pairs).Select(pair => $"{pair.Key}: {Text(pair.Value)}")),
        _ => value.ToStringValue(),
    };

    /// <summary>What is in a dictionary.</summary>
    public static IEnumerable<(string Key, FluidValue Value)> Pairs(DictionaryValue pairs)
    {
        var inside = (IFluidIndexable)pairs.ToObjectValue();
        foreach (var key in inside.Keys)
        {
            if (inside.TryGetValue(key, out var value))
            {
                yield return (key, value);
            }
        }
    }

    private static string FromBool(FluidValue value) => KvpValue.FromBool(value.ToBooleanValue());

    // Beyond what Liquid computes with it is shown, and no number.
    private static FluidValue Number(string digits) =>
        decimal.TryParse(digits, NumberStyles.Float, CultureInfo.InvariantCulture, out var number) ? NumberValue.Create(number) : new StringValue(digits);

    private static FluidValue OfJson(string canonical, PageRun run)
    {
        using var json = JsonDocument.Parse(canonical);
        return Of(json.RootElement, run);
    }

    private static FluidValue Of(JsonElement json, PageRun run)
    {
        switch (json.ValueKind)
        {
            case JsonValueKind.Array:
                return new ArrayValue([.. json.EnumerateArray().Select(one => Of(one, run))]);
            case JsonValueKind.Object when KvpKind.Of(json.GetRawText()) == "dictionary":
                var inside = json.TryGetProperty("$dict", out var wrapped) && wrapped.ValueKind == JsonValueKind.Object ? wrapped : json;
                return new DictionaryValue(new FluidValueDictionaryFluidIndexable(inside.EnumerateObject().ToDictionary(pair => pair.Name, pair => Of(pair.Value, run), StringComparer.Ordinal)));
            default:
                return Of(json.GetRawText(), run);
        }
    }
}

/// <summary>A value that knows names: a process, the shared bag, the visitor.</summary>
internal abstract class NamedValue : FluidValue
{
    public override FluidValues Type => FluidValues.Object;

    public override bool Equals(FluidValue? other) => ReferenceEquals(this, other);

    public override bool ToBooleanValue() => true;

    public override decimal ToNumberValue() => 0;

    public override string ToStringValue() => "";

    public override object ToObjectValue() => this;

    public override bool IsNil() => false;

    public override bool Contains(FluidValue value) => false;

    public override IEnumerable<FluidValue> Enumerate(TemplateContext context) => [];

    public override ValueTask<FluidValue> GetIndexAsync(FluidValue index, TemplateContext context) => GetValueAsync(index.ToStringValue(), context);

    public override ValueTask WriteToAsync(TextWriter writer, TextEncoder encoder, CultureInfo cultureInfo) => ValueTask.CompletedTask;

    public override bool Equals(object? obj) => ReferenceEquals(this, obj);

    public override int GetHashCode() => base.GetHashCode();
}

/// <summary>A process. What its reader may not read is nil.</summary>
internal sealed class ProcessValue(PageRun run, long pid) : NamedValue
{
    public long Pid => pid;

    public override decimal ToNumberValue() => pid;

    public override string ToStringValue() => pid.ToString(CultureInfo.InvariantCulture);

    public override bool Equals(FluidValue? other) => other is ProcessValue process && process.Pid == pid;

    public override async ValueTask<FluidValue> GetValueAsync(string name, TemplateContext context) => name switch
    {
        "PROCESS_ID" or "pid" => NumberValue.Create(pid),
        "CHILDREN" => await run.FindAsync([("PARENT", this), ("order", new StringValue("PROCESS_ID")), ("limit", NumberValue.Create(PageQuestion.MostLimit))]),
        _ => PageValue.Of(await run.ReadAsync(pid, name), run),
    };
}

/// <summary>The tenant's shared KVPs.</summary>
internal sealed class SharedValue(PageRun run) : NamedValue
{
    public override async ValueTask<FluidValue> GetValueAsync(string name, TemplateContext context) => PageValue.Of(await run.ReadAsync(0, name), run);
}

/// <summary>Who looks.</summary>
internal sealed class VisitorValue(PageReader reader) : NamedValue
{
    public override ValueTask<FluidValue> GetValueAsync(string name, TemplateContext context) =>
        new(name switch
        {
            "address" => reader.Address is { } address ? new StringValue(address) : NilValue.Instance,
            "groups" => new ArrayValue([.. (reader.Rights?.Groups ?? [AccessGroup.Public]).Select(group => new StringValue(group))]),
            _ => NilValue.Instance,
        });
}

/// <summary>What a template has captured: it was escaped when that was done.</summary>
internal sealed class Markup(string html) : NamedValue
{
    public string Html => html;

    public override FluidValues Type => FluidValues.String;

    public override string ToStringValue() => html;

    public override bool ToBooleanValue() => html.Length > 0;

    public override ValueTask<FluidValue> GetValueAsync(string name, TemplateContext context) => new(name == "size" ? NumberValue.Create(html.Length) : NilValue.Instance);
}
