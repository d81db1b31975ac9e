using System.Text;
using Eddy.Files;
using Eddy.Hindsight;
using Eddy.Ide.Hindsight;
using Eddy.Ide.Trace;
using Eddy.Identity;
using Eddy.Postgres;
using Eddy.Push;
using Eddy.Sandbox;
using Eddy.Sites;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Authorization;
using Microsoft.JSInterop;

namespace Eddy.Ide.Files;

/// <summary>A tenant's files and an editor for those that are open. What is typed is in the browser until it is saved; what others save is shown at once, and never over it.</summary>
public sealed partial class FilesScreen : IAsyncDisposable
{
    private const int Tree = 0;
    private const int Code = 1;

    // One of them is there at a time on a phone.
    private static readonly string[] Panes = ["Files", "Code", "Trace", "Console"];

    private static readonly WriteCondition OnlyNew = new(MustBeNew: true, MustBeThere: false, null);

    private readonly CancellationTokenSource _end = new();
    private readonly List<OpenFile> _open = [];
    private readonly HashSet<string> _drafts = new(StringComparer.Ordinal);
    private DotNetObjectReference<FilesScreen>? _talk;
    private IJSObjectReference? _script;
    private IReadOnlyList<FileEntry> _files = [];
    private IReadOnlyList<string> _tried = [];
    private OpenFile? _shown;
    private Ask? _asked;
    private ElementReference _root;
    private ElementReference _doom;
    private long? _version;
    private int? _lineToShow;
    private RanTests? _ran;
    private string? _testsSaid;
    private bool _showsTests;
    private bool _isTesting;
    private bool _isRead;
    private bool _isMissing;
    private bool _isFinding;
    private int _pane = Code;
    private bool _isDoomShown;

    private enum AskKind
    {
        New,
        Move,
        Delete,
    }

    [Inject] public required FileStore Store { get; set; }

    [Inject] public required FileKeeper Keeper { get; set; }

    [Inject] public required RuleTester Tester { get; set; }

    [Inject] public required Pulses Pulses { get; set; }

    [Inject] public required Seats Seats { get; set; }

    [Inject] public required NavigationManager Way { get; set; }

    [Inject] public required IJSRuntime Browser { get; set; }

    [Inject] public required TimeProvider Time { get; set; }

    [Inject] public required SiteHosts Hosts { get; set; }

    [Inject] public required RulePlaces Places { get; set; }

    [Parameter] public required string Slug { get; set; }

    [Parameter] public string? Path { get; set; }

    /// <summary>The line to go to.</summary>
    [SupplyParameterFromQuery] public int? Line { get; set; }

    /// <summary>The event on which a draft of the file is to be tried.</summary>
    [SupplyParameterFromQuery] public long? Try { get; set; }

    /// <summary>The folder in which a file is to be made.</summary>
    [SupplyParameterFromQuery] public string? Make { get; set; }

    [CascadingParameter] public required Seat Seat { get; set; }

    [CascadingParameter] public required Task<AuthenticationState> Signed { get; set; }

    private HashSet<string> Unsaved => [.. _drafts, .. _open.Where(file => file.IsDirty).Select(file => file.Path)];

    private string Folder => Path is not null && Path.Contains('/', StringComparison.Ordinal) ? Path[..(Path.IndexOf('/', StringComparison.Ordinal) + 1)] : "scripts/";

    [JSInvokable]
    public Task FindAsync()
    {
        _isFinding = true;
        return InvokeAsync(StateHasChanged);
    }

    [JSInvokable]
    public Task MoveAsync(string path) => AskAsync(AskKind.Move, path);

    [JSInvokable]
    public Task DeleteAsync(string path) => AskAsync(AskKind.Delete, path);

    public async ValueTask DisposeAsync()
    {
        await _end.CancelAsync();
        _end.Dispose();
        _talk?.Dispose();
        try
        {
            if (_script is not null)
            {
                await _script.InvokeVoidAsync("leave");
                await _script.DisposeAsync();
            }
        }
        catch (Exception gone) when (gone is JSDisconnectedException or OperationCanceledException)
        {
            // The page is closed.
        }
    }

    protected override async Task OnInitializedAsync()
    {
        await ListAsync();
        _isRead = true;
        _ = WatchAsync();
    }

