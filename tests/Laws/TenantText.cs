using System.Collections;
using System.Reflection;
using System.Text.Json;
using Eddy.Tenants;

namespace Eddy.Tests.Laws;

/// <summary>Which methods can be handed text that a tenant has written, in whatever wrapping.</summary>
internal static class TenantText
{
    private static readonly Assembly Shared = typeof(TenantId).Assembly;

    /// <summary>All public methods of the shared assembly that can, as <c>RuleSandbox.RunAsync</c>.</summary>
    public static IEnumerable<string> Entrances() => Shared.GetExportedTypes()
        .Where(type => type.IsClass && !typeof(Delegate).IsAssignableFrom(type) && !typeof(Exception).IsAssignableFrom(type) && type.GetMethod("<Clone>$") is null)
        .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly))
        .Where(method => !method.IsSpecialName && method.GetBaseDefinition() == method
            && method.GetParameters().Any(parameter => Carries(parameter.ParameterType, [])))
        .Select(method => $"{method.DeclaringType!.Name}.{method.Name}").Distinct().Order(StringComparer.Ordinal);

    private static bool Carries(Type type, HashSet<Type> seen)
    {
        if (type.HasElementType)
        {
            return Carries(type.GetElementType()!, seen);
        }

        if (type == typeof(string) || type == typeof(byte) || type == typeof(char) || type == typeof(object)
            || type == typeof(JsonElement) || type == typeof(Utf8JsonReader) || typeof(Stream).IsAssignableFrom(type) || type == typeof(IEnumerable))
        {
            return true;
        }

        if (!seen.Add(type))
        {
            return false;
        }

        return type.GetGenericArguments().Any(inner => Carries(inner, seen))
            || type.Assembly == Shared && type != typeof(TenantId) && !type.IsEnum
                && type.GetProperties().Any(property => property.CanWrite && Carries(property.PropertyType, seen));
    }
}
