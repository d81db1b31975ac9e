using System.Globalization;
using System.Text;
using Eddy.Kvps;
using Fluid.Values;

namespace Eddy.Pages;

/// <summary>
/// Draws a chart as SVG, on the server: <c>{% chart readings key: "temperature" title: "The last readings" %}</c> has the values of a key over a list of processes, in the order of their numbers;
/// <c>{% chart process key: "temperature" %}</c> the last values that one process had. Below it the same as a table, for whoever does not see it.
/// </summary>
internal static class PageChart
{
    private const int Points = 60;
    private const int MostPoints = 200;
    private const int Width = 640;
    private const int Left = 52;
    private const int Right = 12;
    private const int Top = 12;
    private const int Bottom = 26;

    public static async ValueTask<string> DrawAsync(PageRun run, FluidValue of, IReadOnlyList<(string Name, FluidValue Value)> arguments)
    {
        string? Text(string name) => arguments.FirstOrDefault(one => one.Name == name).Value is { } value and not NilValue ? PageValue.Text(value) : null;
        int Number(string name, int otherwise, int least, int most) => arguments.FirstOrDefault(one => one.Name == name).Value is { Type: FluidValues.Number } value ? (int)Math.Clamp(value.ToNumberValue(), least, most) : otherwise;

        if (arguments.FirstOrDefault(one => one.Name is not ("key" or "title" or "last" or "height" or "unit" or "type")).Name is { } other)
        {
            throw new PageFault($"chart takes key, title, last, unit, height and type; not {other}.");
        }

        var key = Text("key") ?? throw new PageFault("chart takes the key whose values it shows, as in key: \"temperature\".");
        var last = Number("last", Points, 2, MostPoints);
        var points = of switch
        {
            ProcessValue process => await OfHistoryAsync(run, process.Pid, key, last),
            ArrayValue list => await OfListAsync(run, list, key, last),
            NilValue => [],
            _ => throw new PageFault("chart is of a process, or of a list of processes."),
        };
        return Draw(points, Text("title") ?? key, Text("unit") ?? "", Number("height", 220, 80, 600), Text("type") == "bars");
    }

    /// <summary>The drawing and its table. Whatever is text is escaped here.</summary>
    internal static string Draw(IReadOnlyList<(string Label, double Value)> points, string title, string unit, int height, bool isBars)
    {
        var html = new StringBuilder("<figure class=\"eddy-chart\">");
        var (shown, safeUnit) = (HtmlWriter.Escaped(title), HtmlWriter.Escaped(unit));
        if (points.Count == 0)
        {
            return html.Append(CultureInfo.InvariantCulture, $"<figcaption>{shown}</figcaption><p>There are no values yet.</p></figure>").ToString();
        }

        var (least, most) = (points.Min(point => point.Value), points.Max(point => point.Value));
        var (bottom, top, step) = Scale(isBars ? Math.Min(0, least) : least, isBars ? Math.Max(0, most) : most);
        var said = HtmlWriter.Escaped(points.Count == 1 ? $"1 value, {Figure(least)}{unit}." : string.Create(CultureInfo.InvariantCulture, $"{points.Count} values from {Figure(least)} to {Figure(most)}{unit}, the last {Figure(points[^1].Value)}{unit}."));
        html.Append(CultureInfo.InvariantCulture, $"<svg viewBox=\"0 0 {Width} {height}\" role=\"img\" aria-label=\"{shown}. {said}\"><title>{shown}</title><desc>{said}</desc>");
        double Y(double value) => height - Bottom - ((value - bottom) / (top - bottom) * (height - Top - Bottom));
        double X(int i) => points.Count == 1 ? (Left + Width - Right) / 2.0 : Left + (i / (points.Count - 1.0) * (Width - Left - Right));
        for (var i = 0; i <= (int)Math.Round((top - bottom) / step); i++)
        {
            var value = bottom + (i * step);
            html.Append(CultureInfo.InvariantCulture, $"<line class=\"grid\" x1=\"{Left}\" x2=\"{Width - Right}\" y1=\"{Y(value):0.#}\" y2=\"{Y(value):0.#}\"/><text class=\"y\" x=\"{Left - 8}\" y=\"{Y(value) + 4:0.#}\" text-anchor=\"end\">{Figure(value)}{safeUnit}</text>");
        }

        if (isBars)
        {
            var width = Math.Max(1, (Width - Left - Right) / (double)points.Count * 0.8);
            for (var i = 0; i < points.Count; i++)
            {
                var x = Left + ((i + 0.5) / points.Count * (Width - Left - Right)) - (width / 2);
                var (from, to) = (Y(Math.Max(0, points[i].Value)), Y(Math.Min(0, points[i].Value)));
                html.Append(CultureInfo.InvariantCulture, $"<rect class=\"bar\" x=\"{x:0.#}\" y=\"{from:0.#}\" width=\"{width:0.#}\" height=\"{Math.Max(0.5, to - from):0.#}\"/>");
            }
        }
        else
        {
            html.Append("<polyline class=\"line\" points=\"").AppendJoin(' ', points.Select((point, i) => string.Create(CultureInfo.InvariantCulture, $"{X(i):0.#},{Y(point.Value):0.#}"))).Append("\"/>");
            html.Append(CultureInfo.InvariantCulture, $"<circle class=\"last\" cx=\"{X(points.Count - 1):0.#}\" cy=\"{Y(points[^1].Value):0.#}\" r=\"4\"/>");
        }

        html.Append(CultureInfo.InvariantCulture, $"<text class=\"x\" x=\"{Left}\" y=\"{height - 8}\">{HtmlWriter.Escaped(points[0].Label)}</text>");
        if (points.Count > 1)
        {
            html.Append(CultureInfo.InvariantCulture, $"<text class=\"x\" x=\"{Width - Right}\" y=\"{height - 8}\" text-anchor=\"end\">{HtmlWriter.Escaped(points[^1].Label)}</text>");
        }

        html.Append(CultureInfo.InvariantCulture, $"</svg><details><summary>{shown} as a table</summary><table><thead><tr><th scope=\"col\">At</th><th scope=\"col\">Value</th></tr></thead><tbody>");
        foreach (var (label, value) in points)
        {
            html.Append(CultureInfo.InvariantCulture, $"<tr><td>{HtmlWriter.Escaped(label)}</td><td>{Figure(value)}{safeUnit}</td></tr>");
        }

        return html.Append("</tbody></table></details></figure>").ToString();
    }

