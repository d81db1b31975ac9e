using System.Globalization;
using System.Net;
using System.Net.Http.Headers;
using System.Net.Http.Json;
using System.Text.Json;

namespace Eddy.Client.Server;

/// <summary>The HTTP API of one tenant. What it refuses comes as a <see cref="ClientFault"/> in the server's words.</summary>
public sealed class EddyApi : IDisposable
{
    private const int MostAnswer = 256 << 20;

    private const int MostAttempts = 4;

    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    private readonly HttpClient _http;

    public EddyApi(Login login)
    {
        Login = login;
        // A key goes where it was meant for and nowhere else.
        var way = new SocketsHttpHandler { AllowAutoRedirect = false, ConnectTimeout = TimeSpan.FromSeconds(10), AutomaticDecompression = DecompressionMethods.All };
        _http = new HttpClient(way) { BaseAddress = new Uri(login.Address), MaxResponseContentBufferSize = MostAnswer, Timeout = TimeSpan.FromMinutes(5) };
        try
        {
            _http.DefaultRequestHeaders.Authorization = new AuthenticationHeaderValue("Bearer", login.Key);
        }
        catch (FormatException)
        {
            throw new ClientFault("This is no key: a key begins with eddy_ and has no spaces.", ClientFault.Usage);
        }

        _http.DefaultRequestHeaders.UserAgent.Add(new ProductInfoHeaderValue("eddy", typeof(EddyApi).Assembly.GetName().Version!.ToString(3)));
    }

    public Login Login { get; }

    public Task<MeAnswer> MeAsync(CancellationToken cancel) => GetAsync<MeAnswer>("/api/me", cancel);

    public Task<TreeAnswer> TreeAsync(CancellationToken cancel) => GetAsync<TreeAnswer>("/api/tree", cancel);

    public Task<TreeChangedAnswer> ChangeTreeAsync(TreeBody body, long version, bool dry, CancellationToken cancel) =>
        SendAsync<TreeChangedAnswer>(HttpMethod.Post, dry ? "/api/tree?dry=true" : "/api/tree", JsonContent.Create(body, options: JsonSerializerOptions.Web), cancel, ("If-Match", $"\"{version}\""));

    public Task<byte[]> FileAsync(string path, CancellationToken cancel) => BytesAsync("/api/files/" + string.Join('/', path.Split('/').Select(Uri.EscapeDataString)), cancel);

    public Task<byte[]> AppAsync(CancellationToken cancel) => BytesAsync("/api/app", cancel);

    public Task<PlanAnswer> PlanAsync(byte[] zip, CancellationToken cancel) => SendAsync<PlanAnswer>(HttpMethod.Post, "/api/app/plan", Zip(zip), cancel);

    public Task<ImportAnswer> ImportAsync(byte[] zip, long tree, CancellationToken cancel) => SendAsync<ImportAnswer>(HttpMethod.Post, "/api/app", Zip(zip), cancel, ("If-Match", $"\"{tree}\""));

    public Task<RunListAnswer> RunsAsync(string query, CancellationToken cancel) => GetAsync<RunListAnswer>("/api/runs?" + query, cancel);

    public Task<RunDetail> RunAsync(long id, CancellationToken cancel) => GetAsync<RunDetail>(string.Create(CultureInfo.InvariantCulture, $"/api/runs/{id}"), cancel);

    /// <summary>Null where the time is up before all has settled.</summary>
    public async Task<(SettledAnswer Answer, bool Settled)> SendEventAsync(HttpContent body, long? pid, int seconds, CancellationToken cancel)
    {
        using var answer = await AskAsync(
            HttpMethod.Post, pid is null ? "/in" : string.Create(CultureInfo.InvariantCulture, $"/in?pid={pid}"), body, cancel,
            ("Prefer", string.Create(CultureInfo.InvariantCulture, $"wait={seconds}")), ("Idempotency-Key", Guid.NewGuid().ToString()));
        return (await ReadAsync<SettledAnswer>(answer, cancel), answer.StatusCode == HttpStatusCode.OK);
    }

    public Task<DryRunAnswer> DryRunAsync(DryRunBody body, CancellationToken cancel) => SendAsync<DryRunAnswer>(HttpMethod.Post, "/api/dry-run", JsonContent.Create(body, options: JsonSerializerOptions.Web), cancel);

    public Task<TestsAnswer> TestsAsync(TestsBody body, CancellationToken cancel) => SendAsync<TestsAnswer>(HttpMethod.Post, "/api/tests", JsonContent.Create(body, options: JsonSerializerOptions.Web), cancel);

