namespace Eddy.Git;

/// <summary>The tenants' git repositories, and how far one request may go (section <c>Git</c>).</summary>
public sealed class GitOptions
{
    /// <summary>The git that speaks with git.</summary>
    public string Program { get; set; } = "/usr/bin/git";

    /// <summary>Where the web makes a folder for its repositories, which ends with it: they are made of what the database has. Null: where temporary files are.</summary>
    public string? Folder { get; set; }

    /// <summary>How many repositories the web keeps; beyond it, the one that was used longest ago goes.</summary>
    public int Repositories { get; set; } = 64;

    /// <summary>How many requests are answered at once.</summary>
    public int Requests { get; set; } = 16;

    /// <summary>How many of one tenant are.</summary>
    public int TenantRequests { get; set; } = 4;

    /// <summary>The most bytes of one push, as git packs it.</summary>
    public int PushBytes { get; set; } = 32 << 20;

    /// <summary>How long a request may take.</summary>
    public TimeSpan Time { get; set; } = TimeSpan.FromMinutes(5);

    /// <summary>CPU time of each git process.</summary>
    public TimeSpan CpuTime { get; set; } = TimeSpan.FromMinutes(1);

    /// <summary>Of how many saved versions one git process makes commits, so that each is done within its CPU time.</summary>
    public int Versions { get; set; } = 5000;

    /// <summary>Memory of each git process, as addresses.</summary>
    public int MemoryMiB { get; set; } = 1024;

    /// <summary>Everything that is wrong with these settings, one sentence each.</summary>
    public IEnumerable<string> Faults()
    {
        if (string.IsNullOrWhiteSpace(Program))
        {
            yield return "Git:Program is empty; it takes the path of git.";
        }

        // git takes a list of folders where it takes one, so some characters mean something.
        if (Folder is not null && (!Path.IsPathFullyQualified(Folder) || Folder.AsSpan().IndexOfAny(":\"\n") >= 0))
        {
            yield return $"Git:Folder is {Folder}; it takes the whole path of a folder, without a colon or a quotation mark.";
        }

        foreach (var (name, value, least, most) in ((string, double, double, double)[])
        [
            (nameof(Repositories), Repositories, 1, 100_000), (nameof(Requests), Requests, 1, 1000), (nameof(TenantRequests), TenantRequests, 1, 1000), (nameof(PushBytes), PushBytes, 1 << 10, 256 << 20),
            (nameof(Time), Time.TotalSeconds, 1, 3600), (nameof(CpuTime), CpuTime.TotalSeconds, 1, 3600), (nameof(Versions), Versions, 1, 1_000_000), (nameof(MemoryMiB), MemoryMiB, 256, 65536),
        ])
        {
            if (!(value >= least && value <= most))
            {
                yield return $"Git:{name} is {value}; it must be from {least} to {most}.";
            }
        }
    }
}
