using System.Text.Json;

namespace Eddy.Client.Server;

/// <summary>The keys of whoever sits here, the one that was used last first: <c>eddy/keys.json</c> in their configuration. Nobody else may read it.</summary>
public sealed class LoginFile(string path)
{
    private static readonly JsonSerializerOptions Form = new(JsonSerializerOptions.Web) { WriteIndented = true };

    public string Path => path;

    public static LoginFile Of(Terminal terminal)
    {
        var folder = terminal.Setting("XDG_CONFIG_HOME") is { } given && System.IO.Path.IsPathRooted(given) ? given
            : OperatingSystem.IsWindows() ? Environment.GetFolderPath(Environment.SpecialFolder.ApplicationData)
            : System.IO.Path.Combine(terminal.Setting("HOME") ?? Environment.GetFolderPath(Environment.SpecialFolder.UserProfile), ".config");
        return new LoginFile(System.IO.Path.Combine(folder, "eddy", "keys.json"));
    }

    public IReadOnlyList<Login> Read()
    {
        try
        {
            return File.Exists(path) ? JsonSerializer.Deserialize<Kept>(File.ReadAllBytes(path), Form)?.Logins ?? [] : [];
        }
        catch (JsonException)
        {
            throw new ClientFault($"{path} can not be read: it is no JSON any more. Remove it, and log in again.");
        }
    }

    public void Add(Login login) => Write([login, .. Read().Where(one => one.Address != login.Address || one.Tenant != login.Tenant)]);

    /// <summary>The answer is how many there were.</summary>
    public int Remove(Func<Login, bool> goes)
    {
        var all = Read();
        var left = all.Where(one => !goes(one)).ToList();
        if (left.Count < all.Count)
        {
            Write(left);
        }

        return all.Count - left.Count;
    }

    private void Write(IReadOnlyList<Login> logins)
    {
        var folder = System.IO.Path.GetDirectoryName(path)!;
        if (OperatingSystem.IsWindows())
        {
            Directory.CreateDirectory(folder);
        }
        else
        {
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        }

        // Whole or not at all, and at no moment another's to read.
        var draft = $"{path}.{Environment.ProcessId}.{Guid.NewGuid():N}";
        var how = new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            how.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        using (var file = new FileStream(draft, how))
        {
            JsonSerializer.Serialize(file, new Kept(logins), Form);
        }

        File.Move(draft, path, overwrite: true);
    }

    private sealed record Kept(IReadOnlyList<Login> Logins);
}
