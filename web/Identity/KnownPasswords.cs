using Eddy.People;
using Microsoft.AspNetCore.Identity;

namespace Eddy.Identity;

/// <summary>Refuses what everybody tries first: passwords of the lists that are long enough, one character again and again, and the address itself.</summary>
internal sealed class KnownPasswords : IPasswordValidator<Person>
{
    public const int MostCharacters = 256;

    private static readonly HashSet<string> Known = new(
        [
            "1234567890", "0123456789", "0987654321", "12345678910", "123456789a", "1234567891", "1q2w3e4r5t", "1qaz2wsx3edc", "qwertyuiop", "qwerty1234", "qwerty12345", "qwerty123456", "asdfghjkl1",
            "password12", "password123", "password1234", "passw0rd123", "p@ssword123", "administrator", "iloveyou123", "letmein123", "welcome123", "abcdefghij", "abcdefghijk", "abc1234567", "football123", "changeme123",
            "basketball", "q1w2e3r4t5", "zaq12wsxcde3", "aa12345678", "a123456789", "1111122222", "correcthorsebatterystaple",
        ], StringComparer.OrdinalIgnoreCase);

    public Task<IdentityResult> ValidateAsync(UserManager<Person> manager, Person user, string? password) => Task.FromResult(Fault(user, password ?? "") is { } fault
        ? IdentityResult.Failed(new IdentityError { Code = "KnownPassword", Description = fault })
        : IdentityResult.Success);

    private static string? Fault(Person person, string password) =>
        password.Length > MostCharacters ? $"A password has at most {MostCharacters} characters."
        : Known.Contains(password) || password.Distinct().Count() < 3 || string.Equals(password, person.Email, StringComparison.OrdinalIgnoreCase) ? "This password is one of the first that anybody tries. Take another; a few words in a row are good."
        : null;
}