    protected override async Task OnParametersSetAsync()
    {
        if (Seat.MayChangeRules && Make is not null && FilePath.Folders.Contains(Make.TrimEnd('/')))
        {
            _asked = new Ask(AskKind.New, Make.TrimEnd('/') + "/");
        }

        if (string.IsNullOrEmpty(Path))
        {
            Path = null;
            (_shown, _isMissing, _pane) = (null, false, Tree);
            if (_files.FirstOrDefault(file => file.Path.StartsWith("scripts/", StringComparison.Ordinal)) is { } first)
            {
                Way.NavigateTo(AddressOf(first.Path), replace: true);
            }

            return;
        }

        _lineToShow = Line;
        if (_shown?.Path != Path)
        {
            await ShowAsync(Path);
            if (Try is not null && _shown is { ShowsDryRun: false } tried && MayTry(tried))
            {
                await TryAsync(tried);
            }
        }
        else if (_lineToShow is { } line && _shown.Editor is { } editor)
        {
            _lineToShow = null;
            await editor.FocusAsync(line);
        }
    }

    protected override async Task OnAfterRenderAsync(bool firstRender)
    {
        if (firstRender)
        {
            try
            {
                _script = await Browser.InvokeAsync<IJSObjectReference>("import", _end.Token, "/ide/editor.js");
                _talk = DotNetObjectReference.Create(this);
                await _script.InvokeVoidAsync("attend", _end.Token, _root, _talk);
                _drafts.UnionWith(await _script.InvokeAsync<string[]>("drafts", _end.Token, CodeEditor.DraftsOf(Seat)));
                foreach (var path in _drafts.Where(path => _open.All(file => file.Path != path) && _files.Any(file => file.Path == path)).ToList())
                {
                    await OpenAsync(path);
                }

                StateHasChanged();
            }
            catch (Exception gone) when (gone is JSDisconnectedException or OperationCanceledException)
            {
                // The page is closed.
            }
        }

        var isDoomed = _asked is { Kind: AskKind.Delete } || _shown?.Breaks is not null;
        if (isDoomed && !_isDoomShown && _script is not null)
        {
            _isDoomShown = true;
            await _script.InvokeVoidAsync("showModal", _doom);
        }
        else if (!isDoomed)
        {
            _isDoomShown = false;
        }
    }

    /// <summary>Pages and cards are shown beside their text, to whoever may change it, where the tenant has a host.</summary>
    private bool MayShow(OpenFile file) => Hosts.AreOn && Seat.MayChangeRules && file.Text is not null && DraftPage.Shows(file.Path);

    /// <summary>Scripts are tried by whoever may change them.</summary>
    private bool MayTry(OpenFile file) => Seat.MayChangeRules && file.Text is not null && file.Path.StartsWith("scripts/", StringComparison.Ordinal) && FilePath.IsModule(file.Path);

    /// <summary>Tests stand beside what they are about, and beside themselves.</summary>
    private bool MayTest(OpenFile file) => Seat.MayChangeRules && file.Text is not null && FilePath.IsModule(file.Path);

    private async Task TurnTestsAsync()
    {
        _showsTests = !_showsTests;
        if (_showsTests)
        {
            _shown!.ShowsDryRun = _shown.ShowsHistory = false;
            if (_ran is null)
            {
                await TestAsync();
            }
        }
    }

    /// <summary>Runs the tests with what is typed in the place of what is saved.</summary>
    private async Task TestAsync()
    {
        if (_isTesting || await StillAsync() is not { } seat)
        {
            return;
        }

        _isTesting = true;
        StateHasChanged();
        try
        {
            var drafts = new List<Draft>();
            foreach (var file in _open.Where(file => file is { IsDirty: true, Editor: not null, Text: not null } && FilePath.IsModule(file.Path)).ToList())
            {
                if (await file.Editor!.TextAsync() is { } text)
                {
                    drafts.Add(new Draft(file.Path, text));
                }
            }

            (_ran, _testsSaid) = (await Tester.RunAsync(seat.Tenant, seat.Zone.Id, drafts, null, _end.Token), null);
            await PointAsync();
        }
        catch (SandboxUnavailable unavailable)
        {
            _testsSaid = CanNotRun(unavailable);
        }
        catch (Exception gone) when (gone is JSDisconnectedException or OperationCanceledException or ObjectDisposedException)
        {
            // The screen is closed.
        }
        finally
        {
            _isTesting = false;
            StateHasChanged();
        }
    }

