using System.Globalization;
using System.Text;

namespace Eddy.Client;

/// <summary>Where a command runs: what it prints to and reads from, the folder, the environment.</summary>
/// <param name="Variable">Reads a variable of the environment.</param>
/// <param name="AsksPeople">Somebody is there who can be asked.</param>
/// <param name="HasColours">What is printed may have colours.</param>
/// <param name="Columns">How wide it is.</param>
public sealed record Terminal(TextReader In, TextWriter Out, TextWriter Error, string Folder, Func<string, string?> Variable, bool AsksPeople, bool HasColours, int Columns = 120)
{
    private readonly Lock _lines = new();

    public static Terminal OfThisProcess()
    {
        // Signs beyond ASCII, wherever it is.
        Console.OutputEncoding = new UTF8Encoding(encoderShouldEmitUTF8Identifier: false);
        var isTerminal = !Console.IsOutputRedirected && string.IsNullOrEmpty(Environment.GetEnvironmentVariable("NO_COLOR")) && Environment.GetEnvironmentVariable("TERM") != "dumb";
        return new Terminal(Console.In, Console.Out, Console.Error, Directory.GetCurrentDirectory(), Environment.GetEnvironmentVariable, !Console.IsInputRedirected, isTerminal);
    }

    /// <summary>The variable, or null where it is not set or empty.</summary>
    public string? Setting(string name) => Variable(name) is { Length: > 0 } value ? value : null;

    public void Print(string line)
    {
        lock (_lines)
        {
            Out.WriteLine(line);
            Out.Flush();
        }
    }

    /// <summary>What is no part of a command's answer: a word on the way.</summary>
    public void Note(string line)
    {
        lock (_lines)
        {
            Error.WriteLine(line);
            Error.Flush();
        }
    }

    public void Complain(ClientFault fault)
    {
        foreach (var detail in fault.Details)
        {
            Note(Clean(detail));
        }

        Note($"{Red("eddy:")} {Clean(fault.Message)}");
    }

    /// <summary>Asks, and takes yes for yes alone.</summary>
    public async Task<bool> ConfirmAsync(string question, CancellationToken cancel)
    {
        await Error.WriteAsync($"{question} [y/N] ");
        await Error.FlushAsync(cancel);
        return (await In.ReadLineAsync(cancel))?.Trim().ToUpperInvariant() is "Y" or "YES";
    }

    /// <summary>A line that nobody is to read over one's shoulder.</summary>
    public async Task<string?> ReadSecretAsync(string question, CancellationToken cancel)
    {
        if (!AsksPeople || Console.IsInputRedirected)
        {
            return await In.ReadLineAsync(cancel);
        }

        await Error.WriteAsync(question);
        var text = new StringBuilder();
        while (Console.ReadKey(intercept: true) is var key && key.Key != ConsoleKey.Enter)
        {
            cancel.ThrowIfCancellationRequested();
            if (key.Key == ConsoleKey.Backspace)
            {
                text.Length = Math.Max(0, text.Length - 1);
            }
            else if (!char.IsControl(key.KeyChar))
            {
                text.Append(key.KeyChar);
            }
        }

        await Error.WriteLineAsync();
        return text.ToString();
    }

    public string Red(string text) => Paint("31", text);

    public string Green(string text) => Paint("32", text);

    public string Yellow(string text) => Paint("33", text);

    public string Dim(string text) => Paint("2", text);

    public string Bold(string text) => Paint("1", text);

    /// <summary>Text of others without what a terminal would obey, on as many lines as it has.</summary>
    public static string Clean(string text)
    {
        if (!text.Any(IsObeyed))
        {
            return text;
        }

        return string.Concat(text.Select(c => IsObeyed(c) ? '�' : c));

        // Marks that turn the direction of what follows hide what it says.
        static bool IsObeyed(char c) => c is not ('\n' or '\t') && (char.IsControl(c) || c is >= '\u202A' and <= '\u202E' or >= '\u2066' and <= '\u2069');
    }

    /// <summary>The same on one line.</summary>
    public static string Line(string text) => Clean(text).Replace('\n', ' ');

    /// <summary>How long something took.</summary>
    public static string Took(double milliseconds) => milliseconds switch
    {
        < 10 => string.Create(CultureInfo.InvariantCulture, $"{milliseconds:0.0} ms"),
        < 1000 => string.Create(CultureInfo.InvariantCulture, $"{milliseconds:0} ms"),
        _ => string.Create(CultureInfo.InvariantCulture, $"{milliseconds / 1000:0.0} s"),
    };

    private string Paint(string code, string text) => HasColours && text.Length > 0 ? $"\e[{code}m{text}\e[0m" : text;
}
