using System.Buffers.Text;
using System.Globalization;
using System.Text;
using Eddy.Problems;
using Microsoft.AspNetCore.WebUtilities;

namespace Eddy.Api;

/// <summary>Where a page ended, as text that callers hand back as it is.</summary>
public static class Cursor
{
    private const string Prefix = "after:";

    public static string Of(long last) => Base64Url.EncodeToString(Encoding.ASCII.GetBytes(Prefix + last.ToString(CultureInfo.InvariantCulture)));

    /// <summary>Reads a cursor that is not null.</summary>
    public static bool TryRead(string text, out long last)
    {
        last = 0;
        try
        {
            var plain = Encoding.ASCII.GetString(Base64Url.DecodeFromChars(text));
            return plain.StartsWith(Prefix, StringComparison.Ordinal)
                && long.TryParse(plain.AsSpan(Prefix.Length), NumberStyles.None, CultureInfo.InvariantCulture, out last);
        }
        catch (FormatException)
        {
            return false;
        }
    }

    /// <summary>Says where the next page is (RFC 8288): the same address with one parameter changed.</summary>
    public static void LinkNext(HttpContext context, string parameter, string value)
    {
        var query = context.Request.Query.Where(pair => pair.Key != parameter)
            .SelectMany(pair => pair.Value, (pair, text) => KeyValuePair.Create(pair.Key, text))
            .Append(KeyValuePair.Create(parameter, (string?)value));
        context.Response.Headers.Link = $"<{QueryHelpers.AddQueryString(context.Request.PathBase + context.Request.Path.ToUriComponent(), query)}>; rel=\"next\"";
    }

    public static Problem Fault(string text) => new(ProblemType.InvalidRequest, $"'{text}' is no cursor: take it from the answer before.");
}