    private static string CanNotRun(SandboxUnavailable unavailable) => $"They can not be run now: {unavailable.Message}";

    /// <summary>Marks the lines at which tests failed.</summary>
    private async Task PointAsync()
    {
        foreach (var file in _open.Where(file => FilePath.IsTest(file.Path)).ToList())
        {
            await (file.Editor?.PointAsync([.. (_ran?.Tests ?? []).Where(test => test.Path == file.Path && !test.Passed)]) ?? Task.CompletedTask);
        }
    }

    /// <summary>The tests that pass with what is in force, and would not with this.</summary>
    private async Task<IReadOnlyList<RanTest>> BrokenAsync(Seat seat, string path, byte[] content)
    {
        if (!FilePath.IsModule(path) || FileStore.TextOf(content) is not { } text || !FilePath.IsTest(path) && _files.All(file => !FilePath.IsTest(file.Path)))
        {
            return [];
        }

        try
        {
            var ran = await Tester.RunAsync(seat.Tenant, seat.Zone.Id, [new Draft(path, text)], null, _end.Token);
            (_ran, _testsSaid) = (ran, null);
            await PointAsync();
            // What does not compile does not come into force, and breaks nothing.
            if (ran.AllPassed || FilePath.IsTest(path) || (await Keeper.CompileAsync(seat.Tenant, path, content, _end.Token)).Findings.Any(finding => finding.IsError))
            {
                return [];
            }

            var before = await Tester.RunAsync(seat.Tenant, seat.Zone.Id, [], null, _end.Token);
            var broken = before.Tests.Where(test => test.Passed).Select(test => ran.Tests.FirstOrDefault(one => (one.Path, one.Name) == (test.Path, test.Name)) ?? test with { Message = "It was not run." }).Where(test => !test.Passed);
            // Where a file does not load, that is why.
            var fault = ran.Faults.FirstOrDefault(fault => fault.File == path) ?? (ran.Faults.Count > before.Faults.Count ? ran.Faults[^1] : null);
            return [.. fault is null ? broken : broken.Select(test => test with { Message = $"{fault.File}{(fault.Line is { } line ? $":{line}" : null)} does not load: {fault.Message}" })];
        }
        catch (SandboxUnavailable unavailable)
        {
            // A save does not wait for its tests.
            (_ran, _testsSaid) = (null, CanNotRun(unavailable));
            return [];
        }
    }

    /// <summary>What is typed by now is saved, whatever it breaks.</summary>
    private static Task SaveAllTheSameAsync(OpenFile file)
    {
        (file.Breaks, file.IsSure) = (null, true);
        return file.Editor?.SaveAsync() ?? Task.CompletedTask;
    }

    private static void Forgo(OpenFile file)
    {
        if (file.Breaks is not null)
        {
            (file.Breaks, file.Word) = (null, new FileWord("held", "It is not saved. Your text stays here."));
        }
    }

    private void SeeTests(OpenFile file)
    {
        Forgo(file);
        (_showsTests, file.ShowsDryRun, file.ShowsHistory) = (true, false, false);
    }

    private async Task TryAsync(OpenFile file)
    {
        if (!file.ShowsDryRun)
        {
            _tried = await RulesOfAsync(file.Path);
        }

        (file.ShowsDryRun, file.ShowsHistory) = (!file.ShowsDryRun, false);
    }

    private async Task WhyAsync(string path) =>
        Way.NavigateTo(WhyScreen.AddressOf(Slug, await RulesOfAsync(path) is [var first, ..] ? $"{path}:{first}" : null, null, null));

    /// <summary>The classes of the rules of a file, as it is in force.</summary>
    private async Task<IReadOnlyList<string>> RulesOfAsync(string path) => [.. (await Places.ReadAsync(Seat.Tenant, _end.Token) ?? []).Where(rule => rule.File == path).Select(rule => rule.Look.Name)];

    private static string NameOf(string path) => path[(path.LastIndexOf('/') + 1)..];

    private string AddressOf(string path) => $"/t/{Slug}/rules/{FileItem.EscapedPath(path)}";

