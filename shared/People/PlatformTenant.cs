using Eddy.Tenants;

namespace Eddy.People;

/// <summary>To whom the platform's own mails belong: a tenant without people, rules and doors, made with the schema.</summary>
public static class PlatformTenant
{
    public static readonly TenantId Id = new(new Guid("00000000-0000-7000-8000-000000000000"));
}
