using Eddy.Tenants;

namespace Eddy.Egress;

/// <summary>
/// The calls of a run that may have to be done again: what was answered the time before is answered again as long as it calls the same, and not called out a second time. One run at a time.
/// </summary>
public sealed class RecordedCalls
{
    /// <summary>So many bytes of answers are kept; what goes beyond is asked for again.</summary>
    private const long MostKept = 16 << 20;

    /// <summary>Of calls that are withheld no more are recorded: there is no end to what a run may ask.</summary>
    private const int MostWithheld = 100;

    private readonly List<(CallRequest Request, CallAnswer Answer, CallRecord Record)> _answers = [];
    private long _kept;
    private int _next;

    /// <summary>The calls of this time, those included that were answered from the record.</summary>
    public CallTrail Trail { get; private set; } = new();

    /// <summary>The run begins, for the first time or again.</summary>
    public void Begin() => (_next, Trail) = (0, new CallTrail());

    /// <param name="missed">Called before a call goes out whose answer is not on record.</param>
    public async Task<CallAnswer> CallAsync(OutgoingCalls calls, TenantId tenant, CallRequest request, Action? missed, CancellationToken cancel)
    {
        if (Again(request) is { } known)
        {
            return known;
        }

        missed?.Invoke();
        var before = Trail.Records.Count;
        var answer = await calls.CallAsync(tenant, request, Trail, cancel);
        if (Trail.Records is var records && records.Count > before)
        {
            Keep(request, answer, records[^1]);
        }

        return answer;
    }

    /// <summary>Makes no call, and answers so.</summary>
    /// <param name="why">A sentence for the tenant.</param>
    public CallAnswer Withhold(CallRequest request, string why)
    {
        if (Trail.Begin(MostWithheld))
        {
            var url = Uri.TryCreate(request.Url, UriKind.Absolute, out var absolute) ? absolute : null;
            Trail.Record(new CallRecord(Cut(request.Method, 32), Cut(url?.Host ?? "", 253), Cut(url?.AbsolutePath ?? "", 500), null, 0, 0, 0, CallFaults.Refused, []));
        }

        return CallAnswer.Of(new CallFault(CallFaults.Refused, why));

        static string Cut(string text, int most) => text.Length > most ? text[..most] : text;
    }

    private CallAnswer? Again(CallRequest request)
    {
        if (_next < _answers.Count && IsSame(_answers[_next].Request, request))
        {
            var (_, answer, record) = _answers[_next++];
            Trail.Replay(request, answer, record);
            return answer;
        }

        _answers.RemoveRange(_next, _answers.Count - _next);
        return null;
    }

    private void Keep(CallRequest request, CallAnswer answer, CallRecord record)
    {
        _kept += request.Body.Length + answer.Body.Length;
        // A call that is not kept is never the same again.
        _answers.Add(_kept <= MostKept ? (request, answer, record) : (request with { Method = "" }, answer with { Body = default }, record));
        _next = _answers.Count;
    }

    private static bool IsSame(CallRequest one, CallRequest other) =>
        one.Method == other.Method && one.Url == other.Url && one.Headers.SequenceEqual(other.Headers) && one.Body.Span.SequenceEqual(other.Body.Span);
}