    private async Task ListAsync() => _files = await Store.ListAsync(Seat.Tenant, _end.Token);

    private async Task ShowAsync(string path)
    {
        _pane = Code;
        _shown = await OpenAsync(path);
        _isMissing = _shown is null;
        if (FilePath.IsTest(path) && _shown is not null)
        {
            _showsTests = true;
            _ = InvokeAsync(TestAsync);
        }

        if (_shown?.Editor is { } editor)
        {
            var line = _lineToShow;
            _lineToShow = null;
            await editor.FocusAsync(line);
        }
    }

    private async Task<OpenFile?> OpenAsync(string path)
    {
        if (_open.Find(file => file.Path == path) is { } known)
        {
            return known;
        }

        if (await Store.FindAsync(Seat.Tenant, path, _end.Token) is not { } found)
        {
            return null;
        }

        if (_open.Find(file => file.Path == path) is { } meanwhile)
        {
            // It was asked for twice, as a screen is that is left and come to at once.
            return meanwhile;
        }

        var file = new OpenFile(path, FileStore.TextOf(found.Content), found.Version, !Seat.MayChangeRules || path == FilePath.Lock) { Word = Standing(found) };
        _open.Add(file);
        return file;
    }

    /// <summary>What there is to say of a file that is not in force as it is.</summary>
    private static FileWord? Standing(TenantFile file) => file.Faults is null ? null : NotInForce(file.Path, file.Version, file.InForce, FileFault.Of(file.Faults));

    private static FileWord NotInForce(string path, long version, long? inForce, IReadOnlyList<FileFault> faults)
    {
        var line = faults.FirstOrDefault(fault => fault.Line is not null)?.Line;
        var what = path == FilePath.Requirements
            ? line is null ? faults[0].Message : $"line {line} can not be had: {faults.First(fault => fault.Line == line).Message}"
            : line is null ? faults[0].Message : $"line {line} does not compile.";
        return new FileWord("failed", $"Version {version} is saved but not in force: {what} {(inForce is { } still ? $"Version {still} still runs." : "No version of it runs.")}", line);
    }

    private void Close(OpenFile file)
    {
        var at = _open.IndexOf(file);
        _open.Remove(file);
        if (file.IsDirty)
        {
            _drafts.Add(file.Path);
        }

        if (file == _shown)
        {
            _shown = null;
            Way.NavigateTo(_open.Count == 0 ? $"/t/{Slug}/rules/" : AddressOf(_open[Math.Min(at, _open.Count - 1)].Path));
        }
    }

    private async Task MarkAsync(OpenFile file)
    {
        if (file.IsDirty)
        {
            // What the last save came to is about another text.
            file.Word = file.Word is { State: "ran" } ? null : file.Word;
        }
        else
        {
            _drafts.Remove(file.Path);
            if (FilePath.IsTest(file.Path))
            {
                // Its editor may have come after the tests had run.
                await PointAsync();
            }
        }

        StateHasChanged();
        if (file == _shown && _lineToShow is { } line && file.Editor is { } editor)
        {
            _lineToShow = null;
            await editor.FocusAsync(line);
        }
    }

    /// <summary>The person's seat as it is now: it may have been taken since the screen was opened.</summary>
    private async Task<Seat?> StillAsync() => await Seats.FindAsync((await Signed).User, Slug, _end.Token) is { MayChangeRules: true } seat ? seat : null;

    private async Task<long?> SaveAsync(OpenFile file, byte[] content, long over)
    {
        var isSure = file.IsSure;
        (file.BroughtBack, file.IsSure) = (null, false);
        if (await StillAsync() is not { } seat)
        {
            file.Word = new FileWord("failed", "It is not saved: you may no longer change the rules of this tenant. Your text stays in this browser.");
            StateHasChanged();
            return null;
        }

        try
        {
            if (!isSure && await BrokenAsync(seat, file.Path, content) is { Count: > 0 } broken)
            {
                file.Breaks = broken;
                StateHasChanged();
                return null;
            }

            var condition = over == 0 ? OnlyNew : new WriteCondition(MustBeNew: false, MustBeThere: true, [over]);
            switch (await Keeper.SaveAsync(seat.Tenant, file.Path, content, seat.Actor, condition, _end.Token))
            {
                case SaveOutcome.Saved saved:
                    (file.Version, file.Text, file.Word, file.Clash) = (saved.File.Version, FileStore.TextOf(content), WordOf(saved, FilePath.IsModule(file.Path) ? _ran : null), null);
                    await ListAsync();
                    StateHasChanged();
                    return saved.File.Version;
                case SaveOutcome.Changed changed:
                    await MeetAsync(file, content, over);
                    break;
                default:
                    file.Word = new FileWord("failed", $"It is not saved: a tenant has at most {FileStore.MostFiles} files.");
                    break;
            }
        }
        catch (SandboxUnavailable unavailable)
        {
            file.Word = new FileWord("failed", $"It is not saved, because it can not be checked now: {unavailable.Message} Your text stays in this browser.");
        }

        StateHasChanged();
        return null;
    }

