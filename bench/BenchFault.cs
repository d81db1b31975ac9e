namespace Eddy.Bench;

/// <summary>Why something could not be measured.</summary>
internal sealed class BenchFault(string message) : Exception(message);
