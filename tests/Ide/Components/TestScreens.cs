using Bunit;
using Eddy.Access;
using Eddy.Identity;
using Eddy.Tenants;
using Microsoft.AspNetCore.Components;
using Microsoft.Extensions.DependencyInjection;

namespace Eddy.Tests.Ide.Components;

/// <summary>Draws components as they stand on the screens of an owner of tenant <c>acme</c> whose zone is that of Berlin.</summary>
internal sealed class TestScreens : BunitContext
{
    public static readonly DateTimeOffset Now = new(2026, 11, 23, 13, 3, 21, TimeSpan.Zero);

    private readonly Seat _seat = new(
        TenantId.New(), "acme", "Acme", TimeZoneInfo.FindSystemTimeZoneById("Europe/Berlin"), Guid.NewGuid(), "owner", ActorAccess.OfTenant(new Actor.OfMember(Guid.NewGuid(), "owner", "anna@acme.test", true)), new Dictionary<string, string>());

    public TestScreens()
    {
        JSInterop.Mode = JSRuntimeMode.Loose;
        Services.AddSingleton<TimeProvider>(new Egress.HandClock { Began = Now });
    }

    public IRenderedComponent<T> Draw<T>(Action<ComponentParameterCollectionBuilder<T>> parameters)
        where T : IComponent =>
        Render<T>(all =>
        {
            all.AddCascadingValue(_seat).AddCascadingValue(_seat.Zone);
            parameters(all);
        });
}