    private static FileWord WordOf(SaveOutcome.Saved saved, RanTests? ran)
    {
        var file = saved.File;
        if (file.Faults is not null)
        {
            return NotInForce(file.Path, file.Version, file.InForce, FileFault.Of(file.Faults));
        }

        var more = saved.Retried switch { 0 => "", 1 => " 1 run in quarantine is tried again.", var many => $" {many} runs in quarantine are tried again." };
        var tests = ran is { Tests.Count: > 0 } or { Faults.Count: > 0 } ? $" {TestsPane.Summary(ran)}" : "";
        return new FileWord(ran is null or { AllPassed: true } ? "ran" : "held", $"Saved as version {file.Version}.{more}{tests}");
    }

    /// <summary>Somebody else saved: puts both together, as far as they go together.</summary>
    private async Task MeetAsync(OpenFile file, byte[] content, long over)
    {
        var mine = FileStore.TextOf(content)!;
        if (await Store.FindAsync(Seat.Tenant, file.Path, _end.Token) is not { } theirs)
        {
            file.Word = new FileWord("failed", "It was deleted or moved while you typed. Your text stays here: copy it to keep it elsewhere, or make the file anew.");
            return;
        }

        if (FileStore.TextOf(theirs.Content) is not { } text)
        {
            file.Word = new FileWord("failed", $"{Seat.NameOf(theirs.Author)} saved version {theirs.Version} while you typed, and it is no text. Your text stays in this browser.");
            return;
        }

        var origin = await Store.VersionAsync(Seat.Tenant, file.Path, over, _end.Token) is { } was ? FileStore.TextOf(was) ?? "" : "";
        file.Word = null;
        file.Clash = new Clash(Seat.NameOf(theirs.Author), theirs.Version, mine, TextMerge.Of(origin, text, mine));
    }

    private async Task SaveMergedAsync(OpenFile file, Clash clash, string text)
    {
        if (await SaveAsync(file, Encoding.UTF8.GetBytes(text), clash.Version) is { } version)
        {
            await file.Editor!.PutAsync(text, version);
        }
    }

    private static async Task RestoreAsync(OpenFile file, long version, string text)
    {
        file.ShowsHistory = false;
        await file.Editor!.PutAsync(text, null);
        file.Word = new FileWord("held", $"This is version {version} again. Save to put it in force; Ctrl Z takes it back.");
    }

    private static async Task DropAsync(OpenFile file)
    {
        file.BroughtBack = null;
        await file.Editor!.PutAsync(file.Text!, file.Version);
    }

    private void OpenFound(string path)
    {
        _isFinding = false;
        Way.NavigateTo(AddressOf(path));
    }

    private Task AskAsync(AskKind kind, string path)
    {
        if (Seat.MayChangeRules && path != FilePath.Lock && (kind != AskKind.Move || path != FilePath.Requirements))
        {
            _asked = new Ask(kind, path);
        }

        return InvokeAsync(StateHasChanged);
    }

    private async Task<string?> MakeAsync(string path)
    {
        if (await StillAsync() is not { } seat)
        {
            return "You may no longer change the rules of this tenant.";
        }

        try
        {
            switch (await Keeper.SaveAsync(seat.Tenant, path, Encoding.UTF8.GetBytes(FirstText.Of(path)), seat.Actor, OnlyNew, _end.Token))
            {
                case SaveOutcome.Saved:
                    (_asked, _isMissing) = (null, false);
                    await ListAsync();
                    await GoAsync(path);
                    return null;
                case SaveOutcome.Changed:
                    return $"{path} is there already.";
                default:
                    return $"A tenant has at most {FileStore.MostFiles} files.";
            }
        }
        catch (SandboxUnavailable unavailable)
        {
            return $"It can not be made now: {unavailable.Message}";
        }
    }