    public void Dispose() => _http.Dispose();

    private static ByteArrayContent Zip(byte[] zip) => new(zip) { Headers = { ContentType = new MediaTypeHeaderValue("application/zip") } };

    private Task<T> GetAsync<T>(string path, CancellationToken cancel) => SendAsync<T>(HttpMethod.Get, path, null, cancel);

    private async Task<T> SendAsync<T>(HttpMethod method, string path, HttpContent? body, CancellationToken cancel, params (string Name, string Value)[] headers)
    {
        using var answer = await AskAsync(method, path, body, cancel, headers);
        return await ReadAsync<T>(answer, cancel);
    }

    private async Task<byte[]> BytesAsync(string path, CancellationToken cancel)
    {
        using var answer = await AskAsync(HttpMethod.Get, path, null, cancel);
        return await answer.Content.ReadAsByteArrayAsync(cancel);
    }

    /// <summary>A server that can not take it now may a moment later. Nothing is done twice: what changes something says by a version or a key of its own what it changes.</summary>
    private async Task<HttpResponseMessage> AskAsync(HttpMethod method, string path, HttpContent? body, CancellationToken cancel, params (string Name, string Value)[] headers)
    {
        for (var attempt = 1; ; attempt++)
        {
            var answer = await AskOnceAsync(method, path, body, headers, cancel);
            if (answer.IsSuccessStatusCode)
            {
                return answer;
            }

            using (answer)
            {
                if (answer.StatusCode != HttpStatusCode.ServiceUnavailable || attempt == MostAttempts)
                {
                    throw await FaultAsync(answer, cancel);
                }
            }

            await Task.Delay(Pause, cancel);
        }
    }

    private async Task<HttpResponseMessage> AskOnceAsync(HttpMethod method, string path, HttpContent? body, (string Name, string Value)[] headers, CancellationToken cancel)
    {
        var request = new HttpRequestMessage(method, path) { Content = body };
        foreach (var (name, value) in headers)
        {
            request.Headers.TryAddWithoutValidation(name, value);
        }

        try
        {
            return await _http.SendAsync(request, cancel);
        }
        catch (Exception fault) when (fault is HttpRequestException or TimeoutException || fault is OperationCanceledException && !cancel.IsCancellationRequested)
        {
            throw new ClientFault($"{Login.Address} does not answer: {fault.GetBaseException().Message}", ClientFault.NoAnswer);
        }
    }

    private async Task<ClientFault> FaultAsync(HttpResponseMessage answer, CancellationToken cancel)
    {
        if ((int)answer.StatusCode is >= 300 and < 400)
        {
            return new ClientFault($"{Login.Address} points to {answer.Headers.Location?.ToString() ?? "another address"}: log in there instead, if that is meant.");
        }

        ProblemAnswer? problem = null;
        if (answer.Content.Headers.ContentType?.MediaType == "application/problem+json")
        {
            try
            {
                problem = await answer.Content.ReadFromJsonAsync<ProblemAnswer>(JsonSerializerOptions.Web, cancel);
            }
            catch (JsonException)
            {
                // Said below.
            }
        }

        var message = problem?.Detail ?? problem?.Title;
        return answer.StatusCode switch
        {
            HttpStatusCode.Unauthorized => new ClientFault($"{Login.Address} does not take the key: {message ?? "it is not known."} Try: eddy login {Login.Address}"),
            _ when message is null => new ClientFault($"{Login.Address} answers {(int)answer.StatusCode}, and not as an Eddy would{(answer.StatusCode == HttpStatusCode.NotFound ? "; it may be an older one" : "")}."),
            HttpStatusCode.ServiceUnavailable => new ClientFault(message, ClientFault.NoAnswer),
            HttpStatusCode.PreconditionFailed => new ClientFault($"Somebody saved meanwhile, and nothing was done: {message} Look at what they did (eddy status), and try again.") { IsStale = true },
            _ => new ClientFault(message, ClientFault.Failed, problem!.Errors?.Select(error => error.Detail).ToList()),
        };
    }

    private async Task<T> ReadAsync<T>(HttpResponseMessage answer, CancellationToken cancel)
    {
        try
        {
            return await answer.Content.ReadFromJsonAsync<T>(JsonSerializerOptions.Web, cancel) ?? throw new JsonException("null");
        }
        catch (JsonException)
        {
            throw new ClientFault($"{Login.Address} answers with what this client can not read; is it an Eddy of the same age?");
        }
    }
}
