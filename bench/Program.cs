using System.CommandLine;
using System.Runtime.InteropServices;
using Eddy.Bench;
using Eddy.Bench.Cases;

ICase[] cases = [new FloorCase(), new AcceptCase(), new SettledCase(), new WayCase(), new ChainCase(), new ColdCase(), new ManyCase(), new QuietCase(), new BesideCase(), new CircuitsCase(), new EditorCase(), new MailCase(), new ScriptsCase(), new PagesCase(), new WhyCase(), new SandboxCase()];

var root = new Option<DirectoryInfo>("--root") { Description = "The product's folder.", DefaultValueFactory = _ => new DirectoryInfo(".") };
var quick = new Option<bool>("--quick") { Description = "A second or so for each case: whether it works, not how fast it is." };
var repeat = new Option<int?>("--repeat") { Description = "Rounds (default 3, or 1 with --quick)." };
var only = new Option<string[]>("--only") { Description = "Cases to measure.", AllowMultipleArgumentsPerToken = true };
only.AcceptOnlyFromAmong(Array.ConvertAll(cases, one => one.Name));
var output = new Option<DirectoryInfo?>("--out") { Description = "Where the table goes (default bench/results; with --quick or --only, artifacts/bench)." };
repeat.Validators.Add(given =>
{
    if (given.GetValueOrDefault<int?>() < 1)
    {
        given.AddError("--repeat takes 1 or more.");
    }
});

using var stop = new CancellationTokenSource();
void End(PosixSignalContext signal)
{
    signal.Cancel = true;
    stop.Cancel();
}

using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, End);
using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, End);

var command = new RootCommand("Measures Eddy against what its PostgreSQL can do at most. docs/benchmarks.md says what each case means.") { root, quick, repeat, only, output };
command.SetAction(parsed =>
{
    var isQuick = parsed.GetValue(quick);
    var chosen = parsed.GetValue(only) is { Length: > 0 } names ? cases.Where(one => names.Contains(one.Name)).ToArray() : cases;
    var plan = isQuick ? BenchPlan.Quick(parsed.GetValue(repeat) ?? 1) : BenchPlan.Whole(parsed.GetValue(repeat) ?? 3);
    var place = parsed.GetRequiredValue(root).FullName;
    var folder = parsed.GetValue(output)?.FullName ?? Path.Combine(place, isQuick || chosen.Length < cases.Length ? "artifacts/bench" : "bench/results");
    try
    {
        var table = Measurement.Run(place, folder, plan, chosen, stop.Token);
        Console.WriteLine(File.ReadAllText(table));
        Console.WriteLine(table);
        return 0;
    }
    catch (OperationCanceledException) when (stop.IsCancellationRequested)
    {
        return 130;
    }
    catch (BenchFault fault)
    {
        Console.Error.WriteLine($"bench: {fault.Message}");
        return 1;
    }
});
return command.Parse(args).Invoke();
