using System.IO.Compression;
using Eddy.Keys;
using Eddy.Problems;
using Eddy.Tenants;
using Microsoft.AspNetCore.Http.Features;

namespace Eddy.Git;

/// <summary>
/// A tenant's files as a git remote, by git's HTTP protocol. Fetching is git's own work; of a push the few lines around its pack are read here, so that nothing is the repository's before the
/// database has it.
/// </summary>
public static class GitApi
{
    private const string Upload = "git-upload-pack", Receive = "git-receive-pack";

    // What a client has and wants. It is asked again for each part of a long history.
    private const int MostAsked = 8 << 20;

    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    public static void AddGit(this IServiceCollection services) =>
        services.AddSingleton<GitStore>().AddSingleton<GitCache>().AddSingleton<PushDesk>().AddSingleton(all => new GitSeats(all.GetRequiredService<GitOptions>(), all.GetRequiredService<TimeProvider>()));

    public static void MapGit(this IEndpointRouteBuilder app)
    {
        var git = app.MapGroup("/git/{slug}.git").TakeKeyFromPassword().ExcludeFromDescription();
        git.MapGet("/info/refs", RefsAsync).RequireScope(Scope.Read).RequirePerson(PersonKind.Anybody);
        git.MapPost($"/{Upload}", UploadAsync).RequireScope(Scope.Read).RequirePerson(PersonKind.Anybody);
        git.MapPost($"/{Receive}", ReceiveAsync).RequireScope(Scope.Write);
    }

    private static Task<IResult> RefsAsync(HttpContext context, string slug, string? service, GitCache cache, GitSeats seats, CancellationToken cancel) =>
        AnswerAsync(context, slug, cache, seats, async (repository, cancel) =>
        {
            var holder = context.Holder();
            if (service == Receive && (!holder.May(Scope.Write) || !context.Access().MayChangeRules))
            {
                return new PlainProblem(403, holder.May(Scope.Write)
                    ? $"{holder.Actor} may not push: it takes an owner or an editor of the tenant, or one of admins."
                    : $"The key '{holder.Name}' lacks the scope '{Scope.Write}', so it fetches and does not push.");
            }

            if (service is not (Upload or Receive))
            {
                return new PlainProblem(403, "This is a git remote: use it with git clone, fetch, pull and push.");
            }

            var head = await repository.SyncAsync(cancel);
            Begin(context, $"application/x-{service}-advertisement");
            var body = context.Response.Body;
            var protocol = service == Upload ? Protocol(context.Request) : null;
            if (protocol != "version=2")
            {
                await body.WriteAsync(PacketLine.Of($"# service={service}\n"), cancel);
                await body.WriteAsync(PacketLine.Flush.ToArray(), cancel);
            }

            if (service == Receive)
            {
                await body.WriteAsync(PacketLine.Of($"{head.Tip ?? RefCommand.None} {(head.Tip is null ? "capabilities^{}" : RefCommand.Main)}\0{RefCommand.Capabilities}\n"), cancel);
                await body.WriteAsync(PacketLine.Flush.ToArray(), cancel);
                return Results.Empty;
            }

            await using var git = repository.Start(null, protocol, "upload-pack", "--strict", "--stateless-rpc", "--advertise-refs", ".");
            return await HandOnAsync(context, repository, git, Task.CompletedTask, cancel);
        }, cancel);

    private static Task<IResult> UploadAsync(HttpContext context, string slug, GitCache cache, GitSeats seats, CancellationToken cancel) =>
        AnswerAsync(context, slug, cache, seats, async (repository, cancel) =>
        {
            await repository.SyncAsync(cancel);
            Accept(context, MostAsked);
            await using var asked = Body(context.Request);
            await using var git = repository.Start(null, Protocol(context.Request), "upload-pack", "--strict", "--stateless-rpc", ".");
            var feed = FeedAsync(asked, git, MostAsked, cancel);
            Begin(context, $"application/x-{Upload}-result");
            return await HandOnAsync(context, repository, git, feed, cancel);
        }, cancel);

