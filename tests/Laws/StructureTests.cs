extern alias client;

using System.Reflection;
using System.Text.RegularExpressions;
using Eddy.Tenants;
using NetArchTest.Rules;

namespace Eddy.Tests.Laws;

/// <summary>What holds of the structure, whoever changes it.</summary>
public sealed class StructureTests
{
    private static readonly Assembly Shared = typeof(TenantId).Assembly;
    private static readonly Assembly Web = typeof(WebProgram).Assembly;
    private static readonly Assembly Worker = typeof(WorkerProgram).Assembly;
    private static readonly Assembly Client = typeof(client::Eddy.Client.ClientProgram).Assembly;

    /// <summary>The concepts in the order in which they may know each other: only those before them.</summary>
    private static readonly string[] Concepts = ["Eddy.Tenants", "Eddy.Kvps", "Eddy.Processes", "Eddy.Events", "Eddy.Runs"];

    [Fact]
    public void Shared_never_names_the_web_framework()
    {
        // Identity and data protection keep their rows in EddyDb.
        var result = Types.InAssembly(Shared).That().DoNotResideInNamespace("Eddy.Postgres").And().DoNotResideInNamespace("Eddy.People")
            .ShouldNot().HaveDependencyOn("Microsoft.AspNetCore").GetResult();

        result.FailingTypeNames.ShouldBeNull();
    }

    [Fact]
    public void Only_jobs_and_the_program_name_Hangfire()
    {
        var result = Types.InAssembly(Worker).That().DoNotResideInNamespace("Eddy.Jobs").And().DoNotHaveName(nameof(WorkerProgram))
            .ShouldNot().HaveDependencyOn("Hangfire").GetResult();

        result.FailingTypeNames.ShouldBeNull();
        Types.InAssembly(Web).ShouldNot().HaveDependencyOn("Hangfire").GetResult().FailingTypeNames.ShouldBeNull();
        Types.InAssembly(Shared).ShouldNot().HaveDependencyOn("Hangfire").GetResult().FailingTypeNames.ShouldBeNull();
    }

    [Fact]
    public void The_client_knows_nothing_of_the_product_but_its_API() =>
        Client.GetReferencedAssemblies().Select(assembly => assembly.Name).Where(name => !name!.StartsWith("System.", StringComparison.Ordinal) && !name.StartsWith("Microsoft.Win32.", StringComparison.Ordinal)).ShouldBeEmpty();

    [Fact]
    public void Concepts_know_only_those_before_them()
    {
        for (var i = 0; i < Concepts.Length; i++)
        {
            var later = Concepts[(i + 1)..];
            if (later.Length > 0)
            {
                Types.InAssembly(Shared).That().ResideInNamespace(Concepts[i]).ShouldNot().HaveDependencyOnAny(later).GetResult()
                    .FailingTypeNames.ShouldBeNull($"{Concepts[i]} knows what comes after it");
            }
        }
    }

    [Fact]
    public void Every_public_store_method_takes_the_tenant_first()
    {
        var methods = Shared.GetExportedTypes().Where(type => type.Name.EndsWith("Store", StringComparison.Ordinal))
            .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly));

        var without = methods.Where(method => method.GetParameters().FirstOrDefault()?.ParameterType != typeof(TenantId)).Select(method => $"{method.DeclaringType!.Name}.{method.Name}");

        without.ShouldBeEmpty();
    }

    [Fact]
    public void No_type_has_a_name_that_says_nothing()
    {
        var vague = new Regex("(Manager|Helper|Helpers|Util|Utils|Common|Misc|Impl|Dto|Processor)$");

        var names = new[] { Shared, Web, Worker, Client }.SelectMany(assembly => assembly.GetTypes()).Where(type => type.Namespace?.StartsWith("Eddy", StringComparison.Ordinal) == true)
            .Select(type => type.Name).Where(name => vague.IsMatch(name));

        names.ShouldBeEmpty();
    }

    [Fact]
    public void No_interface_of_ours_has_a_single_class_for_the_sake_of_it()
    {
        foreach (var assembly in new[] { Shared, Web, Worker, Client })
        {
            foreach (var contract in assembly.GetTypes().Where(type => type.IsInterface && type.Namespace?.StartsWith("Eddy", StringComparison.Ordinal) == true))
            {
                assembly.GetTypes().Count(type => type.IsClass && contract.IsAssignableFrom(type)).ShouldBeGreaterThan(1, contract.FullName);
            }
        }
    }

    [Fact]
    public void No_method_of_ours_lets_its_cancellation_token_be_forgotten()
    {
        var optional = new[] { Shared, Web, Worker, Client }.SelectMany(assembly => assembly.GetTypes()).Where(type => type.Namespace?.StartsWith("Eddy", StringComparison.Ordinal) == true)
            .SelectMany(type => type.GetMethods(BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Instance | BindingFlags.Static | BindingFlags.DeclaredOnly))
            .Where(method => method.GetParameters().Any(parameter => parameter.ParameterType == typeof(CancellationToken) && parameter.HasDefaultValue))
            .Select(method => $"{method.DeclaringType!.FullName}.{method.Name}");

        optional.ShouldBeEmpty();
    }
}
