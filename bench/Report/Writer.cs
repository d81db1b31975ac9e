using System.Globalization;
using System.Text;
using System.Text.Json;

namespace Eddy.Bench.Report;

/// <summary>Writes the sheet as a table for people and as JSON for programs, under the same name.</summary>
internal static class Writer
{
    private static readonly JsonSerializerOptions Readable = new(JsonSerializerOptions.Web)
    {
        WriteIndented = true,
        Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping,
    };

    /// <summary>The table's file.</summary>
    public static string Write(string folder, Machine machine, BenchPlan plan, Sheet sheet)
    {
        Directory.CreateDirectory(folder);
        var name = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{machine.At:yyyy-MM-dd}-{machine.Commit}"));
        File.WriteAllText(name + ".md", Markdown(machine, plan, sheet));
        File.WriteAllText(name + ".json", Json(machine, plan, sheet) + "\n");
        return name + ".md";
    }

    public static string Markdown(Machine machine, BenchPlan plan, Sheet sheet)
    {
        var text = new StringBuilder();
        text.Append(CultureInfo.InvariantCulture,
            $"""
            # Measured on {machine.At:yyyy-MM-dd}, {machine.Commit}

            {machine.Cpu}, {machine.Cores} cores, {machine.MemoryGiB:0.0} GiB, Linux {machine.Kernel}; {(machine.Postgres is { } postgres ? $"PostgreSQL {postgres}, " : "")}.NET {machine.DotNet}, Python {machine.Python}. Begun at {machine.At:HH:mm} UTC; before that, others
            kept {machine.BusyBefore:P0} of the machine busy. The load generator ran beside the product. {(plan.Rounds == 1 ? "One round" : $"Medians of {plan.Rounds} rounds")}. What each case means: [docs/benchmarks.md](../../docs/benchmarks.md).

            | case | figure | median | least – most | floor | ratio | aim | met | errors |
            | --- | --- | ---: | ---: | ---: | ---: | --- | --- | ---: |

            """);
        foreach (var line in sheet.Lines)
        {
            text.Append(CultureInfo.InvariantCulture,
                $"| {line.Case} | {line.Figure} | {Show(line, line.Median)} | {Show(line, line.Values.Min())} – {Show(line, line.Values.Max())} | {(line.Floor is { } floor ? Show(floor, floor.Median) : "")} | {line.Ratio:0.00} | {line.Aim} | {Met(line)} | {line.Errors} |\n");
        }

        if (sheet.Cpu.Count > 0)
        {
            text.Append("\nMicroseconds of CPU per event:\n\n| case | load | web | worker | zygote and cells | PostgreSQL | load generator | all else |\n| --- | --- | ---: | ---: | ---: | ---: | ---: | ---: |\n");
            foreach (var line in sheet.Cpu)
            {
                text.Append(CultureInfo.InvariantCulture,
                    $"| {line.Case} | {line.Load} | {line.Web:0.0} | {line.Worker:0.0} | {line.Cells:0.0} | {line.Postgres:0.0} | {line.Generator:0.0} | {line.Others:0.0} |\n");
            }
        }

        return text.ToString();
    }

    private static string Json(Machine machine, BenchPlan plan, Sheet sheet) => JsonSerializer.Serialize(
        new
        {
            machine,
            plan,
            lines = sheet.Lines.Select(line => new
            {
                line.Case,
                line.Figure,
                unit = UnitOf(line.Unit),
                line.Median,
                line.Values,
                floor = line.Floor?.Median,
                line.Ratio,
                aim = line.Aim?.ToString(),
                met = line.IsMet,
                line.Errors,
            }),
            cpuMicroseconds = sheet.Cpu,
        },
        Readable);

    private static string Met(Line line) => line.IsMet switch { true => "yes", false => "**no**", null => "" };

    private static string Show(Line line, double value) =>
        value.ToString(value >= 1000 ? "N0" : value >= 100 ? "0" : value >= 10 ? "0.0" : "0.00", CultureInfo.InvariantCulture) + " " + UnitOf(line.Unit);

    private static string UnitOf(Unit unit) => unit switch
    {
        Unit.PerSecond => "/s",
        Unit.Milliseconds => "ms",
        Unit.Microseconds => "µs",
        Unit.Megabytes => "MB",
        Unit.Bytes => "B",
        _ => "×",
    };
}
