namespace Eddy.Tenants;

/// <summary>A person's place in a tenant. Roles: <c>owner</c>, <c>editor</c>, <c>viewer</c>.</summary>
public sealed class Member
{
    public required Guid TenantId { get; init; }

    public required Guid PersonId { get; init; }

    public required string Role { get; set; }
}
