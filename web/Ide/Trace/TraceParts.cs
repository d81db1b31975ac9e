namespace Eddy.Ide.Trace;

internal static class TraceParts
{
    public static void AddTrace(this IServiceCollection services) => services.AddSingleton<TraceJudge>().AddSingleton<TraceReader>().AddSingleton<RulePlaces>();
}