    private async Task<string?> MoveAsync(string from, string to)
    {
        if (await StillAsync() is not { } seat)
        {
            return "You may no longer change the rules of this tenant.";
        }

        if (_open.Find(file => file.Path == from) is { IsDirty: true })
        {
            return $"{NameOf(from)} has changes that are not saved. Save them, then move it.";
        }

        try
        {
            switch (from == to ? new MoveOutcome.Taken() : await Keeper.MoveAsync(seat.Tenant, from, to, seat.Actor, _end.Token))
            {
                case null:
                    return "It does not compile, here or there, and what runs of it would stop. Mend it, then move it.";
                case MoveOutcome.Taken:
                    return $"{to} is there already.";
                case MoveOutcome.Changed:
                    return "Somebody else changed it just now. Look at it, then move it.";
                default:
                    _asked = null;
                    _open.RemoveAll(file => file.Path == from);
                    await ListAsync();
                    await GoAsync(to);
                    return null;
            }
        }
        catch (SandboxUnavailable unavailable)
        {
            return $"It can not be moved now: {unavailable.Message}";
        }
    }

    private async Task DeleteNowAsync(string path)
    {
        _asked = null;
        if (await StillAsync() is not { } seat)
        {
            return;
        }

        var seen = _open.Find(file => file.Path == path)?.Version ?? _files.FirstOrDefault(file => file.Path == path)?.Version ?? 0;
        if (await Store.DeleteAsync(seat.Tenant, path, seat.Actor, new WriteCondition(MustBeNew: false, MustBeThere: true, [seen]), _end.Token) is SaveOutcome.Changed { Version: not null }
            && _open.Find(file => file.Path == path) is { } open)
        {
            open.Word = new FileWord("held", "It is not deleted: somebody else saved it just now. Look at it, then delete it.");
            return;
        }

        await ListAsync();
        if (_open.Find(file => file.Path == path) is { } gone)
        {
            gone.IsDirty = false;
            Close(gone);
            await (_script?.InvokeVoidAsync("drop", CodeEditor.DraftsOf(Seat) + path) ?? ValueTask.CompletedTask);
        }
    }

    private async Task GoAsync(string path)
    {
        if (Path == path)
        {
            await ShowAsync(path);
        }
        else
        {
            Way.NavigateTo(AddressOf(path));
        }

        StateHasChanged();
    }

    /// <summary>Looks once a second whether somebody saved.</summary>
    private async Task WatchAsync()
    {
        using var timer = new PeriodicTimer(TimeSpan.FromSeconds(1), Time);
        try
        {
            while (await timer.WaitForNextTickAsync(_end.Token))
            {
                var version = (await Pulses.ReadAsync(Seat.Tenant)).Version;
                if (version != _version)
                {
                    _version = version;
                    await InvokeAsync(FollowAsync);
                }
            }
        }
        catch (Exception ended) when (ended is OperationCanceledException or ObjectDisposedException)
        {
            // The screen is closed.
        }
    }

    private async Task FollowAsync()
    {
        await ListAsync();
        foreach (var file in _open.Where(file => file.Text is not null).ToList())
        {
            if (_files.FirstOrDefault(one => one.Path == file.Path) is { } now && now.Version > file.Version && file.Editor is not null && file.Clash is null)
            {
                if (file.IsDirty)
                {
                    file.Word = new FileWord("held", $"{Seat.NameOf(now.Author)} saved version {now.Version} while you typed. When you save, you see both.");
                }
                else if (await Store.FindAsync(Seat.Tenant, file.Path, _end.Token) is { } found && FileStore.TextOf(found.Content) is { } text)
                {
                    (file.Text, file.Version) = (text, found.Version);
                    file.Word = Standing(found) ?? new FileWord("ran", $"{Seat.NameOf(found.Author)} saved version {found.Version}; this is it.");
                    await file.Editor.PutAsync(text, found.Version);
                }
            }
        }

        StateHasChanged();
    }

    private sealed record Ask(AskKind Kind, string Path);
}
