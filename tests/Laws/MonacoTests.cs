using Eddy.Ide.Files;
using Mono.Cecil;

namespace Eddy.Tests.Laws;

/// <summary>What is static in BlazorMonaco goes through the circuit that came last: through it, people would see each other's text.</summary>
public sealed class MonacoTests
{
    private static readonly string[] Static = ["BlazorMonaco.Editor.Global", "BlazorMonaco.Languages.Global", "BlazorMonaco.Global", "BlazorMonaco.Editor.TextModel"];
    private static readonly string[] ThroughStatic = ["GetModel", "SetModel"];

    [Fact]
    public void Nothing_of_ours_calls_what_is_static_in_BlazorMonaco()
    {
        using var module = ModuleDefinition.ReadModule(typeof(WebProgram).Assembly.Location);
        var ofMonaco = module.GetMemberReferences().Where(member => member.DeclaringType.FullName.StartsWith("BlazorMonaco", StringComparison.Ordinal)).ToList();

        ofMonaco.ShouldContain(member => member.DeclaringType.FullName == typeof(BlazorMonaco.Editor.StandaloneCodeEditor).FullName);
        ofMonaco.Where(member => ThroughStatic.Contains(member.Name) || Static.Contains(member.DeclaringType.FullName)
                || member.Resolve() is MethodDefinition { IsStatic: true, IsConstructor: false })
            .Select(member => member.FullName).ShouldBeEmpty();
    }

    [Fact]
    public void No_editor_of_BlazorMonaco_is_used_as_it_comes()
    {
        var stock = typeof(BlazorMonaco.Editor.StandaloneCodeEditor).Assembly.GetTypes().Where(type => typeof(BlazorMonaco.Editor.Editor).IsAssignableFrom(type)).ToHashSet();
        var sources = Directory.EnumerateFiles(Path.Combine(Repository.Root, "web"), "*.*", SearchOption.AllDirectories)
            .Where(path => Path.GetExtension(path) is ".cs" or ".razor" && !path.Contains("/obj/", StringComparison.Ordinal) && !path.Contains("/bin/", StringComparison.Ordinal));

        stock.Count.ShouldBeGreaterThan(2);
        typeof(WebProgram).Assembly.GetTypes().Where(type => stock.Any(one => one.IsAssignableFrom(type))).ShouldBe([typeof(CodeEditor)]);
        sources.Where(path => File.ReadAllText(path).Contains("@using BlazorMonaco", StringComparison.Ordinal)).ShouldBeEmpty();
        sources.Where(path => stock.Where(type => type.Name != nameof(CodeEditor)).Any(type => File.ReadAllText(path).Contains($"<{type.Name} ", StringComparison.Ordinal))).ShouldBeEmpty();
    }

    [Fact]
    public void The_editor_of_ours_does_not_let_BlazorMonaco_make_it() =>
        typeof(CodeEditor).GetMethod("OnAfterRenderAsync", System.Reflection.BindingFlags.Instance | System.Reflection.BindingFlags.NonPublic)!.DeclaringType.ShouldBe(typeof(CodeEditor));
}
