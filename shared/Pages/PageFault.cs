namespace Eddy.Pages;

/// <summary>Why a page can not be shown, in a sentence for whoever wrote it.</summary>
public sealed class PageFault(string message) : Exception(message);
