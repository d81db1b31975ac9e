using System.Text.RegularExpressions;
using Eddy.People;

namespace Eddy.Tests.Identity;

/// <summary>The platform's mails, as whoever has the address would read them.</summary>
internal static partial class TestMail
{
    public static string NewAddress() => $"n{Guid.NewGuid().ToString("N")[..12]}@eddy.test";

    /// <summary>The subjects of what an address was sent, the first first.</summary>
    public static async Task<IReadOnlyList<string>> SubjectsAsync(this TestDatabase database, string address) => [.. (await ReadAsync(database, address)).Select(mail => mail.Subject)];

    /// <summary>The path of the link in the last mail with this subject that the address was sent.</summary>
    public static async Task<string> LinkAsync(this TestDatabase database, string address, string subject) =>
        new Uri(Link().Match((await ReadAsync(database, address)).Last(mail => mail.Subject == subject).Text).Value).AbsolutePath;

    private static async Task<IReadOnlyList<(string Subject, string Text)>> ReadAsync(TestDatabase database, string address)
    {
        await using var read = database.Superuser.CreateCommand("select subject, text from outbox where tenant_id = $1 and receivers = array[$2] order by id");
        read.Parameters.Add(new() { Value = PlatformTenant.Id.Value });
        read.Parameters.Add(new() { Value = address });
        await using var rows = await read.ExecuteReaderAsync(TestContext.Current.CancellationToken);
        var mails = new List<(string, string)>();
        while (await rows.ReadAsync(TestContext.Current.CancellationToken))
        {
            mails.Add((rows.GetString(0), rows.GetString(1)));
        }

        return mails;
    }

    [GeneratedRegex(@"http\S+", RegexOptions.CultureInvariant)]
    private static partial Regex Link();
}
