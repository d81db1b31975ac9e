using Eddy.Ide.Files;

namespace Eddy.Tests.Ide;

/// <summary>What the editor knows of names.</summary>
public sealed class TenantNamesTests
{
    private static readonly TenantNames Names = new(
        new LanguageNames(),
        [
            new KnownKey("temperature", "95", 7, new DateTimeOffset(2026, 11, 23, 14, 3, 21, TimeSpan.Zero), ["scripts/probe.py:probe"], ["scripts/heat.py:hot"]),
            new KnownKey("shared.limit", "\"`90`\"", 0, null, [], []),
        ],
        ["units"], [new KnownModel("services", "Service", ["name"])], ["STRIPE"], TimeZoneInfo.Utc);

    [Theory]
    [InlineData(null, "send_email", "(to, message, subject=None, pid=None, attach_variables=True)")]
    [InlineData(null, "load_card", "(name, pid=None, user=None)")]
    [InlineData(null, "verify", "(secret, data, signature)")]
    [InlineData(null, "new_child", "")]
    [InlineData("self", "PROCESS_ID", "")]
    [InlineData("event", "previous", "")]
    [InlineData("Process.objects", "get_or_create", "(**kw)")]
    [InlineData("a query", "order_by", "(\"key\", \"-key\")")]
    [InlineData("Model", "save", "()")]
    [InlineData("http", "post", "")]
    public void The_page_about_rules_says_what_the_language_has(string? owner, string name, string signature) =>
        Names.Language.Find(owner, name).ShouldNotBeNull().Signature.ShouldBe(signature);

    [Fact]
    public void Every_name_is_told_with_what_it_is()
    {
        Names.Language.All.Count.ShouldBeGreaterThan(60);
        Names.Language.All.ShouldAllBe(name => name.About.Length > 5);
    }

    [Theory]
    [InlineData("        return self.", "temperature")]
    [InlineData("        self.x = shared.li", "limit")]
    [InlineData("    listens_to = [\"", "temperature")]
    [InlineData("    listens_to = [\"a\", \"", "shared.limit")]
    [InlineData("    send_email(\"a\", \"It is {{", "temperature")]
    [InlineData("    Process.objects.filter(kind=1, te", "temperature")]
    [InlineData("        secrets.", "STRIPE")]
    [InlineData("from un", "units")]
    [InlineData("from services import ", "Service")]
    [InlineData("        Service.", "get_or_create")]
    [InlineData("        event.", "value")]
    [InlineData("        sen", "send_email")]
    public void What_may_come_next_is_proposed(string before, string proposed) => Names.Complete(before).ShouldContain(one => one.Name == proposed);

    [Theory]
    [InlineData("x = \"self.")]
    [InlineData("# self.")]
    public void In_texts_and_comments_nothing_is(string before) => Names.Complete(before).ShouldBeEmpty();

    [Fact]
    public void A_key_is_told_with_its_last_value_and_who_sets_and_reads_it() =>
        Names.Explain("return self.temperature").ShouldBe("**temperature**: integer, last `95` in process 7, 2026-11-23 14:03:21\n\nSet by `scripts/probe.py:probe`.\n\nRead by `scripts/heat.py:hot`.");

    [Fact]
    public void A_value_can_not_leave_its_place_in_what_is_told() => Names.Explain("shared.limit").ShouldNotBeNull().ShouldContain("last `'90'`");

    [Fact]
    public void A_call_is_told_with_its_parameters() =>
        Names.SignatureOf("load_card").ShouldNotBeNull().Parameters.ShouldBe(["name", "pid=None", "user=None"]);
}
