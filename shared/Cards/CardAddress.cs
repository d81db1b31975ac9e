using System.Globalization;

namespace Eddy.Cards;

/// <summary>Where a card is on its tenant's host.</summary>
public static class CardAddress
{
    /// <param name="pid">Null where answering it makes a process.</param>
    public static string Path(string name, long? pid) => pid is null ? $"/cards/{name}" : string.Create(CultureInfo.InvariantCulture, $"/cards/{name}?pid={pid}");
}
