using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.AspNetCore.Components.Server.Circuits;
using Npgsql;

namespace Eddy.Identity;

/// <summary>
/// The one guard of a circuit: before anything that its browser says is done, it is looked whether who sits there still may. Where the session has ended, or somebody does not belong to the tenant
/// any more, the circuit is over: nothing more is done, and its screen says why. Where only what they may has changed, their seat is found again first.
/// </summary>
public sealed class Presence(Sessions sessions, AuthenticationStateProvider signed) : CircuitHandler
{
    private readonly List<Sitting> _sittings = [];
    private Task _before = Task.CompletedTask;
    private Standing? _seen;

    /// <summary>Why the circuit is over; null as long as it is not.</summary>
    public Ending? Over { get; private set; }

    /// <summary>Tells that the circuit is over.</summary>
    public event Action? Ended;

    /// <summary>Has a seat watched until the answer is disposed. It is to be found after this, so that no change falls between.</summary>
    /// <param name="renew">Finds it again; false where there is none any more.</param>
    public async Task<IDisposable> SitAsync(string slug, Func<Task<bool>> renew)
    {
        var sitting = new Sitting(this, slug, renew) { Mark = (await StandingAsync())?.MarkOf(slug) };
        lock (_sittings)
        {
            _sittings.Add(sitting);
        }

        return sitting;
    }

    public override Func<CircuitInboundActivityContext, Task> CreateInboundActivityHandler(Func<CircuitInboundActivityContext, Task> next) => async activity =>
    {
        // What was said first is begun first, however long the look takes.
        var begun = new TaskCompletionSource();
        var before = Interlocked.Exchange(ref _before, begun.Task);
        Task act;
        try
        {
            await before;
            act = await MayAsync() ? next(activity) : Task.CompletedTask;
        }
        finally
        {
            begun.SetResult();
        }

        await act;
    };

    private async Task<bool> MayAsync()
    {
        if (Over is not null)
        {
            return false;
        }

        try
        {
            if (Sessions.Of((await signed.GetAuthenticationStateAsync()).User) is null)
            {
                // Nobody is signed in, so there is nobody's to be seen.
                return true;
            }

            if (await StandingAsync() is not { } standing)
            {
                End(Ending.SignedOut);
                return false;
            }

            if (ReferenceEquals(standing, _seen))
            {
                return true;
            }

            foreach (var sitting in Sittings())
            {
                var mark = standing.MarkOf(sitting.Slug);
                if (mark != sitting.Mark && (mark is null || !await sitting.Renew()))
                {
                    End(Ending.NoMember);
                    return false;
                }

                sitting.Mark = mark;
            }

            _seen = standing;
            return true;
        }
        catch (NpgsqlException)
        {
            // Without the database nothing that is said can be done, either.
            return true;
        }
    }

    private async Task<Standing?> StandingAsync() =>
        Sessions.Of((await signed.GetAuthenticationStateAsync()).User) is { } session ? await sessions.StandingAsync(session) : null;

    private Sitting[] Sittings()
    {
        lock (_sittings)
        {
            return [.. _sittings];
        }
    }

    private void End(Ending why)
    {
        Over = why;
        Ended?.Invoke();
    }

    private sealed class Sitting(Presence presence, string slug, Func<Task<bool>> renew) : IDisposable
    {
        public string Slug => slug;

        public Func<Task<bool>> Renew => renew;

        public string? Mark { get; set; }

        public void Dispose()
        {
            lock (presence._sittings)
            {
                presence._sittings.Remove(this);
            }
        }
    }
}

/// <summary>Why a circuit is over.</summary>
public enum Ending
{
    /// <summary>The session was ended, or the account is gone.</summary>
    SignedOut,

    /// <summary>The person does not belong to the tenant any more.</summary>
    NoMember,
}
