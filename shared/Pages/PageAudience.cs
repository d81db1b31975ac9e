using System.Text.RegularExpressions;
using Eddy.Access;

namespace Eddy.Pages;

/// <summary>
/// Whom a page is for, as its text says: <c>&lt;meta name="eddy-access" content="public"&gt;</c> for everybody, <c>content="group:hr"</c> for a group, and without it for members. A public page publishes what
/// its template shows; any other shows each member what they may read.
/// </summary>
/// <param name="Group">Null for all members.</param>
public sealed partial record PageAudience(bool IsPublic, string? Group)
{
    public static readonly PageAudience Members = new(false, null);

    public static readonly PageAudience Everybody = new(true, null);

    /// <summary>Of the text of a page. What names nobody known leaves it with the members, and <paramref name="fault"/> says so.</summary>
    public static PageAudience Of(string text, out (int At, string Message)? fault)
    {
        fault = null;
        if (Meta().Match(text) is not { Success: true } meta)
        {
            return Members;
        }

        var content = Content().Match(meta.Value) is { Success: true } match ? match.Groups[2].Value.Trim() : "";
        switch (content)
        {
            case "public":
                return Everybody;
            case "members":
                return Members;
            case ['g', 'r', 'o', 'u', 'p', ':', .. var group] when AccessGroup.NameFault(group) is null:
                return new PageAudience(false, group);
            default:
                fault = (meta.Index, "eddy-access is public, members, or group: and the name of a group, as in group:hr. Until it is, the page is for members.");
                return Members;
        }
    }

    /// <summary>Whether the page is for this actor.</summary>
    public bool Has(ActorAccess access) => IsPublic || (access.Actor is not Actor.Anybody && (Group is null || access.MayAll || access.Groups.Contains(Group)));

    [GeneratedRegex("""<meta\b[^>]*\bname\s*=\s*["']?eddy-access\b[^>]*>""", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Meta();

    [GeneratedRegex("""\bcontent\s*=\s*(["']?)([^"'>]*)""", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Content();
}
