namespace Eddy.Sandbox;

/// <summary>Where rules run, and how far each may go. <see cref="Faults"/> gathers everything that is wrong with it.</summary>
public sealed class SandboxOptions
{
    /// <summary>The interpreter of the zygote and its cells.</summary>
    public string Python { get; set; } = "/usr/bin/python3";

    /// <summary>The socket of a zygote that runs as a service of its own; null starts one as a child process.</summary>
    public string? Socket { get; set; }

    /// <summary>
    /// Names of modules that all cells can import besides those that are always there, with commas: those with native code, which no tenant can bring. Where the zygote is a
    /// service, they are given to it.
    /// </summary>
    public string Preload { get; set; } = "";

    /// <summary>The names in <see cref="Preload"/>.</summary>
    public IReadOnlyList<string> PreloadedModules => Preload.Split([',', ' '], StringSplitOptions.RemoveEmptyEntries);

    /// <summary>Wall time of one run, or of loading a tenant's files.</summary>
    public TimeSpan WallTime { get; set; } = TimeSpan.FromSeconds(30);

    /// <summary>CPU time of one run, or of loading a tenant's files.</summary>
    public TimeSpan CpuTime { get; set; } = TimeSpan.FromSeconds(5);

    /// <summary>Memory of a cell above that of the zygote.</summary>
    public int MemoryMiB { get; set; } = 128;

    /// <summary>How much a run may print before the rest is cut.</summary>
    public int LogBytes { get; set; } = 65536;

    /// <summary>The longest frame on a cell's channel.</summary>
    public int FrameBytes { get; set; } = 8 << 20;

    /// <summary>After this much is told of one slice its cell leaves the rest to the next; one that tells two frames more lies.</summary>
    public long SliceBytes => 4L * FrameBytes;

    /// <summary>How many KVPs one run may change.</summary>
    public int Changes { get; set; } = 1000;

    /// <summary>The longest value, as canonical JSON. The shared bag and the changes of one run may have <see cref="ProcessBytes"/>.</summary>
    public int ValueBytes { get; set; } = 256 << 10;

    /// <summary>How many KVPs one process may have.</summary>
    public int ProcessKvps { get; set; } = 1000;

    /// <summary>How long all values of one process, of the shared bag, or of one run's changes may be together.</summary>
    public int ProcessBytes { get; set; } = 4 << 20;

    /// <summary>How many runs may lead to one another.</summary>
    public int CascadeGenerations { get; set; } = 64;

    /// <summary>How many runs one cascade may have.</summary>
    public int CascadeRuns { get; set; } = 10_000;

    /// <summary>The longest body of a call, or text to sign, that a cell may hand to the host.</summary>
    public int AskBytes { get; set; } = 10 << 20;

    /// <summary>How many runs of one tenant may be beside the line at once, each in a cell of its own; others wait.</summary>
    public int TenantBeside { get; set; } = 16;

    /// <summary>How many cells may live at once; idle ones are ended to make room, the least recently used first.</summary>
    public int Cells { get; set; } = 200;

    /// <summary>After this time a child zygote is replaced by a fresh one: all cells of one share its hash seed and its layout in memory.</summary>
    public TimeSpan ZygoteAge { get; set; } = TimeSpan.FromHours(6);

    /// <summary>After so many cells a child zygote is replaced by a fresh one.</summary>
    public int ZygoteForks { get; set; } = 10_000;

    /// <summary>
    /// Cells without any seal, for a developer's machine without Linux: a rule can do whatever this user can. <see cref="UnsealedFault"/> says where
    /// that is refused.
    /// </summary>
    public bool Unsealed { get; set; }

    /// <summary>What every page says while <see cref="Unsealed"/> is true.</summary>
    public const string UnsealedWarning = "Unsealed: every rule can do whatever this server's user can. Sandbox:Unsealed is for a developer's own machine.";

    /// <summary>Why <see cref="Unsealed"/> may not be, in a sentence; null where it is off or may be.</summary>
    public string? UnsealedFault(bool isDevelopment) => Unsealed && !isDevelopment
        ? $"{nameof(Unsealed)} is true: every rule could do whatever this server can, and that is for a developer's own machine alone. Take it away, or set ASPNETCORE_ENVIRONMENT=Development."
        : null;

    /// <summary>Everything that is wrong with these settings, one sentence each.</summary>
    public IReadOnlyList<string> Faults()
    {
        var faults = new List<string>();
        if (string.IsNullOrWhiteSpace(Python))
        {
            faults.Add($"{nameof(Python)} names no interpreter.");
        }

        // A Unix socket's path must fit sockaddr_un with its closing NUL, and one character more while the zygote starts.
        if (Socket is not null && System.Text.Encoding.UTF8.GetByteCount(Socket) is 0 or > 106)
        {
            faults.Add($"{nameof(Socket)} must be a path of 1 to 106 bytes.");
        }

        faults.AddRange(PreloadedModules.Where(name => !name.Split('.').All(IsIdentifier)).Select(name => $"{nameof(Preload)} has {name}, which can not be the name of a module."));
        Within(nameof(WallTime), WallTime.TotalSeconds, 0.01, 3600);
        Within(nameof(CpuTime), CpuTime.TotalSeconds, 0.01, 3600);
        Within(nameof(MemoryMiB), MemoryMiB, 16, 65536);
        Within(nameof(LogBytes), LogBytes, 0, 16 << 20);
        Within(nameof(FrameBytes), FrameBytes, 64 << 10, 256 << 20);
        Within(nameof(Changes), Changes, 1, 100_000);
        Within(nameof(ValueBytes), ValueBytes, 1, 64 << 20);
        Within(nameof(ProcessKvps), ProcessKvps, 1, 1_000_000);
        Within(nameof(ProcessBytes), ProcessBytes, 1, 128 << 20);
        Within(nameof(CascadeGenerations), CascadeGenerations, 1, 10_000);
        Within(nameof(CascadeRuns), CascadeRuns, 1, 10_000_000);
        Within(nameof(Cells), Cells, 1, 100_000);
        Within(nameof(AskBytes), AskBytes, 1024, 256 << 20);
        Within(nameof(TenantBeside), TenantBeside, 1, 1000);
        Within(nameof(ZygoteAge), ZygoteAge.TotalSeconds, 1, 30 * 86400);
        Within(nameof(ZygoteForks), ZygoteForks, 2, 10_000_000);

        // Whatever a run may change and print must fit the frame that reports it, beside the small runs that are told of with it.
        if ((long)FrameBytes < ProcessBytes + 6L * LogBytes + (3 << 20))
        {
            faults.Add($"{nameof(FrameBytes)} must have room for {nameof(ProcessBytes)}, six times {nameof(LogBytes)} and 3 MiB.");
        }

        return faults;

        void Within(string name, double value, double least, double most)
        {
            if (!(value >= least && value <= most))
            {
                faults.Add($"{name} is {value}; it must be from {least} to {most}.");
            }
        }
    }

    private static bool IsIdentifier(string part) => part.Length > 0 && !char.IsDigit(part[0]) && part.All(c => c == '_' || char.IsLetterOrDigit(c));

    internal void ThrowIfFaulty()
    {
        var faults = Faults();
        if (faults.Count > 0)
        {
            throw new ArgumentException("The sandbox's settings are wrong. " + string.Join(' ', faults));
        }
    }
}
