using System.Diagnostics.Metrics;

namespace Eddy.Egress;

/// <summary>What outgoing calls are counted by. One for the process, whoever calls.</summary>
internal static class EgressMeters
{
    public const string Name = "Eddy.Egress";

    private static readonly Meter Meter = new(Name);
    private static readonly Counter<long> Calls = Meter.CreateCounter<long>("eddy_calls", description: "Outgoing calls, by the kind of their fault, or none.");
    private static readonly Counter<long> Bytes = Meter.CreateCounter<long>("eddy_call_bytes", "By", "Bodies of outgoing calls, by direction.");
    private static readonly Histogram<double> Time = Meter.CreateHistogram<double>("eddy_call", "s", "How long outgoing calls took.");

    public static void Count(CallRecord record)
    {
        Calls.Add(1, new KeyValuePair<string, object?>("fault", record.Fault ?? "none"));
        Bytes.Add(record.BytesOut, new KeyValuePair<string, object?>("direction", "out"));
        Bytes.Add(record.BytesIn, new KeyValuePair<string, object?>("direction", "in"));
        Time.Record(record.Milliseconds / 1000);
    }
}
