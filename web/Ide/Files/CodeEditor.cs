using BlazorMonaco.Editor;
using Eddy.Files;
using Eddy.Hindsight;
using Eddy.Identity;
using Eddy.Rules;
using Eddy.Sandbox;
using Microsoft.AspNetCore.Components;
using Microsoft.JSInterop;

namespace Eddy.Ide.Files;

/// <summary>
/// The text of one file in Monaco. BlazorMonaco makes its editors, and does all that is static in it, through whichever circuit came last, so that people would see each other's text: this
/// one is made through its own circuit alone, by <c>wwwroot/ide/editor.js</c>, and what Monaco asks about its text comes back to it alone. One component is one document: it takes no other.
/// </summary>
public sealed class CodeEditor : StandaloneCodeEditor, IAsyncDisposable
{
    private static readonly TimeSpan NamesStay = TimeSpan.FromSeconds(5);

    private readonly CancellationTokenSource _end = new();
    private DotNetObjectReference<Editor>? _events;
    private DotNetObjectReference<CodeEditor>? _talk;
    private IJSObjectReference? _script;
    private TenantNames? _names;
    private long _namesAt;

    [Inject] public required TenantNamesReader Names { get; set; }

    [Inject] public required TimeProvider Time { get; set; }

    [Inject] public required FileKeeper Keeper { get; set; }

    [CascadingParameter] public required Seat Seat { get; set; }

    [Parameter, EditorRequired] public required OpenFile File { get; set; }

    /// <summary>Told when what is in it becomes what is saved, or no longer is.</summary>
    [Parameter] public EventCallback<OpenFile> OnMark { get; set; }

    /// <summary>Saves what is in it, over this version. The answer is the version that it became; null where it was not saved.</summary>
    [Parameter, EditorRequired] public required Func<OpenFile, byte[], long, Task<long?>> OnSave { get; set; }

    /// <summary>What comes before a file's path where its draft is kept in the browser.</summary>
    internal static string DraftsOf(Seat seat) => $"eddy:draft:{seat.Person:N}:{seat.Tenant.Value:N}:";

    internal async Task SaveAsync()
    {
        if (_script is not null)
        {
            await _script.InvokeVoidAsync("save", Id);
        }
    }

    internal async Task FocusAsync(int? line)
    {
        if (_script is not null)
        {
            await _script.InvokeVoidAsync("focus", Id, line);
        }
    }

    internal async Task TidyAsync()
    {
        if (_script is not null)
        {
            await _script.InvokeVoidAsync("tidy", Id);
        }
    }

    /// <summary>Puts another text in, as one step that can be undone.</summary>
    /// <param name="version">What it is saved as; null where it is not.</param>
    internal async Task PutAsync(string text, long? version)
    {
        if (_script is not null)
        {
            await _script.InvokeVoidAsync("put", Id, text, version);
        }
    }

    /// <summary>What is in it now, saved or not; null where it is gone, or too long.</summary>
    internal async Task<string?> TextAsync() =>
        _script is not null && await _script.InvokeAsync<IJSStreamReference?>("textOf", _end.Token, Id) is { } sent && await ReadAsync(sent) is { } content ? FileStore.TextOf(content) : null;

    /// <summary>Shows at the ends of lines what their expressions were in a run, until something is typed.</summary>
    internal async Task ShineAsync(IReadOnlyList<SeenLine> lines, RunOutcome outcome)
    {
        if (_script is not null)
        {
            await _script.InvokeVoidAsync("shine", Id, lines.Select(line => new { line.Line, line.IsPassed, Chips = line.Chips.Select(chip => chip.Told) }), outcome == RunOutcome.No ? "no" : outcome == RunOutcome.Ran ? "ran" : "failed");
        }
    }

    /// <summary>Marks the lines at which tests failed, until something is typed.</summary>
    internal async Task PointAsync(IReadOnlyList<RanTest> failed)
    {
        if (_script is not null)
        {
            await _script.InvokeVoidAsync("point", Id, failed.Select(test => new { Line = test.Line ?? test.FirstLine, test.Message }));
        }
    }

    [JSInvokable]
    public async Task<long?> SaveAsync(IJSStreamReference sent, long over) => await ReadAsync(sent) is { } content ? await OnSave(File, content, over) : null;

