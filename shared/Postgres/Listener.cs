using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Eddy.Postgres;

/// <summary>
/// Hears what is told by NOTIFY, on a connection and a thread of its own: PostgreSQL wakes every connection that listens for every NOTIFY, so a process has one of
/// them; and on the way of an event a thread that blocks hears sooner than one of the pool. What is told while the connection is lost is not told again, so whoever
/// listens looks for itself once it is back.
/// </summary>
public sealed class Listener(NpgsqlDataSource source, ILogger log) : IHostedService, IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(100);

    /// <summary>How long the thread may go on after its end was asked for.</summary>
    private static readonly TimeSpan LongestWait = TimeSpan.FromSeconds(1);

    private readonly Dictionary<string, Action<string>> _channels = [];
    private readonly List<Action> _backAgain = [];
    private readonly CancellationTokenSource _stop = new();

    /// <summary>Calls <paramref name="hear"/> with each payload of the channel. Before <see cref="Start"/>; it must be quick, and must not throw.</summary>
    public void On(string channel, Action<string> hear) => _channels.Add(channel, hear);

    /// <summary>Calls <paramref name="look"/> each time that the connection stands anew, the first one included.</summary>
    public void OnConnected(Action look) => _backAgain.Add(look);

    public void Start() => new Thread(Run) { IsBackground = true, Name = "listener" }.Start();

    public Task StartAsync(CancellationToken cancellationToken)
    {
        Start();
        return Task.CompletedTask;
    }

    public Task StopAsync(CancellationToken cancellationToken)
    {
        Dispose();
        return Task.CompletedTask;
    }

    public void Dispose() => _stop.Cancel();

    private void Run()
    {
        var isTold = false;
        while (!_stop.IsCancellationRequested)
        {
            try
            {
                using var connection = source.OpenConnection();
                connection.Notification += (_, news) => _channels[news.Channel](news.Payload);
                using (var listen = new NpgsqlCommand(string.Join(';', _channels.Keys.Select(channel => "listen " + channel)), connection))
                {
                    listen.ExecuteNonQuery();
                }

                isTold = false;
                _backAgain.ForEach(look => look());
                while (!_stop.IsCancellationRequested)
                {
                    connection.Wait(LongestWait);
                }

                // It goes back to its pool, where nobody would read what it is told.
                using var end = new NpgsqlCommand("unlisten *", connection);
                end.ExecuteNonQuery();
            }
            catch (Exception) when (_stop.IsCancellationRequested)
            {
                // Its source may be gone already.
            }
            catch (Exception fault) when (fault is NpgsqlException or TimeoutException or IOException)
            {
                // Once for each time that the database is away.
                log.Log(isTold ? LogLevel.Debug : LogLevel.Warning, fault, "The connection that hears of news is lost");
                isTold = true;
                _stop.Token.WaitHandle.WaitOne(Pause);
            }
        }
    }
}
