using System.Reflection;
using System.Text.Json;
using Eddy.Migrations;
using Eddy.Sites;
using Eddy.Tenants;
using Microsoft.AspNetCore.Components.Endpoints;
using Microsoft.AspNetCore.Routing;
using Microsoft.AspNetCore.StaticAssets;
using Microsoft.Extensions.DependencyInjection;

namespace Eddy.Tests.Laws;

/// <summary>
/// There is one road for what a tenant writes: Python runs in a cell, and whatever else is text is stored, or parsed by a grammar that can not compute. The tables here name
/// every entrance and everything that could evaluate; what is new is on no table until somebody has said which road it takes.
/// </summary>
public sealed class OneRoadTests(SharedWeb web) : IClassFixture<SharedWeb>
{
    /// <summary>Runs in the tenant's cell, and nowhere else.</summary>
    private const string Cell = "cell";

    /// <summary>Kept as it is; what reads it back is the cell, or shows it as text.</summary>
    private const string Stored = "stored";

    /// <summary>Read by a grammar of our own that knows values and no operators, names or calls.</summary>
    private const string Parsed = "parsed";

    /// <summary>Compared with what is stored, as a parameter of a query.</summary>
    private const string Compared = "compared";

    /// <summary>Searched for placeholders of secrets or for their values, which are replaced as they stand; or signed.</summary>
    private const string Replaced = "replaced";

    /// <summary>Sent to a web site under the egress rules, byte for byte, or to the operator's mail server.</summary>
    private const string Sent = "sent";

    /// <summary>Put where a placeholder names it, as text: nothing is computed, and it is not looked at again.</summary>
    private const string Printed = "printed";

    /// <summary>Rendered by a language of loops and filters that reaches nothing but the tenant's KVPs and computes within bounds; values are escaped for the place at which they stand.</summary>
    private const string Shown = "shown";

    /// <summary>Never a tenant's: the operator's or our own.</summary>
    private const string Ours = "ours";

    private static readonly Assembly[] Product = [typeof(TenantId).Assembly, typeof(WebProgram).Assembly, typeof(WorkerProgram).Assembly, typeof(Migrator).Assembly];

    /// <summary>What may evaluate something, and why it is not what a tenant wrote.</summary>
    private static readonly Dictionary<string, string> Evaluators = new(StringComparer.Ordinal)
    {
        ["Eddy.Git.GitCommand: System.Diagnostics.Process.Start"] = "starts git, the operator's, with arguments that are ours and hashes, no settings and no hooks; what tenants push is data that it unpacks, and what they wrote is never checked out",
        ["Eddy.Sandbox.ZygoteLink: System.Diagnostics.Process.Start"] = "starts the zygote: the operator's interpreter, our own file, no environment; tenants' text comes to a cell by its socket alone",
    };

