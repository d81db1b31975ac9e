using System.Security.Cryptography;
using Eddy.Postgres;
using Eddy.Secrets;
using Microsoft.Extensions.Logging.Abstractions;

namespace Eddy.Tests.Secrets;

/// <summary>Files of master keys, and what opens with them.</summary>
internal static class TestSecrets
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    /// <summary>A line of a file of master keys.</summary>
    public static string Line(string id) => $"{id} {Convert.ToBase64String(RandomNumberGenerator.GetBytes(32))}";

    /// <summary>A file of these lines that is its owner's alone.</summary>
    public static string File(params string[] lines)
    {
        var path = Path.Combine(Directory.CreateTempSubdirectory("eddy-test-keys-").FullName, "master_keys");
        System.IO.File.WriteAllLines(path, lines);
        Open(path, UnixFileMode.None);
        return path;
    }

    /// <summary>Opens the file to others, too.</summary>
    public static void Open(string path, UnixFileMode others)
    {
        if (!OperatingSystem.IsWindows())
        {
            System.IO.File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | others);
        }
    }

    public static MasterKeys Masters(params string[] lines)
    {
        var path = File(lines);
        var masters = MasterKeys.Read(new SecretsOptions { MasterKeyFile = path }, out var fault);
        fault.ShouldBeNull();
        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
        return masters;
    }

    public static SecretStore Store(TestDatabase database, MasterKeys masters, TimeProvider? time = null) => new(new EddyDbs(database.App), masters, time ?? TimeProvider.System);

    public static SecretKeeper Keeper(SecretStore store, TimeProvider? time = null) => new(store, time ?? TimeProvider.System, NullLogger<SecretKeeper>.Instance);

    /// <summary>Sets it, whatever was there.</summary>
    public static async Task<SecretEntry> SetAsync(this SecretStore store, TestTenant tenant, string name, string value, params string[] hosts)
    {
        var patterns = hosts.Select(host => HostPattern.TryParse(host, out var pattern, out var fault) ? pattern : throw new InvalidOperationException(fault)).ToList();
        return (await store.SetAsync(tenant.Id, name, value, patterns, "key:test", WriteCondition.None, Cancel)).ShouldBeOfType<SetOutcome.Set>().Secret;
    }

    public static Task<SecretSet> SetOfAsync(this SecretStore store, TestTenant tenant) => store.ReadAsync(tenant.Id, null, Cancel);

    /// <summary>The set of a fresh tenant with these secrets, each for <c>api.example.com</c>.</summary>
    public static async Task<SecretSet> SetAsync(TestDatabase database, params (string Name, string Value)[] secrets)
    {
        var store = Store(database, Masters(Line("one")));
        var tenant = await TestTenant.MakeAsync(database);
        foreach (var (name, value) in secrets)
        {
            await store.SetAsync(tenant, name, value, "api.example.com");
        }

        return await store.SetOfAsync(tenant);
    }
}

/// <summary>A clock that a test turns.</summary>
internal sealed class TestClock : TimeProvider
{
    private readonly List<(TimerCallback Callback, object? State)> _timers = [];
    private TimeSpan _since;

    public override long TimestampFrequency => TimeSpan.TicksPerSecond;

    public override long GetTimestamp() => _since.Ticks;

    public override DateTimeOffset GetUtcNow() => new DateTimeOffset(2026, 11, 23, 12, 0, 0, TimeSpan.Zero) + _since;

    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period)
    {
        _timers.Add((callback, state));
        return new Stopped();
    }

    /// <summary>Time passes, and all timers are due.</summary>
    public void Turn(TimeSpan by)
    {
        _since += by;
        _timers.ForEach(timer => timer.Callback(timer.State));
    }

    private sealed class Stopped : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => true;

        public void Dispose()
        {
        }

        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
