using Eddy.People;
using Microsoft.AspNetCore.Identity;

namespace Eddy.Identity;

internal static class PasswordFault
{
    /// <summary>Why this can not be the person's password, in a sentence, or null.</summary>
    public static async Task<string?> OfAsync(UserManager<Person> people, Person person, string password)
    {
        foreach (var rule in people.PasswordValidators)
        {
            var outcome = await rule.ValidateAsync(people, person, password);
            if (!outcome.Succeeded)
            {
                return outcome.Errors.First() is { Code: "PasswordTooShort" } ? $"A password has at least {people.Options.Password.RequiredLength} characters." : outcome.Errors.First().Description;
            }
        }

        return null;
    }
}