    /// <summary>Every method of the shared assembly that can be handed a tenant's text. (There are no filters yet; they come into this table.)</summary>
    private static readonly Dictionary<string, string> Entrances = new(StringComparer.Ordinal)
    {
        ["RuleSandbox.AnswerAsync"] = Cell,
        ["RuleSandbox.CompileAsync"] = Cell,
        ["RuleSandbox.DescribeAsync"] = Cell,
        ["RuleSandbox.LoadAsync"] = Cell,
        ["RuleSandbox.RunAsync"] = Cell,
        ["RuleSandbox.RunBesideAsync"] = Cell,
        ["RuleSandbox.OpenLookAsync"] = Cell,
        ["LookCell.LookAsync"] = Cell,
        ["LookCell.TryAsync"] = Cell,
        ["PackageResolver.ResolveAsync"] = Cell,

        ["FileStore.ImportAsync"] = Stored,
        ["FileStore.PushAsync"] = Stored,
        ["GitPath.Fault"] = Parsed,
        ["GitPath.IsBeside"] = Compared,
        ["GitStore.CopyPackAsync"] = Ours,
        ["GitStore.ReadChangesAsync"] = Ours,
        ["FileStore.MoveAsync"] = Stored,
        ["AppArchive.Read"] = Parsed,
        ["AppArchive.Write"] = Stored,
        ["OldPython.IsOld"] = Compared,
        ["OldPython.Mend"] = Parsed,
        ["FirstRule.AddTo"] = Stored,
        ["FirstPage.AddTo"] = Stored,
        ["PageCheck.Of"] = Parsed,
        ["PagePath.AddressOf"] = Parsed,
        ["PagePath.At"] = Parsed,
        ["PagePath.IsPart"] = Parsed,
        ["PagePath.IsTemplate"] = Parsed,
        ["PagePath.OfPart"] = Parsed,
        ["PageReads.Concern"] = Compared,
        ["PageSet.With"] = Parsed,
        ["PageSet.AudienceOf"] = Compared,
        ["PageSet.Has"] = Compared,
        ["PageSet.MayAskVisitor"] = Compared,
        ["PageSet.RenderAsync"] = Shown,
        ["FileStore.NoteRulesAsync"] = Stored,
        ["FileStore.SaveAsync"] = Stored,
        ["ApiKey.Make"] = Stored,
        ["ApiKey.NameFault"] = Parsed,
        ["ApiKeyStore.MakeAsync"] = Stored,
        ["TenantStore.ChangeAsync"] = Stored,
        ["CallTrail.Replay"] = Stored,
        ["RecordedCalls.CallAsync"] = Sent,
        ["RecordedCalls.Withhold"] = Stored,
        ["Replay.PositionOf"] = Parsed,
        ["TreeReader.ReadAsync"] = Ours,
        ["TreeReader.TreeAsync"] = Ours,
        ["SecretStore.SetAsync"] = Stored,
        ["AccessStore.NoteAsync"] = Stored,
        ["AccessStore.SetEntryAsync"] = Stored,
        ["AccessStore.SetGroupAsync"] = Stored,
        ["DripStore.SaveAsync"] = Stored,
        ["QuarantineStore.SwitchOffAsync"] = Stored,

        ["FilePath.Fault"] = Parsed,
        ["MailAddress.Form"] = Parsed,
        ["Person.NameFault"] = Compared,
        ["MailAddress.TryRead"] = Parsed,
        ["FilePath.IsModule"] = Parsed,
        ["FileStore.TextOf"] = Parsed,
        ["ChangeList.Read"] = Parsed,
        ["ChangeList.Write"] = Parsed,
        ["KvpKey.Fault"] = Parsed,
        ["KvpKey.TryRead"] = Parsed,
        ["Cadence.TryParse"] = Parsed,
        ["Drip.Actor"] = Stored,
        ["Drip.ChangesFault"] = Parsed,
        ["Drip.NameFault"] = Parsed,
        ["KvpKind.Of"] = Parsed,
        ["KvpText.ReadAll"] = Parsed,
        ["KvpText.ReadLines"] = Parsed,
        ["KvpText.TryRead"] = Parsed,
        ["KvpText.TryValue"] = Parsed,
        ["KvpValue.FromText"] = Parsed,
        ["KvpValue.Stored"] = Parsed,
        ["KvpValue.TryCanonical"] = Parsed,
        ["KvpValue.TryRead"] = Parsed,
        ["KvpValue.TryText"] = Parsed,
        ["Secret.NameFault"] = Parsed,
        ["Secret.ValueFault"] = Parsed,
        ["Tenant.TimeZoneFault"] = Parsed,

        ["AccessRules.Decide"] = Compared,
        ["AccessStore.ActorAsync"] = Compared,
        ["AccessStore.DeleteEntryAsync"] = Compared,
        ["AccessStore.DeleteGroupAsync"] = Compared,
        ["AccessStore.FindActorAsync"] = Compared,
        ["AccessStore.ForgetPersonAsync"] = Compared,
        ["AccessStore.KeyActorAsync"] = Compared,
        ["ActorAccess.Decide"] = Compared,
        ["ActorAccess.Denied"] = Compared,
        ["ActorAccess.May"] = Compared,
        ["ActorAccess.MayInEveryKind"] = Compared,
        ["MetricsDoor.Fault"] = Compared,
        ["CardName.Is"] = Parsed,
        ["CardAddress.Path"] = Printed,
        ["CardFile.NameOf"] = Parsed,
        ["CardFile.Parse"] = Parsed,
        ["CardFile.PathOf"] = Printed,
        ["CardFile.Words"] = Printed,
        ["CardForm.Digest"] = Compared,
        ["CardLinks.Fill"] = Replaced,
        ["CardLinks.Marked"] = Printed,
        ["CardLinks.Plain"] = Replaced,
        ["CardLinks.Read"] = Compared,
        ["CardLinks.Token"] = Printed,
        ["CardSite.OriginOf"] = Printed,
        ["CardStore.CloseAnsweredAsync"] = Compared,
        ["CardStore.IsAnsweredAsync"] = Compared,
        ["CardStore.NewestPidAsync"] = Compared,
        ["CardStore.NoteAnsweredAsync"] = Stored,
        ["CardStore.NoteShownAsync"] = Compared,
        ["CardStore.OpenForAsync"] = Compared,
        ["UploadStore.KeepAsync"] = Stored,
        ["CardForm.Read"] = Parsed,
        ["CardPage.Say"] = Printed,
        ["CardPage.Write"] = Printed,
        ["CardPattern.Matches"] = Compared,
        ["CardPattern.TryRead"] = Parsed,
        ["FilePath.IsChecked"] = Parsed,
        ["FilePath.IsTest"] = Parsed,
        ["MailAddress.Fault"] = Parsed,

        ["InboxAddresses.ForProcess"] = Printed,
        ["InboxAddresses.Of"] = Printed,
        ["InboxAddresses.WithSecret"] = Printed,
        ["InboxAddresses.Read"] = Parsed,
        ["InboxAddresses.SignedPid"] = Compared,
        ["InboxAddresses.ForUnsubscribing"] = Printed,
        ["InboxAddresses.Unsubscribing"] = Compared,
        ["InboxJudge.Asks"] = Parsed,
        ["InboxJudge.Decide"] = Parsed,
        ["InboxFactStore.ReadAsync"] = Compared,
        ["InboxPolicyStore.SaveAsync"] = Stored,
        ["InboxPreview.OfAsync"] = Parsed,
        ["MessageReader.ReadAsync"] = Parsed,

        ["AttachedKvps.For"] = Printed,
        ["OutgoingMessage.Of"] = Printed,
        ["MailSubject.Of"] = Printed,
        ["MailTemplate.Parse"] = Parsed,
        ["MailTemplate.Print"] = Printed,
        ["MailValues.IsCard"] = Parsed,
        ["MailValues.Of"] = Printed,
        ["PrintedValue.Of"] = Printed,

        ["ApiKey.HashOf"] = Compared,
        ["CardStore.ListAsync"] = Compared,
        ["ReceiverStore.OfAsync"] = Compared,
        ["AttachmentKeys.IsSigned"] = Compared,
        ["UnsubscribeLinks.For"] = Printed,
        ["UnsubscribeLinks.Receiver"] = Compared,
        ["UnsubscribedStore.AddAsync"] = Stored,
        ["UnsubscribedStore.LiftAsync"] = Compared,
        ["UnsubscribedStore.ListAsync"] = Compared,
        ["ReceiverStore.StandingAsync"] = Compared,
        ["DripStore.DeleteAsync"] = Compared,
        ["DripStore.FindAsync"] = Compared,
        ["DeferredStore.ListAsync"] = Compared,
        ["QuarantineStore.DiscardAsync"] = Compared,
        ["QuarantineStore.ListAsync"] = Compared,
        ["QuarantineStore.RunsOfAsync"] = Compared,
        ["QuarantineStore.RetryAsync"] = Compared,
        ["QuarantineStore.SwitchOnAsync"] = Compared,
        ["EventStore.RecentKeysAsync"] = Compared,
        ["EndpointStore.ListAsync"] = Compared,
        ["FileStore.DeleteAsync"] = Compared,
        ["FileStore.FindAsync"] = Compared,
        ["FileStore.HistoryAsync"] = Compared,
        ["FileStore.InForceAsync"] = Compared,
        ["FileStore.VersionAsync"] = Compared,
        ["FileStore.IsFullForAsync"] = Compared,
        ["ProcessFinder.CountAsync"] = Compared,
        ["ProcessFinder.FindAsync"] = Compared,
        ["ProcessFinder.PidsAsync"] = Compared,
        ["ProcessListStore.OutlineAsync"] = Compared,
        ["ProcessListStore.PidsAsync"] = Compared,
        ["ProcessStore.ListAsync"] = Compared,
        ["ProcessStore.ReadKvpAsync"] = Compared,
        ["RunStore.ListAsync"] = Compared,
        ["Backtester.RunAsync"] = $"run in a {Cell} of its own, and thrown away with it",
        ["BacktestStore.RecordsAsync"] = Compared,
        ["PythonText.IsName"] = Parsed,
        ["PythonText.Of"] = Printed,
        ["PythonText.Quoted"] = Printed,
        ["TestText.NameOf"] = Printed,
        ["TestText.Of"] = Printed,
        ["TestMaker.MakeAsync"] = Compared,
        ["ProcessFinder.FindAmongAsync"] = Compared,
        ["LookCell.TestAsync"] = $"run in a {Cell} of its own, and thrown away with it",
        ["RuleTester.RunAsync"] = $"run in a {Cell} of its own, and thrown away with it",
        ["DryRunner.RunAsync"] = $"run in a {Cell} of its own, and thrown away with it",
        ["SeenText.Decided"] = Printed,
        ["SeenText.DecidedPlace"] = Compared,
        ["SeenText.Filled"] = Printed,
        ["SeenText.Lines"] = Printed,
        ["SeenText.PartsOf"] = Compared,
        ["SeenText.Source"] = Printed,
        ["SeenText.Wanted"] = Printed,
        ["WhyReader.ReadAsync"] = Compared,
        ["WhyReader.ReadLastAsync"] = Compared,
        ["WhyStore.FactsAsync"] = Compared,
        ["WhyStore.LastAsync"] = Compared,
        ["WhyStore.NextSaveAsync"] = Compared,
        ["WhyStore.OfCascadeAsync"] = Compared,
        ["SecretKeeper.NoteUseAsync"] = Compared,
        ["SecretStore.DeleteAsync"] = Compared,
        ["SecretStore.NoteUseAsync"] = Compared,

        ["OutgoingCalls.CallAsync"] = Sent,
        ["Relay.TryAsync"] = Sent,

        ["SecretKeeper.SignAsync"] = Replaced,
        ["SecretSet.Fill"] = Replaced,
        ["SecretSet.FillBytes"] = Replaced,
        ["SecretSet.NameOf"] = Replaced,
        ["SecretSet.Placeholder"] = Replaced,
        ["SecretSet.Redact"] = Replaced,
        ["SecretSet.RedactBytes"] = Replaced,
        ["SecretSet.Sign"] = Replaced,
        ["Spellings.Of"] = Replaced,

        ["DkimKeys.Read"] = Ours,
        ["Mailbox.OpenAsync"] = Sent,
        ["TenantMailboxes.OpenAsync"] = Sent,
        ["MailboxStore.SaveAsync"] = Stored,
        ["MailboxStore.NoteAsync"] = Stored,
        ["MailboxStore.DeleteAsync"] = Compared,
        ["Listener.On"] = Ours,
        ["MasterKeys.Find"] = Ours,
        ["MasterKeys.Read"] = Ours,
        ["Tenant.SlugFault"] = Ours,
        ["Tenant.NewSlugFault"] = Ours,
    };

