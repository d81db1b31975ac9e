using System.Text.Json;

namespace Eddy.Files;

/// <summary>Why a version of a file is not in force. Lines and columns count from 1.</summary>
public sealed record FileFault(int? Line, int? Column, string Message)
{
    /// <summary>Those that were kept with a file; none where it has none.</summary>
    internal static IReadOnlyList<FileFault> Of(string? kept) => kept is null ? [] : JsonSerializer.Deserialize<IReadOnlyList<FileFault>>(kept, JsonSerializerOptions.Web)!;
}
