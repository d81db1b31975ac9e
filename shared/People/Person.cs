using Microsoft.AspNetCore.Identity;

namespace Eddy.People;

/// <summary>Somebody who can sign in. People belong to no tenant; their memberships do.</summary>
public sealed class Person : IdentityUser<Guid>;
