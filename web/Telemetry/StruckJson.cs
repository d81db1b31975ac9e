using Serilog.Events;
using Serilog.Formatting;
using Serilog.Formatting.Compact;

namespace Eddy.Telemetry;

/// <summary>A log line as JSON, without secrets, wherever in it they were: the framework adds the path of the request to every line.</summary>
public sealed class StruckJson : ITextFormatter
{
    private static readonly RenderedCompactJsonFormatter Json = new();

    public void Format(LogEvent logEvent, TextWriter output)
    {
        using var line = new StringWriter();
        Json.Format(logEvent, line);
        output.Write(SecretText.Strike(line.ToString()));
    }
}
