using Eddy.Egress;

namespace Eddy.Hindsight;

/// <summary>Answers the calls of a dry run from the record of the run of then, each once; what was not called then is refused. Nothing goes out.</summary>
internal sealed class KeptAnswers(IReadOnlyList<CallRecord> records)
{
    private readonly List<CallRecord> _left = [.. records];
    private readonly List<DryCall> _made = [];

    public IReadOnlyList<DryCall> Made => _made;

    public Task<CallAnswer> CallAsync(CallRequest request, CancellationToken cancel)
    {
        var known = _left.FirstOrDefault(record => record is { Status: not null, Answer: { } answer } && answer.IsTo(request));
        _made.Add(new DryCall(request.Method, request.Url, known?.Status));
        if (known is null)
        {
            return Task.FromResult(CallAnswer.Of(new CallFault(CallFaults.Refused, "A dry run calls nobody, and there is no answer on record: this was not called then, or the answer was too long to be kept.")));
        }

        _left.Remove(known);
        return Task.FromResult(known.Answer!.Given(known.Status!.Value));
    }
}
