using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;
using Eddy.Bench.Load;
using Eddy.Bench.Report;

namespace Eddy.Bench.Cases;

/// <summary>Why a check said no, for the newest and the oldest event of a long log, with what it read worked out again; and what an event takes. Once, for the log takes its time to be written.</summary>
internal sealed class WhyCase : ICase
{
    private bool _isMeasured;

    public string Name => "why";

    public void Measure(Stage stage)
    {
        if (_isMeasured)
        {
            return;
        }

        _isMeasured = true;
        var (tenant, kept) = (stage.Tenants(1, BenchRules.Heat)[0], stage.Plan.Kept);
        using var http = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{stage.Port}") };
        http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", tenant.Key);
        using var log = KeptLog.Write(stage.Db.Source, tenant.Id, kept);
        // What was never asked has to be compiled.
        Ask(kept / 2);
        var events = kept.ToString("N0", CultureInfo.InvariantCulture);
        Of($"why not, the newest of {events} events, slowest of {stage.Plan.Asked}", asked => kept - asked);
        Of($"why not, the oldest of {events} events, slowest of {stage.Plan.Asked}", asked => 1 + asked);
        var tried = Math.Min(100_000, kept);
        stage.Sheet.Line(Name, $"a backtest of {tried.ToString("N0", CultureInfo.InvariantCulture)} events, each of which wakes the draft", Unit.Milliseconds, aim: new Aim.AtMost(30_000)).Add(Backtest(tried));
        stage.Sheet.Line(Name, "an event with its indices", Unit.Bytes).Add(log.BytesPerEvent);
        stage.Sheet.Line(Name, "the record of a run with its indices", Unit.Bytes).Add(log.BytesPerRun);

        void Of(string what, Func<int, long> position)
        {
            var (slowest, errors) = (0.0, 0);
            for (var asked = 0; asked < stage.Plan.Asked; asked++)
            {
                var (took, isRight) = Ask(position(asked));
                (slowest, errors) = (Math.Max(slowest, took), errors + (isRight ? 0 : 1));
            }

            stage.Sheet.Line(Name, what, Unit.Milliseconds, aim: new Aim.AtMost(1000)).Add(slowest, errors);
        }

        double Backtest(long count)
        {
            var started = TimeProvider.System.GetTimestamp();
            var body = JsonSerializer.Serialize(new { path = "scripts/bench.py", text = BenchRules.Heat.Replace("> 90", "> 70", StringComparison.Ordinal), events = count });
            using var begun = JsonDocument.Parse(Send(HttpMethod.Post, "/api/backtests", body));
            while (true)
            {
                using var now = JsonDocument.Parse(Send(HttpMethod.Get, $"/api/backtests/{begun.RootElement.GetProperty("id").GetString()}", null));
                if (now.RootElement.GetProperty("result") is { ValueKind: JsonValueKind.Object } result)
                {
                    // Of 80 temperatures 9 are above 70.
                    return result.GetProperty("more").GetInt64() == result.GetProperty("draft").GetProperty("ran").GetInt64() && result.GetProperty("more").GetInt64() > count / 10
                        ? TimeProvider.System.GetElapsedTime(started).TotalMilliseconds : throw new BenchFault($"The backtest came to {result}.");
                }

                if (now.RootElement.GetProperty("stopped").ValueKind != JsonValueKind.Null)
                {
                    throw new BenchFault($"The backtest was stopped: {now.RootElement.GetProperty("stopped")}");
                }

                stage.Pause(TimeSpan.FromMilliseconds(100));
            }
        }

        string Send(HttpMethod method, string path, string? body)
        {
            using var request = new HttpRequestMessage(method, path) { Content = body is null ? null : new StringContent(body, System.Text.Encoding.UTF8, "application/json") };
            using var answer = http.Send(request, stage.Cancel);
            using var reader = new StreamReader(answer.Content.ReadAsStream(stage.Cancel));
            return reader.ReadToEnd();
        }

        (double Milliseconds, bool IsRight) Ask(long position)
        {
            var started = TimeProvider.System.GetTimestamp();
            using var request = new HttpRequestMessage(HttpMethod.Get, string.Create(CultureInfo.InvariantCulture, $"/api/why?event={position}&rule=high_temperature"));
            using var answer = http.Send(request, stage.Cancel);
            using var json = JsonDocument.Parse(answer.Content.ReadAsStream(stage.Cancel));
            var took = TimeProvider.System.GetElapsedTime(started).TotalMilliseconds;
            return (took, json.RootElement.TryGetProperty("why", out var why) && why.GetProperty("verdict").GetString() == $"high_temperature was woken, and its check said no: self.temperature {position % 80} > 90."
                && why.GetProperty("check").GetProperty("differs").ValueKind == JsonValueKind.Null);
        }
    }
}
