using System.Text.Json;
using Eddy.Files;
using Eddy.Hindsight;
using Eddy.Keys;
using Eddy.Kvps;
using Eddy.Problems;
using Eddy.Sandbox;
using Eddy.Tenants;

namespace Eddy.Api;

/// <summary>Running tests over HTTP.</summary>
public static class TestsApi
{
    // A tree that somebody has at home.
    private const int MostFiles = 2000;
    private const int MostBytes = 16 << 20;

    public static void MapTests(this IEndpointRouteBuilder api) =>
        api.MapPost("/tests", RunAsync).WithTags("Hindsight").RequireScope(Scope.Write)
            .Accepts<TestsBody>("application/json", ApiDescription.AnyType)
            .WithName("RunTests").WithSummary("Run tests")
            .WithDescription(
                "Runs the functions named test_… of the files tests/test_….py over the files in force. 'files' are laid over them first, so that a draft is tested before it is saved; one whose 'text' is null counts as deleted. 'path' runs the tests of one file alone. "
                + "Nothing of it is in force: tests have processes of their own, and what their rules send and call goes nowhere. 'faults' are files that do not load.")
            .Produces<TestsAnswer>().Refuses(400, 401, 403, 413, 503)
            .WithExample(
                """{"path":"tests/test_heat.py"}""",
                """{"passed":1,"failed":1,"milliseconds":31,"tests":[{"path":"tests/test_heat.py","name":"test_a_hot_room_is_told","line":1,"passed":true,"message":null,"failedAt":null,"at":null,"log":"","milliseconds":2},{"path":"tests/test_heat.py","name":"test_a_cool_one_is_not","line":6,"passed":false,"message":"room.alert is None: room.alert is 'Too hot'","failedAt":9,"at":null,"log":"","milliseconds":1}],"faults":[]}""");

    private static async Task<IResult> RunAsync(HttpContext context, RuleTester tester, WebOptions options, TimeProvider time, CancellationToken cancel)
    {
        var holder = context.Holder();
        if (await RequestBody.ReadAsync(context.Request, MostBytes, cancel) is not { } content)
        {
            return new Problem(ProblemType.BodyTooLarge, $"Files to be tested have at most {MostBytes} bytes together.");
        }

        TestsBody? body;
        try
        {
            body = content.Length == 0 ? new TestsBody(null, null) : JsonSerializer.Deserialize<TestsBody>(content, JsonSerializerOptions.Web);
        }
        catch (JsonException e)
        {
            return new Problem(ProblemType.InvalidRequest, KvpValue.MalformedJson(e));
        }

        if (Fault(body, options.FileBytes) is { } fault)
        {
            return new Problem(ProblemType.InvalidRequest, fault);
        }

        try
        {
            var started = time.GetTimestamp();
            var ran = await tester.RunAsync(holder.Tenant, holder.TimeZone, [.. (body!.Files ?? []).Select(file => new Draft(file.Path!, file.Text))], body.Path, cancel);
            return Results.Ok(TestsAnswer.Of(ran, time.GetElapsedTime(started)));
        }
        catch (SandboxUnavailable unavailable)
        {
            return new Problem(ProblemType.Unavailable, $"The tests can not be run now: {unavailable.Message}");
        }
    }

    private static string? Fault(TestsBody? body, int mostText)
    {
        if (body is null)
        {
            return "The body is an object, as {\"path\": \"tests/test_heat.py\"}.";
        }

        if (body.Path is { } path && !FilePath.IsTest(path))
        {
            return "'path' is that of a file of tests, as tests/test_heat.py.";
        }

        if (body.Files is not { } files)
        {
            return null;
        }

        if (files.Count > MostFiles)
        {
            return $"'files' has at most {MostFiles} files.";
        }

        var paths = new HashSet<string>(StringComparer.Ordinal);
        foreach (var file in files)
        {
            var fault = file?.Path is not { } one ? "each of 'files' has a 'path' and a 'text'."
                : FilePath.Fault(one) is { } wrong && one != FilePath.Lock ? $"{one}: {wrong}"
                : !paths.Add(one) ? $"{one} is there twice."
                : file.Text is { } text && (System.Text.Encoding.UTF8.GetByteCount(text) > mostText || text.Contains('\0', StringComparison.Ordinal)) ? $"{one} has at most {mostText} bytes and no NUL."
                : null;
            if (fault is not null)
            {
                return fault;
            }
        }

        return null;
    }
}

/// <summary>Which tests to run, on what.</summary>
/// <param name="Files">Laid over the files in force.</param>
/// <param name="Path">The tests of this file alone.</param>
public sealed record TestsBody(IReadOnlyList<TestsFile>? Files, string? Path);

/// <summary>A file as it would be.</summary>
/// <param name="Text">Null where it would be gone.</param>
public sealed record TestsFile(string? Path, string? Text);

/// <summary>What came of tests.</summary>
/// <param name="Milliseconds">All together, with the loading of the files.</param>
public sealed record TestsAnswer(int Passed, int Failed, long Milliseconds, IReadOnlyList<TestAnswer> Tests, IReadOnlyList<TestFaultAnswer> Faults)
{
    internal static TestsAnswer Of(RanTests ran, TimeSpan took) => new(
        ran.Passed, ran.Failed, (long)took.TotalMilliseconds,
        [.. ran.Tests.Select(test => new TestAnswer(
            test.Path, test.Name, test.FirstLine, test.Passed, test.Message, test.Line, test.Place is var (file, line) ? new TestPlaceAnswer(file, line) : null, test.Log, (long)test.Took.TotalMilliseconds))],
        [.. ran.Faults.Select(fault => new TestFaultAnswer(fault.File, fault.Line, fault.Message))]);
}

/// <summary>A test that was run.</summary>
/// <param name="Name">Its function.</param>
/// <param name="Line">Where that begins.</param>
/// <param name="Message">Why it did not pass.</param>
/// <param name="FailedAt">The line of its file at which it failed.</param>
/// <param name="At">Where it failed, if that is in another file.</param>
/// <param name="Log">What it and its rules have printed.</param>
public sealed record TestAnswer(string Path, string Name, int Line, bool Passed, string? Message, int? FailedAt, TestPlaceAnswer? At, string Log, long Milliseconds);

/// <summary>A place in a file.</summary>
public sealed record TestPlaceAnswer(string File, int? Line);

/// <summary>A file that does not load.</summary>
public sealed record TestFaultAnswer(string Path, int? Line, string Message);
