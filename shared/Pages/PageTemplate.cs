using System.Text.RegularExpressions;
using Fluid;
using Fluid.Values;

namespace Eddy.Pages;

/// <summary>A template of a tenant, parsed when it is first needed.</summary>
internal sealed class PageTemplate(string text)
{
    private readonly Lock _lock = new();
    private IFluidTemplate? _body;
    private string? _error;

    public string Text => text;

    public PageAudience Audience { get; } = PageAudience.Of(text, out _);

    /// <summary>Whether it may ask who looks. Where no template of a page does, all who see the same share a rendering.</summary>
    public bool MayAskVisitor { get; } = text.Contains("visitor", StringComparison.Ordinal);

    /// <exception cref="PageFault">It does not parse.</exception>
    public IFluidTemplate Body(string path)
    {
        lock (_lock)
        {
            if (_body is null && _error is null)
            {
                _body = PageGrammar.Instance.Parse(text, out _error);
            }

            return _body ?? throw new PageFault($"{path} is not in order: {_error!.Split('\n')[0]}.");
        }
    }
}

/// <summary>A page as it was rendered.</summary>
/// <param name="Reads">What of the tenant it shows.</param>
public sealed record PageRendering(string Html, PageReads Reads);

/// <summary>The templates of a tenant as they are in force, at one version of its tree.</summary>
public sealed partial class PageSet(long version, IReadOnlyDictionary<string, string> texts)
{
    /// <summary>A page has no more characters once it is rendered.</summary>
    public const int MostCharacters = 1 << 20;

    private static readonly TimeSpan Time = TimeSpan.FromSeconds(5);

    private readonly Dictionary<string, PageTemplate> _templates = texts.ToDictionary(one => one.Key, one => new PageTemplate(one.Value), StringComparer.Ordinal);

    /// <summary>That of the tenant's tree.</summary>
    public long Version => version;

    /// <summary>How many characters all of them have.</summary>
    public long Weight { get; } = 1000 + texts.Sum(one => (long)one.Value.Length);

    public IEnumerable<string> Paths => _templates.Keys;

    internal PageTemplate? Find(string path) => _templates.GetValueOrDefault(path);

    /// <summary>Whether there is such a page.</summary>
    public bool Has(string path) => _templates.ContainsKey(path);

    /// <summary>Whom the page is for.</summary>
    public PageAudience AudienceOf(string path) => _templates[path].Audience;

    /// <summary>Whether the page may show who looks at it: it, or a part that it may include.</summary>
    public bool MayAskVisitor(string path) => _templates[path].MayAskVisitor || _templates.Any(one => PagePath.IsPart(one.Key) && one.Value.MayAskVisitor);

    /// <summary>The same with another text of one of them, as somebody types it.</summary>
    public PageSet With(string path, string text) => new(version, new Dictionary<string, string>(texts, StringComparer.Ordinal) { [path] = text });

    /// <summary>Renders a page.</summary>
    /// <param name="pid">The process that it is asked for; null for none.</param>
    /// <exception cref="PageFault">It can not be shown.</exception>
    public async Task<PageRendering> RenderAsync(Tenants.TenantId tenant, string path, long? pid, PageReader reader, TimeZoneInfo zone, PageSources sources, DateTimeOffset now, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(Time);
        var run = new PageRun(tenant, reader, zone, sources, limit.Token);
        await using var html = new HtmlWriter(MostCharacters);
        try
        {
            FluidValue process = pid is { } asked && await run.HasAsync(asked) ? new ProcessValue(run, asked) : NilValue.Instance;
            await _templates[path].Body(path).RenderAsync(html, NullEncoder.Default, PageGrammar.Instance.Context(run, this, reader, now, process));
        }
        catch (OperationCanceledException) when (!cancel.IsCancellationRequested)
        {
            throw new PageFault($"The page took longer than {Time.TotalSeconds:0} seconds. Ask for less: by an indexed key, or with a lower limit.");
        }
        catch (InvalidOperationException fault) when (fault.Message.Contains("recursion", StringComparison.Ordinal))
        {
            throw new PageFault($"The page takes more than {PageGrammar.MostSteps:N0} steps. Loop over less.");
        }
        catch (Exception fault) when (fault is ArithmeticException or FormatException or ArgumentException or InvalidCastException or FluidException)
        {
            throw new PageFault($"The page can not be computed: {fault.Message}");
        }

        return new PageRendering(WithScripts(html.ToString()), run.Reads);
    }

    /// <summary>With what makes the page live, before the page's own scripts.</summary>
    private static string WithScripts(string html)
    {
        var at = Head().Match(html) is { Success: true } head ? head.Index + head.Length : Doctype().Match(html).Length;
        return html.Insert(at, Scripts);
    }

    private const string Scripts =
        "<script src=\"/_eddy/signalr.min.js\" defer></script><script src=\"/_eddy/idiomorph.min.js\" defer></script><script src=\"/_eddy/eddy.js\" defer data-eddy-live></script>";

    [GeneratedRegex("""<head(\s[^>]*)?>""", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Head();

    [GeneratedRegex("""^\s*(<!doctype[^>]*>)?\s*(<html[^>]*>)?""", RegexOptions.IgnoreCase | RegexOptions.CultureInvariant, 1000)]
    private static partial Regex Doctype();
}