    /// <summary>Every address of the web, and what becomes of the text that comes in by it.</summary>
    private static readonly Dictionary<string, string> Addresses = new(StringComparer.Ordinal)
    {
        ["POST /api/app"] = $"{Stored}; compiled in a {Cell}",
        ["POST /api/app/plan"] = $"compiled in a {Cell}",
        ["POST /api/tree"] = $"{Stored}; compiled in a {Cell}",
        ["PUT /api/files/{**path}"] = $"{Stored}; compiled and loaded in a {Cell}",
        ["POST /api/files/{**path:regex(/check$)}"] = $"compiled in a {Cell}",
        ["PUT /api/secrets/{name}"] = Stored,
        ["PUT /api/access/groups/{name}"] = Stored,
        ["POST /api/access/entries"] = Stored,
        ["PUT /api/access/entries/{id:long:min(1)}"] = Stored,
        ["PUT /api/drips/{name}"] = Parsed,
        ["PUT /api/rules/off"] = Stored,
        ["POST /api/drips/preview"] = Parsed,
        ["POST /api/backtests"] = $"run in a {Cell} of its own, and thrown away with it",
        ["GET /api/backtests/{id:guid}"] = Compared,
        ["DELETE /api/backtests/{id:guid}"] = Compared,
        ["POST /api/tests"] = $"run in a {Cell} of its own, and thrown away with it",
        ["POST /api/dry-run"] = $"run in a {Cell} of its own, and thrown away with it",
        ["POST /api/mail/preview"] = Parsed,
        ["POST /api/replays"] = Compared,
        ["POST /in"] = Parsed,
        ["POST /in/{key}"] = Parsed,
        ["PUT /api/processes/{pid:long:min(1)}/{key}"] = Parsed,
        ["PUT /api/shared/{key}"] = Parsed,

        ["DELETE /api/drips/{name}"] = Compared,
        ["DELETE /api/quarantine"] = Compared,
        ["DELETE /api/rules/off"] = Compared,
        ["GET /api/quarantine"] = Compared,
        ["GET /api/quarantine/runs"] = Compared,
        ["GET /api/rules/off"] = Compared,
        ["GET /api/rules/schedules"] = Compared,
        ["POST /api/quarantine/retry"] = Compared,
        ["DELETE /api/files/{**path}"] = Compared,
        ["DELETE /api/processes/{pid:long:min(1)}/{key}"] = Compared,
        ["DELETE /api/shared/{key}"] = Compared,
        ["DELETE /api/secrets/{name}"] = Compared,
        ["DELETE /api/access/entries/{id:long:min(1)}"] = Compared,
        ["DELETE /api/access/groups/{name}"] = Compared,
        ["GET /api/access/audit"] = Compared,
        ["GET /api/access/entries"] = Compared,
        ["GET /api/access/entries/{id:long:min(1)}"] = Compared,
        ["GET /api/access/explain"] = Compared,
        ["GET /api/access/groups"] = Compared,
        ["GET /api/access/groups/{name}"] = Compared,
        ["GET /api/access/members"] = Compared,
        ["DELETE /api/cards/{id:long:min(1)}"] = Compared,
        ["GET /api/attachments/{id:guid}"] = Compared,
        ["POST /api/attachments/{id:guid}/address"] = Compared,
        ["GET /t/{slug}/attachments/{id:guid}"] = Compared,
        ["GET /api/mailboxes"] = Compared,
        ["PUT /api/mailboxes/{name}"] = Stored,
        ["DELETE /api/mailboxes/{name}"] = Compared,
        ["GET /api/cards"] = Compared,
        ["GET /api/calls"] = Compared,
        ["GET /api/endpoints"] = Ours,
        ["site GET /api/v1/openapi.json"] = Ours,
        ["site any /api/v1/{**path}"] = Cell,
        ["DELETE /api/outbox/{id:long:min(1)}"] = Compared,
        ["POST /api/outbox/{id:long:min(1)}/retry"] = Compared,
        ["GET /api/outbox"] = Compared,
        ["GET /api/unsubscribed"] = Compared,
        ["DELETE /api/unsubscribed/{receiver}"] = Compared,
        ["GET /unsubscribe/{slug}/{receiver}/{signature}"] = Compared,
        ["POST /unsubscribe/{slug}/{receiver}/{signature}"] = $"{Compared}; what is {Stored} then is what we have signed",
        ["GET /api/outbox/{id:long:min(1)}"] = Compared,
        ["GET /api/drips"] = Compared,
        ["GET /api/drips/{name}"] = Compared,
        ["POST /api/drips/{name}/run"] = Compared,
        ["GET /api/events"] = Compared,
        ["GET /api/app"] = Compared,
        ["GET /git/{slug}.git/info/refs"] = Compared,
        ["POST /git/{slug}.git/git-upload-pack"] = Compared,
        ["POST /git/{slug}.git/git-receive-pack"] = $"{Stored}; compiled and loaded in a {Cell}",
        ["GET /api/me"] = Compared,
        ["GET /api/tree"] = Compared,
        ["GET /api/files"] = Compared,
        ["GET /api/files/{**path}"] = Compared,
        ["GET /api/processes"] = Compared,
        ["GET /api/processes/{pid:long:min(1)}"] = Compared,
        ["GET /api/processes/{pid:long:min(1)}/difference"] = Compared,
        ["GET /api/rules"] = Compared,
        ["GET /api/rules/graph"] = Compared,
        ["GET /api/runs"] = Compared,
        ["GET /api/why"] = Compared,
        ["GET /api/runs/deferred"] = Compared,
        ["GET /api/runs/{id:long:min(1)}"] = Compared,
        ["GET /api/usage"] = Compared,
        ["GET /api/secrets"] = Compared,
        ["GET /api/shared"] = Compared,
        ["GET /api/shared/difference"] = Compared,

        ["POST /passkeys/creation"] = Compared,
        ["POST /passkeys/request"] = Ours,
        ["POST /sign-out"] = Ours,
        ["GET /t/{slug}/export/app.zip"] = Compared,
        ["GET /t/{slug}/export/processes.{form}"] = Compared,
        ["GET /t/{slug}/export/processes/{pid:long:min(1)}.{form}"] = Compared,
        ["GET /t/{slug}/export/shared.{form}"] = Compared,
        ["site GET /cards/{name}"] = $"{Compared}; {Printed} into the card",
        ["site POST /cards/{name}"] = Parsed,
        ["site GET /card/{token}"] = $"{Compared}; {Printed} into the card",
        ["site POST /card/{token}"] = Parsed,
        ["site GET /_eddy/{**file:file}"] = Ours,
        ["site HEAD /_eddy/{**file:file}"] = Ours,
        ["site GET /_eddy/preview/{token}"] = $"{Compared}; what is {Stored} then is read as the card or page that it is",
        ["site GET /_eddy/preview/{token}/events"] = $"{Compared}; what is {Stored} then is {Shown}",
        ["site GET /_eddy/sign-in"] = Ours,
        ["site GET /_eddy/enter"] = Ours,
        ["site POST /_eddy/sign-out"] = Ours,
        ["site GET /{**address}"] = $"{Compared}; of what is {Stored} there pages are {Shown}, other files are sent as they are",
        ["site HEAD /{**address}"] = $"{Compared}; of what is {Stored} there pages are {Shown}, other files are sent as they are",
        ["site POST /_eddy/kvps"] = Parsed,
        ["site any /_eddy/live"] = Compared,
        ["site any /_eddy/live/negotiate"] = Compared,
        ["GET /site-sign-in"] = Compared,
        ["GET /"] = Ours,
        ["HEAD /{**path:file}"] = Ours,
        ["GET /{**path:file}"] = Ours,
        ["GET /openapi/{documentName}.json"] = Ours,
        ["any /metrics"] = Ours,
    };

