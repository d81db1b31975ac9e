using System.Globalization;

namespace Eddy.Ide.Console;

/// <summary>Where the console sets its KVPs.</summary>
/// <param name="Pid">As doors take it: null for a new process, 0 for the shared bag.</param>
public readonly record struct ConsoleTarget(long? Pid)
{
    public static ConsoleTarget New { get; }

    public static ConsoleTarget Shared { get; } = new(0);

    public string Name => Pid switch
    {
        null => "New process",
        0 => "Shared",
        { } pid => pid.ToString(CultureInfo.InvariantCulture),
    };
}
