namespace Eddy.Sandbox;

/// <summary>
/// Nothing can run now: the zygote is gone or being started, or the seal does not hold on this machine. It blames nobody; what
/// was asked for left nothing behind and may be asked again.
/// </summary>
public sealed class SandboxUnavailable(string reason, Exception? inner = null) : Exception(reason, inner);