    /// <summary>
    /// Names of packages that bring an interpreter or a template engine along. Fluid is the one that is there, for pages: its language has loops and filters and no way to anything else, and what
    /// <c>PageGrammar</c> leaves of it is bounded and escaped (<c>tests/Pages</c> tries).
    /// </summary>
    private static readonly string[] Engines =
    [
        "Jint", "ClearScript", "IronPython", "pythonnet", "Python.", "CSnakes", "NLua", "MoonSharp", "KopiLua", "Scriban", "DotLiquid", "Handlebars", "Stubble", "Mustache", "RazorLight",
        "RazorEngine", "Razor.Templating", "NCalc", "DynamicExpresso", "Dynamic.Core", "Flee", "Jurassic", "NiL.JS", "Esprima", "Acornima", "Wasmtime", "Wasmer", "CodeAnalysis", "CodeDom", "CS-Script",
        "Roslyn", "SmartFormat", "Cottle", "Antlr", "JsonLogic", "JsonPath", "Jmes", "JSONata", "RulesEngine", "PowerShell", "Nustache", "Mustachio", "FastExpressionCompiler",
    ];

    [Fact]
    public void Nothing_of_ours_evaluates_text_but_what_starts_the_zygote()
    {
        EvaluatorCalls.Of(Product).ShouldBe(Evaluators.Keys.Order(StringComparer.Ordinal), false, "What evaluates text is on the table, with the reason why no tenant wrote it.");
    }