    [JSInvokable]
    public Task MarkAsync(bool isDirty)
    {
        File.IsDirty = isDirty;
        return OnMark.InvokeAsync(File);
    }

    /// <summary>What is wrong with what is in it; null where nobody can say now.</summary>
    [JSInvokable]
    public async Task<IReadOnlyList<Finding>?> CheckAsync(IJSStreamReference sent)
    {
        try
        {
            if (await ReadAsync(sent) is not { } content)
            {
                return null;
            }

            File.Draft = FileStore.TextOf(content);
            if (File.ShowsPreview)
            {
                await OnMark.InvokeAsync(File);
            }

            return (await Keeper.CompileAsync(Seat.Tenant, File.Path, content, _end.Token)).Findings;
        }
        catch (SandboxUnavailable)
        {
            return null;
        }
    }

    [JSInvokable]
    public async Task<IReadOnlyList<Proposal>> CompleteAsync(string before) => (await NamesAsync()).Complete(before);

    [JSInvokable]
    public async Task<string?> ExplainAsync(string before) => (await NamesAsync()).Explain(before);

    [JSInvokable]
    public async Task<CallForm?> SignatureAsync(string call) => (await NamesAsync()).SignatureOf(call);

    public async ValueTask DisposeAsync()
    {
        if (File.Editor == this)
        {
            File.Editor = null;
        }

        await _end.CancelAsync();
        try
        {
            if (_script is not null)
            {
                await _script.InvokeVoidAsync("close", Id);
                await _script.DisposeAsync();
            }
        }
        catch (Exception gone) when (gone is JSDisconnectedException or OperationCanceledException)
        {
            // The page is closed, and its editor with it.
        }

        Dispose();
    }

    public override void Dispose()
    {
        _end.Dispose();
        _talk?.Dispose();
        _events?.Dispose();
        base.Dispose();
        GC.SuppressFinalize(this);
    }

    protected override async Task OnAfterRenderAsync(bool firstRender)
    {
        // The stock one would make the editor here, through the circuit that came last.
        if (!firstRender)
        {
            return;
        }

        (_events, _talk) = (DotNetObjectReference.Create<Editor>(this), DotNetObjectReference.Create(this));
        try
        {
            _script = await jsRuntime.InvokeAsync<IJSObjectReference>("import", _end.Token, "/ide/editor.js");
            var draft = await _script.InvokeAsync<Draft?>("open", _end.Token, Id, new
            {
                File.Path, File.Text, File.Version, File.IsReadOnly, Keep = DraftsOf(Seat) + File.Path, IsChecked = FilePath.IsChecked(File.Path) && !File.IsReadOnly,
            }, _talk, _events);
            (File.Editor, File.BroughtBack) = (this, draft is null ? null : DateTimeOffset.FromUnixTimeMilliseconds(draft.At));
            await OnMark.InvokeAsync(File);
        }
        catch (Exception gone) when (gone is JSDisconnectedException or OperationCanceledException)
        {
            // It was closed before it was open.
        }
    }

    /// <summary>As they were a few seconds ago at most: whoever types asks at every key.</summary>
    private async Task<TenantNames> NamesAsync()
    {
        if (_names is null || Time.GetElapsedTime(_namesAt) > NamesStay)
        {
            var names = await Names.ReadAsync(Seat, _end.Token);
            (_names, _namesAt) = (FilePath.IsTest(File.Path) ? names with { Language = LanguageNames.OfTests } : names, Time.GetTimestamp());
        }

        return _names;
    }

    private async Task<byte[]?> ReadAsync(IJSStreamReference sent)
    {
        await using (sent)
        {
            if (sent.Length > Keeper.MostBytes)
            {
                File.Word = new FileWord("failed", $"A file has at most {Keeper.MostBytes} bytes; this one has {sent.Length}.");
                await OnMark.InvokeAsync(File);
                return null;
            }

            await using var stream = await sent.OpenReadStreamAsync(Keeper.MostBytes, _end.Token);
            using var content = new MemoryStream();
            await stream.CopyToAsync(content, _end.Token);
            return content.ToArray();
        }
    }

    private sealed record Draft(long At, long Base);
}
