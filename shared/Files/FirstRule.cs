using System.Text;
using Eddy.Postgres;
using Eddy.Tenants;

namespace Eddy.Files;

/// <summary>The rule with which every tenant begins, in force from the first moment.</summary>
public static class FirstRule
{
    public const string Path = "scripts/heat.py";

    private const string Text = """"
        class high_temperature(Rule):
            """Says so where it is too hot."""

            listens_to = ["temperature"]

            def check(self):
                return self.temperature > 90

            def action(self):
                self.alert = "Too hot"
                print(f"{self.temperature} degrees in room {self.room}")

        """";

    /// <summary>Adds it to what is saved of a new tenant, whose tree has <see cref="TreeVersion"/> with it.</summary>
    public static void AddTo(EddyDb rows, TenantId tenant, string author, DateTimeOffset now)
    {
        var content = Encoding.UTF8.GetBytes(Text);
        rows.Files.Add(new TenantFile { TenantId = tenant.Value, Path = Path, Content = content, Version = TreeVersion, InForce = TreeVersion, Author = author, SavedAt = now });
        rows.FileVersions.Add(new FileVersion { TenantId = tenant.Value, Path = Path, Content = content, Version = TreeVersion, Author = author, SavedAt = now });
    }

    public const long TreeVersion = 1;
}