    [Fact]
    public void What_evaluates_is_found_where_there_is_some()
    {
        // These tests start programs and make patterns of text, as the product must not.
        EvaluatorCalls.Of(typeof(OneRoadTests).Assembly).ShouldContain("Eddy.Tests.Sandbox.ZygoteService: System.Diagnostics.Process.Start");
        EvaluatorCalls.Of(typeof(OneRoadTests).Assembly).ShouldContain("Eddy.Tests.Laws.StructureTests: System.Text.RegularExpressions.Regex.ctor");
    }

    [Fact]
    public void No_package_brings_an_engine_along()
    {
        foreach (var part in new[] { "shared", "web", "worker" })
        {
            using var locked = JsonDocument.Parse(File.ReadAllText(Path.Combine(Repository.Root, part, "packages.lock.json")));
            var packages = locked.RootElement.GetProperty("dependencies").EnumerateObject().SelectMany(framework => framework.Value.EnumerateObject()).Select(package => package.Name).ToList();

            packages.ShouldNotBeEmpty();
            packages.Where(package => Engines.Any(engine => package.Contains(engine, StringComparison.OrdinalIgnoreCase))).ShouldBeEmpty(part);
        }
    }

    [Fact]
    public void Every_method_that_can_be_handed_tenant_text_has_a_road()
    {
        TenantText.Entrances().ShouldBe(Entrances.Keys.Order(StringComparer.Ordinal), false, "A method that takes text is on the table, with the road that the text goes.");
    }