    private static Task<IResult> ReceiveAsync(HttpContext context, string slug, GitCache cache, GitSeats seats, PushDesk desk, GitOptions options, CancellationToken cancel) =>
        AnswerAsync(context, slug, cache, seats, async (repository, cancel) =>
        {
            // More than may be is heard out, so that whoever sent it reads why it is not taken; and far more is not.
            Accept(context, 4L * options.PushBytes);
            await using var sent = Body(context.Request);
            var (commands, isBanded) = await RefCommand.ReadAllAsync(sent, cancel);
            Begin(context, $"application/x-{Receive}-result");
            if (commands.Count == 0)
            {
                // What git sends first, to see whether it may.
                return Results.Empty;
            }

            await repository.SyncAsync(cancel);
            var beside = repository.MakeBeside();
            try
            {
                var answer = new PushAnswer(context.Response.Body, isBanded);
                var fault = await UnpackAsync(repository, sent, beside, commands, options, cancel);
                answer.Unpacked(fault);
                foreach (var command in commands)
                {
                    var refused = fault is not null ? new PushRefused("not unpacked", [fault])
                        : command.Name != RefCommand.Main ? new PushRefused("is no branch here", [$"{command.Name} is not kept: the one branch is main."])
                        : commands.Count(one => one.Name == RefCommand.Main) > 1 ? new PushRefused("named twice", [$"{RefCommand.Main} is named twice."])
                        : await TakeAsync(desk, context, repository, command, beside, answer, cancel);
                    await answer.EndedAsync(command, refused, cancel);
                }

                await answer.EndAsync(cancel);
                return Results.Empty;
            }
            finally
            {
                Remove(beside);
            }
        }, cancel);

    private static async Task<PushRefused?> TakeAsync(PushDesk desk, HttpContext context, GitRepository repository, RefCommand command, string beside, PushAnswer answer, CancellationToken cancel)
    {
        try
        {
            var holder = context.Holder();
            await desk.TakeAsync(holder.Tenant, holder.Actor, repository, command, beside, sentence => answer.SayAsync(sentence, cancel), cancel);
            return null;
        }
        catch (PushRefused refused)
        {
            return refused;
        }
        catch (GitFault fault)
        {
            repository.Doubt();
            return new PushRefused("can not be read", [$"git can not read what was pushed: {fault.Message}"]);
        }
    }

    /// <summary>Why what was sent is no pack that can be had, in a sentence, or null.</summary>
    private static async Task<string?> UnpackAsync(GitRepository repository, Stream sent, string beside, IReadOnlyList<RefCommand> commands, GitOptions options, CancellationToken cancel)
    {
        if (commands.All(command => command.New == RefCommand.None))
        {
            return null;
        }

        await using var git = repository.Start(beside, null, "index-pack", "--stdin", "--fix-thin", "--strict", $"--max-input-size={options.PushBytes}");
        await FeedAsync(sent, git, 4L * options.PushBytes, cancel);
        await git.Output.CopyToAsync(Stream.Null, cancel);
        return await git.EndAsync(cancel) is not { } said ? null
            : said.Contains("maximum allowed size", StringComparison.Ordinal) ? $"A push has at most {options.PushBytes:N0} bytes."
            : $"git can not take what was pushed: {said.ReplaceLineEndings(" ")}";
    }

    /// <summary>Hands on what was sent, and reads the rest of it where git reads no more.</summary>
    /// <exception cref="GitRequestFault">It is more than that, once it is unpacked.</exception>
    private static async Task FeedAsync(Stream from, GitCommand git, long most, CancellationToken cancel)
    {
        try
        {
            try
            {
                await from.CopyAsync(git.Input, most, cancel);
            }
            catch (IOException) when (!cancel.IsCancellationRequested)
            {
                await from.CopyAsync(Stream.Null, most, cancel);
            }
        }
        catch (GitFault fault)
        {
            throw new GitRequestFault($"That is too much to send at once. {fault.Message}");
        }
        finally
        {
            // However it went: git would wait for the rest.
            git.CloseInput();
        }
    }

