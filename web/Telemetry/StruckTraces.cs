using System.Diagnostics;
using OpenTelemetry;

namespace Eddy.Telemetry;

/// <summary>Strikes secrets out of spans before they are exported.</summary>
public sealed class StruckTraces : BaseProcessor<Activity>
{
    public override void OnEnd(Activity data)
    {
        if (SecretText.Strike(data.DisplayName) is var name && name != data.DisplayName)
        {
            data.DisplayName = name;
        }

        foreach (var (key, value) in data.TagObjects.ToArray())
        {
            if (value is string text && SecretText.Strike(text) is var struck && struck != text)
            {
                data.SetTag(key, struck);
            }
        }
    }
}
