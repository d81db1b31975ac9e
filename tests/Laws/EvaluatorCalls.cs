using System.Reflection;
using Mono.Cecil;
using Mono.Cecil.Cil;

namespace Eddy.Tests.Laws;

/// <summary>Finds, in compiled code, what could turn text into behaviour: programs, compilers, expressions, templates, patterns without a limit of time.</summary>
internal static class EvaluatorCalls
{
    /// <summary>Namespaces that nothing of ours has a use for but to evaluate.</summary>
    private static readonly string[] Namespaces =
    [
        "System.CodeDom", "Microsoft.CSharp", "Microsoft.CodeAnalysis", "System.Reflection.Emit", "System.Xml.Xsl", "System.Xml.XPath", "System.Workflow",
        "System.Management.Automation", "Microsoft.JScript", "Microsoft.VisualBasic",
    ];

    private static readonly (string Type, string[] Methods)[] Methods =
    [
        ("System.Diagnostics.Process", ["Start"]),
        ("System.Linq.Expressions.LambdaExpression", ["Compile", "CompileToMethod"]),
        ("System.Linq.Expressions.Expression`1", ["Compile"]),
        ("System.Reflection.Assembly", ["Load", "LoadFrom", "LoadFile", "LoadWithPartialName", "UnsafeLoadFrom", "CreateInstance"]),
        ("System.Runtime.Loader.AssemblyLoadContext", ["LoadFromAssemblyPath", "LoadFromStream", "LoadFromNativeImagePath", "LoadFromAssemblyName"]),
        ("System.AppDomain", ["ExecuteAssembly", "Load"]),
        ("System.Reflection.MethodBase", ["Invoke"]),
        ("System.Type", ["InvokeMember"]),
        ("System.Runtime.InteropServices.NativeLibrary", ["Load", "TryLoad"]),
        ("System.Runtime.InteropServices.Marshal", ["GetDelegateForFunctionPointer"]),
        ("System.Data.DataTable", ["Compute", "Select"]),
        ("System.Data.DataColumn", ["set_Expression"]),
        ("System.Data.DataView", ["set_RowFilter"]),
    ];

    /// <summary>All of them, as <c>Eddy.Sandbox.Zygote: System.Diagnostics.Process.Start</c>.</summary>
    public static IReadOnlyList<string> Of(params Assembly[] assemblies)
    {
        var found = new SortedSet<string>(StringComparer.Ordinal);
        foreach (var assembly in assemblies)
        {
            using var module = ModuleDefinition.ReadModule(assembly.Location);

            // What is generated from a pattern in an attribute has that pattern, and no other.
            foreach (var method in module.GetTypes().Where(type => !Outermost(type).StartsWith("System.Text.RegularExpressions.Generated.", StringComparison.Ordinal)).SelectMany(type => type.Methods))
            {
                if (method.IsPInvokeImpl)
                {
                    found.Add($"{Outermost(method.DeclaringType)}: native {method.PInvokeInfo.EntryPoint}");
                }

                foreach (var called in method.HasBody ? method.Body.Instructions.Select(Called).OfType<MethodReference>() : [])
                {
                    if (IsEvaluator(called))
                    {
                        found.Add($"{Outermost(method.DeclaringType)}: {called.DeclaringType.GetElementType().FullName}.{called.Name.TrimStart('.')}");
                    }
                }
            }
        }

        return [.. found];
    }

    private static MethodReference? Called(Instruction instruction) => instruction.Operand as MethodReference;

    private static bool IsEvaluator(MethodReference called)
    {
        var type = called.DeclaringType.GetElementType().FullName;
        return Namespaces.Any(space => type.StartsWith(space + ".", StringComparison.Ordinal))
            || Methods.Any(one => one.Type == type && one.Methods.Contains(called.Name))
            || type is "System.Activator" or "System.Type" && called.Name is "CreateInstance" or "CreateInstanceFrom" or "GetType" && TakesText(called)
            || type == "System.Text.RegularExpressions.Regex" && TakesText(called) && (called.Name == ".ctor" || !called.HasThis && called.Name is not ("Escape" or "Unescape"))
                && called.Parameters.All(parameter => parameter.ParameterType.FullName != "System.TimeSpan");
    }

    private static bool TakesText(MethodReference called) => called.Parameters.Any(parameter => parameter.ParameterType.FullName == "System.String");

    // What the compiler makes of lambdas and async methods lies in types within the one that was written.
    private static string Outermost(TypeDefinition type)
    {
        while (type.DeclaringType is not null)
        {
            type = type.DeclaringType;
        }

        return type.FullName;
    }
}