    private static async ValueTask<IReadOnlyList<(string, double)>> OfListAsync(PageRun run, ArrayValue list, string key, int last)
    {
        var points = new List<(long Pid, double Value)>();
        foreach (var process in list.Values.OfType<ProcessValue>())
        {
            if (Worth(await run.ReadAsync(process.Pid, key)) is { } value)
            {
                points.Add((process.Pid, value));
            }
        }

        // The newest stand at the right, however the list is ordered.
        return [.. points.OrderBy(point => point.Pid).TakeLast(last).Select(point => (string.Create(CultureInfo.InvariantCulture, $"process {point.Pid}"), point.Value))];
    }

    private static async ValueTask<IReadOnlyList<(string, double)>> OfHistoryAsync(PageRun run, long pid, string key, int last) =>
        [.. (await run.HistoryAsync(pid, key, last)).Select(one => (At: TimeZoneInfo.ConvertTime(one.At, run.Zone).ToString("HH:mm:ss", CultureInfo.InvariantCulture), Value: Worth(one.Value)))
            .Where(one => one.Value is not null).Select(one => (one.At, one.Value!.Value))];

    private static double? Worth(string? canonical) => canonical is not null && KvpLookup.Of(canonical).Num is { } number && double.IsFinite(number) && Math.Abs(number) < 1e15 ? number : null;

    private static string Figure(double value) => Math.Round(value, 6).ToString("0.######", CultureInfo.InvariantCulture);

    /// <summary>Round numbers around these two, four or five steps apart.</summary>
    private static (double Bottom, double Top, double Step) Scale(double least, double most)
    {
        var span = most - least;
        if (span <= Math.Abs(most) * 1e-9)
        {
            span = Math.Max(Math.Abs(most) * 0.1, 1);
            (least, most) = (least - (span / 2), most + (span / 2));
        }

        var rough = span / 4;
        var power = Math.Pow(10, Math.Floor(Math.Log10(rough)));
        var step = power * ((rough / power) switch { <= 1 => 1, <= 2 => 2, <= 5 => 5, _ => 10 });
        return (Math.Floor(least / step) * step, Math.Ceiling(most / step) * step, step);
    }
}
