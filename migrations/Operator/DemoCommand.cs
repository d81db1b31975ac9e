using System.CommandLine;
using System.Security.Cryptography;
using System.Text.Json;
using Eddy.Files;
using Eddy.Pages;
using Eddy.People;
using Eddy.Tenants;
using Microsoft.AspNetCore.Identity;
using Microsoft.EntityFrameworkCore;

namespace Eddy.Operator;

/// <summary>
/// <c>eddy demo</c>: makes the tenant that the first run shows, with one rule, one key and somebody who can sign in, and writes how to reach it to a file. What is
/// there already is left alone; only the address in the file follows.
/// </summary>
public static class DemoCommand
{
    private const string Slug = "demo";
    private const string Email = "demo@eddy.test";

    public static Command Make(string database)
    {
        var url = new Option<string>("--url") { Description = "Where the web answers.", Required = true };
        var output = new Option<FileInfo>("--out") { Description = "The file that tells how to reach it.", Required = true };
        var demo = new Command("demo", "Make the demo tenant, unless it is there.") { url, output };
        demo.SetAction(async (parsed, cancel) =>
        {
            var file = parsed.GetRequiredValue(output);
            await using var db = new OperatorDb(database);
            var facts = await db.FindAsync(Slug, cancel) is { } known
                ? await FactsAsync(db, known, file, cancel)
                : await SeedAsync(db, cancel);
            await WriteAsync(file, facts with { Url = parsed.GetRequiredValue(url) }, cancel);
            return 0;
        });
        return demo;
    }

    private static async Task<DemoFacts> SeedAsync(OperatorDb db, CancellationToken cancel)
    {
        var now = TimeProvider.System.GetUtcNow();
        var password = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
        var person = new Person
        {
            Id = Guid.CreateVersion7(now),
            UserName = Email,
            NormalizedUserName = Email.ToUpperInvariant(),
            Email = Email,
            NormalizedEmail = Email.ToUpperInvariant(),
            EmailConfirmed = true,
            SecurityStamp = Guid.NewGuid().ToString("N"),
            LockoutEnabled = true,
        };
        person.PasswordHash = new PasswordHasher<Person>().HashPassword(person, password);
        await using (var people = db.Global())
        {
            await people.Users.Where(p => p.NormalizedEmail == person.NormalizedEmail).ExecuteDeleteAsync(cancel);
            people.Users.Add(person);
            await people.SaveChangesAsync(cancel);
        }

        var id = TenantId.New();
        var (key, secret) = ApiKey.Make(id, "demo", Scope.All, now);
        await using var rows = db.For(id);
        rows.Tenants.Add(new Tenant { Id = id.Value, Slug = Slug, Name = "Demo", TimeZone = "UTC", CreatedAt = now, TreeVersion = FirstRule.TreeVersion });
        rows.Members.Add(new Member { TenantId = id.Value, PersonId = person.Id, Role = "owner" });
        rows.ApiKeys.Add(key);
        FirstRule.AddTo(rows, id, Email, now);
        FirstPage.AddTo(rows, id, Email, now);
        await rows.SaveChangesAsync(cancel);
        return new DemoFacts("", Slug, Email, password, secret);
    }

    /// <summary>The facts that only the first run knew. Where the file is lost, the key and the password are made anew.</summary>
    private static async Task<DemoFacts> FactsAsync(OperatorDb db, TenantId tenant, FileInfo file, CancellationToken cancel)
    {
        if (file.Exists)
        {
            await using var stream = file.OpenRead();
            if (await JsonSerializer.DeserializeAsync<DemoFacts>(stream, JsonSerializerOptions.Web, cancel) is { } facts)
            {
                return facts;
            }
        }

        var now = TimeProvider.System.GetUtcNow();
        var password = Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(8));
        await using (var people = db.Global())
        {
            var person = await people.Users.SingleAsync(p => p.Email == Email, cancel);
            person.PasswordHash = new PasswordHasher<Person>().HashPassword(person, password);
            await people.SaveChangesAsync(cancel);
        }

        await using var rows = db.For(tenant);
        await rows.ApiKeys.Where(k => k.Name == "demo" && k.RevokedAt == null).ExecuteUpdateAsync(set => set.SetProperty(k => k.RevokedAt, now), cancel);
        var (key, secret) = ApiKey.Make(tenant, "demo", Scope.All, now);
        rows.ApiKeys.Add(key);
        await rows.SaveChangesAsync(cancel);
        return new DemoFacts("", Slug, Email, password, secret);
    }

    private static async Task WriteAsync(FileInfo file, DemoFacts facts, CancellationToken cancel)
    {
        file.Directory?.Create();
        var options = new FileStreamOptions { Mode = FileMode.Create, Access = FileAccess.Write };
        if (!OperatingSystem.IsWindows())
        {
            options.UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        }

        await using var stream = new FileStream(file.FullName, options);
        await JsonSerializer.SerializeAsync(stream, facts, Readable, cancel);
    }

    private static readonly JsonSerializerOptions Readable = new(JsonSerializerOptions.Web) { WriteIndented = true };

    private sealed record DemoFacts(string Url, string Tenant, string Email, string Password, string ApiKey);
}
