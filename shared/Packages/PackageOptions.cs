namespace Eddy.Packages;

/// <summary>Where the packages of tenants' <c>requirements.txt</c> come from, and how much they may be (section <c>Packages</c>).</summary>
public sealed class PackageOptions
{
    /// <summary>The index: project pages after PEP 503 or 691 lie right below it. Nothing else of its host is asked.</summary>
    public string Index { get; set; } = "https://pypi.org/simple/";

    /// <summary>Further hosts that files may lie on, with commas; with a port where it is not the usual one.</summary>
    public string FileHosts { get; set; } = "files.pythonhosted.org";

    /// <summary>How long resolving and downloading may take.</summary>
    public TimeSpan Time { get; set; } = TimeSpan.FromSeconds(60);

    /// <summary>The most bytes of a requirements.txt.</summary>
    public int RequirementsBytes { get; set; } = 64 << 10;

    /// <summary>The most bytes of a project's page.</summary>
    public int PageBytes { get; set; } = 16 << 20;

    /// <summary>The most bytes of a wheel.</summary>
    public int WheelBytes { get; set; } = 16 << 20;

    /// <summary>The most bytes of all files of a tenant's packages.</summary>
    public int UnpackedBytes { get; set; } = 16 << 20;

    /// <summary>The most bytes of one file of a package.</summary>
    public int FileBytes { get; set; } = 4 << 20;

    /// <summary>How many files a tenant's packages may have together.</summary>
    public int Files { get; set; } = 5000;

    /// <summary>How many packages a tenant may have.</summary>
    public int Count { get; set; } = 100;

    internal Uri IndexAddress => new(Index.EndsWith('/') ? Index : Index + "/");

    internal IReadOnlyList<string> Hosts => FileHosts.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Everything that is wrong with these settings, one sentence each.</summary>
    public IReadOnlyList<string> Faults()
    {
        var faults = new List<string>();
        if (!Uri.TryCreate(Index, UriKind.Absolute, out var index) || index.Scheme is not ("https" or "http") || index.UserInfo.Length > 0 || index.Query.Length > 0 || index.Fragment.Length > 0)
        {
            faults.Add($"Packages:Index is {Index}; it takes the address of an index, as in https://pypi.org/simple/, without a name, a password or a query.");
        }

        faults.AddRange(Hosts.Where(host => !Uri.TryCreate($"https://{host}/", UriKind.Absolute, out var address) || address.PathAndQuery != "/" || address.UserInfo.Length > 0)
            .Select(host => $"Packages:FileHosts has {host}; it takes names of hosts, as in files.pythonhosted.org."));
        Within(nameof(Time), Time.TotalSeconds, 1, 600);
        Within(nameof(RequirementsBytes), RequirementsBytes, 0, 1 << 20);
        Within(nameof(PageBytes), PageBytes, 1 << 10, 64 << 20);
        Within(nameof(WheelBytes), WheelBytes, 1 << 10, 256 << 20);
        Within(nameof(UnpackedBytes), UnpackedBytes, 1 << 10, 256 << 20);
        // One file goes to a cell in one frame.
        Within(nameof(FileBytes), FileBytes, 1 << 10, 5 << 20);
        Within(nameof(Files), Files, 1, 100_000);
        Within(nameof(Count), Count, 1, 200);
        return faults;

        void Within(string name, double value, double least, double most)
        {
            if (!(value >= least && value <= most))
            {
                faults.Add($"Packages:{name} is {value}; it must be from {least} to {most}.");
            }
        }
    }
}
