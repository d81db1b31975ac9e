using System.Globalization;
using System.Text.Json;
using Eddy.Client.Server;

namespace Eddy.Client.Runs;

/// <summary>A run as people read it: what it was, what it changed, whom it told, what it printed, what went wrong.</summary>
public sealed class RunPrinter(Terminal terminal)
{
    private const int MostValue = 200;

    /// <summary>One of a list, with its moment.</summary>
    public void PrintOne(RunDetail run)
    {
        terminal.Print($"{terminal.Dim(run.At.ToLocalTime().ToString("HH:mm:ss", CultureInfo.InvariantCulture))} {Head(run)} {terminal.Dim($"process {run.Pid}, run {run.Id}")}");
        PrintRest(run, "  ");
    }

    public string Head(RunDetail run) => Head(string.Join(", ", run.Rules), run.Outcome, run.Milliseconds);

    public string Head(string rule, string outcome, double milliseconds) => outcome switch
    {
        "ran" => $"{terminal.Green("✓")} {Terminal.Line(rule)}  {terminal.Dim(Terminal.Took(milliseconds))}",
        "no" => terminal.Dim($"· {Terminal.Line(rule)}  check said no"),
        _ => $"{terminal.Red("✗")} {Terminal.Line(rule)}  {terminal.Red(Terminal.Line(outcome))}  {terminal.Dim(Terminal.Took(milliseconds))}",
    };

    /// <summary>All but the changes, which a cascade prints with what they led to.</summary>
    public void PrintTold(string? log, RunErrorAnswer? error, EffectsAnswer? effects, string indent)
    {
        foreach (var mail in effects?.Mails ?? [])
        {
            terminal.Print($"{indent}{terminal.Dim("mail to")} {Terminal.Line(string.Join(", ", mail.To))}: {Terminal.Line(mail.Subject ?? "")}{(mail.State is null ? "" : terminal.Dim($"  {Terminal.Line(mail.State)}"))}");
        }

        foreach (var card in effects?.Cards ?? [])
        {
            terminal.Print($"{indent}{terminal.Dim("card")} {Terminal.Line(card.Name)}{(card.User is null ? "" : $" {terminal.Dim("for")} {Terminal.Line(card.User)}")}");
        }

        foreach (var line in Lines(log))
        {
            terminal.Print($"{indent}{terminal.Dim("|")} {line}");
        }

        if (error is not null)
        {
            PrintError(error, indent);
        }
    }

    public void PrintError(RunErrorAnswer error, string indent)
    {
        var place = error.File is null ? "" : $"{Terminal.Line(error.File)}{(error.Line is { } line ? $":{line}" : "")}: ";
        terminal.Print($"{indent}{place}{terminal.Red($"{Terminal.Line(error.Kind)}: {Terminal.Line(error.Message)}")}");
        foreach (var traced in Lines(error.Traceback))
        {
            terminal.Print($"{indent}{terminal.Dim(traced)}");
        }
    }

    public void PrintChange(string key, JsonElement? value, long? pid, string indent) =>
        terminal.Print($"{indent}{(pid is null ? "" : terminal.Dim(pid == 0 ? "shared." : $"{pid}."))}{Terminal.Line(key)} {(value is null ? terminal.Dim("removed") : $":= {Short(value.Value)}")}");

    public void PrintCalls(JsonElement? calls, string indent)
    {
        foreach (var call in calls is { ValueKind: JsonValueKind.Array } list ? list.EnumerateArray() : default)
        {
            terminal.Print($"{indent}{terminal.Dim("called")} {Terminal.Line($"{Text(call, "method")} {Text(call, "host")}{Text(call, "path")} {Text(call, "status")}{(Text(call, "fault") is { Length: > 0 } fault ? $" {fault}" : "")}")}");
        }

        static string Text(JsonElement call, string name) => call.ValueKind == JsonValueKind.Object && call.TryGetProperty(name, out var value) && value.ValueKind != JsonValueKind.Null ? value.ToString() : "";
    }

    /// <summary>A value on one line.</summary>
    public static string Short(JsonElement value)
    {
        var text = Terminal.Line(value.ValueKind == JsonValueKind.String ? JsonSerializer.Serialize(value.GetString(), Readable) : value.GetRawText());
        return text.Length > MostValue ? text[..MostValue] + "…" : text;
    }

    private static readonly JsonSerializerOptions Readable = new() { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    private void PrintRest(RunDetail run, string indent)
    {
        foreach (var change in run.Changes)
        {
            PrintChange(change.Key, change.Deleted ? null : change.Value, change.Pid == run.Pid ? null : change.Pid, indent);
        }

        PrintCalls(run.Calls, indent);
        PrintTold(run.Log, run.Error, run.Effects, indent);
    }

    private static string[] Lines(string? text) => string.IsNullOrEmpty(text) ? [] : Terminal.Clean(text.ReplaceLineEndings("\n")).TrimEnd('\n').Split('\n');
}