    [Fact]
    public void Python_comes_to_a_cell_by_the_sandbox_alone()
    {
        // Requirements are no Python, but read by the sandbox in a cell all the same.
        Entrances.Where(entrance => entrance.Value == Cell).Select(entrance => entrance.Key.Split('.')[0]).Distinct().ShouldBe(["RuleSandbox", "LookCell", "PackageResolver"]);
    }

    [Fact]
    public void Every_address_of_the_web_has_a_road()
    {
        var addresses = web.Web.Services.GetRequiredService<EndpointDataSource>().Endpoints.OfType<RouteEndpoint>()
            .Where(endpoint => endpoint.Metadata.GetMetadata<ComponentTypeMetadata>() is null && endpoint.Metadata.GetMetadata<StaticAssetDescriptor>() is null)
            .SelectMany(endpoint => (endpoint.Metadata.GetMetadata<HttpMethodMetadata>()?.HttpMethods ?? ["any"]).Select(method => $"{(endpoint.Metadata.GetMetadata<OnSite>() is null ? "" : "site ")}{method} /{endpoint.RoutePattern.RawText!.Trim('/')}"))
            // What a screen takes goes on by the methods of the other table.
            .Where(address => !address.Contains("/_blazor", StringComparison.Ordinal) && !address.Contains("/_framework", StringComparison.Ordinal))
            .Where(address => !address.StartsWith("GET /docs", StringComparison.Ordinal) && !address.StartsWith("GET /health", StringComparison.Ordinal))
            .Distinct().Order(StringComparer.Ordinal);

        addresses.ShouldBe(Addresses.Keys.Order(StringComparer.Ordinal), false, "An address is on the table, with the road that its text goes.");
    }
}
