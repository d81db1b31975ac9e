using Eddy.Tenants;

namespace Eddy.Access;

/// <summary>Who acts at a door.</summary>
public abstract record Actor
{
    private Actor()
    {
    }

    /// <summary>As events and people have it: <c>key:sensors</c>, <c>ann@acme.test</c>.</summary>
    public abstract string Name { get; }

    /// <summary>A key that is nobody's, a rule, an API script: it acts for the tenant, and may do with the tenant's KVPs whatever there is.</summary>
    public sealed record ForTenant(string Called) : Actor
    {
        public override string Name => Called;
    }

    /// <summary>A person who belongs to the tenant.</summary>
    /// <param name="Role">As <see cref="Member.Role"/>.</param>
    /// <param name="Address">In the form of <see cref="People.MailAddress"/>.</param>
    /// <param name="IsProven">Somebody has shown that the address is theirs: groups that name it count.</param>
    /// <param name="Called">Their own name, for people to read; nothing goes by it.</param>
    public sealed record OfMember(Guid Person, string Role, string Address, bool IsProven, string? Called = null) : Actor
    {
        public override string Name => Address;
    }

    /// <summary>A mail address that is nobody's who belongs to the tenant. The door has seen to it that it is the sender's.</summary>
    /// <param name="Address">In the form of <see cref="People.MailAddress"/>.</param>
    public sealed record OfAddress(string Address) : Actor
    {
        public override string Name => Address;
    }

    /// <summary>Somebody of whom nothing is known.</summary>
    public sealed record Anybody : Actor
    {
        public override string Name => "anybody";
    }
}