    private static async Task<IResult> AnswerAsync(HttpContext context, string slug, GitCache cache, GitSeats seats, Func<GitRepository, CancellationToken, Task<IResult>> answer, CancellationToken cancel)
    {
        var holder = context.Holder();
        if (!string.Equals(slug, holder.Slug, StringComparison.Ordinal))
        {
            return new PlainProblem(404, $"There is no repository {slug}.git for this key.");
        }

        GitLease? lease = null;
        var isIn = false;
        var isSeated = false;
        try
        {
            lease = cache.Open(holder.Tenant);
            isIn = await lease.Repository.Requests.WaitAsync(Patience, cancel);
            isSeated = isIn && await seats.Requests.WaitAsync(Patience, cancel);
            return isSeated ? await InTimeAsync(context, seats, lease.Repository, answer, cancel) : new PlainProblem(503, "Too many ask for repositories at once; try again.");
        }
        catch (GitFault fault) when (!context.Response.HasStarted)
        {
            return new PlainProblem(503, $"The repository can not be had now: {fault.Message}");
        }
        catch (Exception fault) when (fault is GitRequestFault or InvalidDataException && !context.Response.HasStarted)
        {
            return new PlainProblem(400, fault.Message);
        }
        finally
        {
            if (isSeated)
            {
                seats.Requests.Release();
            }

            if (isIn)
            {
                lease!.Repository.Requests.Release();
            }

            lease?.Dispose();
        }
    }

    /// <summary>Hands on what git answers.</summary>
    /// <param name="feed">What gives it what was asked.</param>
    private static async Task<IResult> HandOnAsync(HttpContext context, GitRepository repository, GitCommand git, Task feed, CancellationToken cancel)
    {
        try
        {
            await git.Output.CopyToAsync(context.Response.Body, cancel);
        }
        catch
        {
            // Whoever asked is gone: it may be because git has failed, which it tells them before it ends.
            repository.Doubt();
            // Nobody reads what was asked after the request.
            await feed.ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            throw;
        }

        await feed;
        if (await git.EndAsync(CancellationToken.None) is { } said)
        {
            repository.Doubt();
            // Half an answer must not look like a whole one.
            return context.Response.HasStarted ? Abort(context) : throw new GitFault(said);
        }

        return Results.Empty;
    }

    /// <summary>Whoever sends slowly, reads slowly or wants much does not keep a seat from others for longer than that.</summary>
    private static async Task<IResult> InTimeAsync(HttpContext context, GitSeats seats, GitRepository repository, Func<GitRepository, CancellationToken, Task<IResult>> answer, CancellationToken cancel)
    {
        using var time = seats.BeginTime();
        using var both = CancellationTokenSource.CreateLinkedTokenSource(cancel, time.Token);
        try
        {
            return await answer(repository, both.Token);
        }
        catch (OperationCanceledException) when (time.IsCancellationRequested && !cancel.IsCancellationRequested)
        {
            return context.Response.HasStarted ? Abort(context) : new PlainProblem(503, $"It took longer than {seats.Time.TotalSeconds:N0} seconds, and no request may. Try again: what was made of a long history is kept.");
        }
    }

    private static IResult Abort(HttpContext context)
    {
        context.Abort();
        return Results.Empty;
    }

    private static void Begin(HttpContext context, string type)
    {
        context.Response.ContentType = type;
        context.Response.Headers.CacheControl = "no-cache, max-age=0, must-revalidate";
    }

    private static void Accept(HttpContext context, long most)
    {
        if (context.Features.Get<IHttpMaxRequestBodySizeFeature>() is { IsReadOnly: false } limit)
        {
            limit.MaxRequestBodySize = most;
        }
    }

    private static Stream Body(HttpRequest request) => request.Headers.ContentEncoding.ToString() switch
    {
        "" or "identity" => request.Body,
        "gzip" or "x-gzip" => new GZipStream(request.Body, CompressionMode.Decompress),
        var other => throw new GitRequestFault($"The coding {other} is not understood; git sends gzip."),
    };

    private static string? Protocol(HttpRequest request) => request.Headers["Git-Protocol"].ToString() is "version=1" or "version=2" ? request.Headers["Git-Protocol"].ToString() : null;

    private static void Remove(string folder)
    {
        try
        {
            Directory.Delete(folder, recursive: true);
        }
        catch (DirectoryNotFoundException)
        {
            // The repository was removed, and this with it.
        }
    }
}

/// <summary>How many requests this web answers at once, and how long one may take.</summary>
internal sealed class GitSeats(GitOptions options, TimeProvider clock) : IDisposable
{
    public TimeSpan Time => options.Time;

    public SemaphoreSlim Requests { get; } = new(options.Requests);

    public CancellationTokenSource BeginTime() => new(options.Time, clock);

    public void Dispose() => Requests.Dispose();
}
