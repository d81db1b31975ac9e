namespace Eddy.Cards;

/// <summary>Which names cards may have: they stand in addresses, and in templates as <c>{{cards.name}}</c>.</summary>
public static class CardName
{
    public const int MostCharacters = 100;

    /// <summary>Of the name of who sees it, in UTF-8.</summary>
    public const int MostUserBytes = 254;

    public static bool Is(ReadOnlySpan<char> name)
    {
        foreach (var c in name)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c is not ('_' or '-'))
            {
                return false;
            }
        }

        return name.Length is > 0 and <= MostCharacters;
    }
}
