using Eddy.Cards;
using Eddy.Kvps;

namespace Eddy.Tests.Cards;

public sealed class CardFormTests
{
    [Theory]
    [InlineData("<eddy-text name=x></eddy-text>", "95", "\"95\"")]
    [InlineData("<eddy-textarea name=x></eddy-textarea>", "a\r\nb", "\"a\\nb\"")]
    [InlineData("<eddy-number name=x></eddy-number>", "95", "95")]
    [InlineData("<eddy-number name=x></eddy-number>", "007", "7")]
    [InlineData("<eddy-number name=x></eddy-number>", "-1.50", "-1.5")]
    [InlineData("<eddy-number name=x></eddy-number>", "1e3", "1000.0")]
    [InlineData("<eddy-number name=x min=0.1 step=0.1></eddy-number>", "0.3", "0.3")]
    [InlineData("<eddy-yes-no name=x></eddy-yes-no>", "true", "true")]
    [InlineData("<eddy-yes-no name=x as=radio></eddy-yes-no>", "false", "false")]
    [InlineData("<eddy-choice name=x options=\"none, 1\"></eddy-choice>", "none", "\"none\"")]
    [InlineData("<eddy-choice name=x options=\"{{shared.sizes}}\"></eddy-choice>", "2", "2")]
    [InlineData("<eddy-choice name=x options=\"{{shared.rooms}}\"></eddy-choice>", "b", "\"b\"")]
    [InlineData("<eddy-checklist name=x options=\"a, b, c\"></eddy-checklist>", "b", "[\"b\"]")]
    [InlineData("<eddy-date name=x></eddy-date>", "2026-02-28", "{\"$date\":\"2026-02-28\"}")]
    [InlineData("<eddy-date name=x min=today></eddy-date>", "2026-11-30", "{\"$date\":\"2026-11-30\"}")]
    [InlineData("<eddy-time name=x></eddy-time>", "14:30", "{\"$time\":\"14:30:00\"}")]
    [InlineData("<eddy-date-time name=x></eddy-date-time>", "2026-02-28T14:30", "{\"$datetime\":\"2026-02-28T14:30:00\"}")]
    [InlineData("<eddy-email name=x></eddy-email>", " ann@acme.test ", "\"ann@acme.test\"")]
    [InlineData("<eddy-phone name=x></eddy-phone>", "+49 (30) 1234-5", "\"+49 (30) 1234-5\"")]
    [InlineData("<eddy-list name=x></eddy-list>", "one\r\n\r\n2\r\n \"3\" ", "[\"one\",2,\"3\"]")]
    [InlineData("<eddy-list name=x></eddy-list>", "[[1, 2], {'a': None}]", "[[1,2],{\"a\":null}]")]
    [InlineData("<eddy-dictionary name=x></eddy-dictionary>", "colour: blue\nsize := 3\nurl: https://a.test", "{\"colour\":\"blue\",\"size\":3,\"url\":\"https://a.test\"}")]
    public void What_is_typed_becomes_a_value_of_the_fields_kind(string card, string typed, string value)
    {
        var state = TestCard.With(("shared.sizes", "[1,2,3]"), ("shared.rooms", "{\"a\":\"Attic\",\"b\":\"Basement\"}"));

        var answer = TestCard.Answer(card, state, ("x", typed));

        answer.Errors.ShouldBeEmpty();
        answer.Changes.ShouldBe([new Change("x", value)]);
    }

    [Theory]
    [InlineData("<eddy-text name=x required></eddy-text>", "", "X is missing.")]
    [InlineData("<eddy-text name=x minlength=3></eddy-text>", "ab", "It needs at least 3 characters, and has 2.")]
    [InlineData("<eddy-text name=x maxlength=3></eddy-text>", "abcd", "It may have at most 3 characters, and has 4.")]
    [InlineData("<eddy-text name=x pattern=\"[A-Z]{2}\\d+\"></eddy-text>", "AB12\n", "It is not written as it has to be.")]
    [InlineData("<eddy-text name=x pattern=\"\\d+\" message=\"Digits only.\"></eddy-text>", "٣", "Digits only.")]
    [InlineData("<eddy-number name=x></eddy-number>", "twelve", "It is no number, as 12.5 is one.")]
    [InlineData("<eddy-number name=x></eddy-number>", "Infinity", "It is no number, as 12.5 is one.")]
    [InlineData("<eddy-number name=x min=3></eddy-number>", "2.9", "It has to be at least 3.")]
    [InlineData("<eddy-number name=x max=3></eddy-number>", "1e300", "It may be at most 3.")]
    [InlineData("<eddy-number name=x step=1></eddy-number>", "2.5", "It has to be a whole number.")]
    [InlineData("<eddy-number name=x min=1 step=2></eddy-number>", "4", "It goes in steps of 2 from 1.")]
    [InlineData("<eddy-yes-no name=x></eddy-yes-no>", "perhaps", "It is neither yes nor no.")]
    [InlineData("<eddy-choice name=x options=\"a, b\"></eddy-choice>", "c", "\"c\" is not among what can be chosen.")]
    [InlineData("<eddy-checklist name=x options=\"a, b\"></eddy-checklist>", "c", "\"c\" is not among what can be chosen.")]
    [InlineData("<eddy-checklist name=x options=\"a, b\" min=2></eddy-checklist>", "a", "At least 2 choices are needed; there is 1.")]
    [InlineData("<eddy-date name=x></eddy-date>", "2026-02-30", "It is no date, as 2026-11-29 is one.")]
    [InlineData("<eddy-date name=x min=today></eddy-date>", "2026-11-29", "It has to be 2026-11-30 or later.")]
    [InlineData("<eddy-time name=x max=18:00></eddy-time>", "18:01", "It has to be 18:00 or earlier.")]
    [InlineData("<eddy-date-time name=x></eddy-date-time>", "yesterday", "It is no date with a time, as 2026-11-29T14:30 is one.")]
    [InlineData("<eddy-email name=x></eddy-email>", "ann", "It is no mail address, as somebody@example.com is one.")]
    [InlineData("<eddy-phone name=x></eddy-phone>", "call me", "It is no telephone number, as +49 30 1234567 is one.")]
    [InlineData("<eddy-list name=x max=1></eddy-list>", "a\nb", "At most 1 entry may be there; there are 2.")]
    [InlineData("<eddy-dictionary name=x></eddy-dictionary>", "blue", "Line 1 has no name and a colon before its value, as in colour: blue.")]
    [InlineData("<eddy-dictionary name=x></eddy-dictionary>", "a: 1\na: 2", "a is there twice.")]
    [InlineData("<eddy-file name=x required></eddy-file>", "", "X is missing.")]
    public void What_is_wrong_is_told_in_a_sentence_and_sets_nothing(string card, string typed, string says)
    {
        var answer = TestCard.Answer(card, TestCard.With(), ("x", typed));

        answer.Errors.ShouldBe(new Dictionary<string, string> { ["x"] = says });
        answer.Changes.ShouldBeEmpty();
    }

    [Theory]
    [InlineData("<eddy-text name=x></eddy-text>", "\"a <b> \\\"c\\\" & d\"")]
    [InlineData("<eddy-textarea name=x></eddy-textarea>", "\"\\n two\\nlines\\n\"")]
    [InlineData("<eddy-number name=x></eddy-number>", "{\"$decimal\":\"1.50\"}")]
    [InlineData("<eddy-number name=x></eddy-number>", "1e+20")]
    [InlineData("<eddy-yes-no name=x></eddy-yes-no>", "true")]
    [InlineData("<eddy-choice name=x options=\"a\"></eddy-choice>", "\"no more a choice\"")]
    [InlineData("<eddy-date name=x></eddy-date>", "{\"$date\":\"2026-02-28\"}")]
    [InlineData("<eddy-time name=x></eddy-time>", "{\"$time\":\"14:30:05.5\"}")]
    [InlineData("<eddy-date-time name=x></eddy-date-time>", "{\"$datetime\":\"2026-02-28T14:30:05.25+00:00\"}")]
    [InlineData("<eddy-list name=x></eddy-list>", "[1,\"1\",\"a\\nb\",{\"a\":[true]}]")]
    [InlineData("<eddy-list name=x></eddy-list>", "[\"a\",95,\"95\",{\"$date\":\"2026-02-28\"}]")]
    [InlineData("<eddy-dictionary name=x></eddy-dictionary>", "{\"a\":1,\"b\":\"two words\",\"c\":\"3\"}")]
    public void What_was_left_as_it_was_shown_sets_nothing(string card, string value)
    {
        var state = TestCard.With(("x", value));
        var document = new AngleSharp.Html.Parser.HtmlParser().ParseDocument(TestCard.Show(card, state));
        var control = document.QuerySelector("[name=x]")!;
        var shown = control switch
        {
            AngleSharp.Html.Dom.IHtmlTextAreaElement area => area.Value,
            AngleSharp.Html.Dom.IHtmlSelectElement select => select.Value!,
            var input => input.GetAttribute("value")!,
        };

        var answer = TestCard.Answer(card, state, ("x", shown.Replace("\n", "\r\n", StringComparison.Ordinal)));

        answer.Errors.ShouldBeEmpty();
        answer.Changes.ShouldBeEmpty();
    }

    [Fact]
    public void A_field_that_was_left_alone_does_not_undo_what_a_rule_did_meanwhile()
    {
        var card = CardFile.Parse("<eddy-number name=a></eddy-number><eddy-number name=b></eddy-number>");
        var shown = (CardForm.Was + "a", CardForm.Digest("1"));
        var now = TestCard.With(("a", "2"));

        TestCard.Post(card, now, ("a", "1"), ("b", "9"), shown, (CardForm.Was + "b", CardForm.Digest(null))).Changes.ShouldBe([new Change("b", "9")]);
        TestCard.Post(card, now, ("a", "1"), ("b", "9")).Changes.ShouldBe([new Change("a", "1"), new Change("b", "9")]);
    }

    [Fact]
    public void A_value_that_had_a_zone_keeps_having_one_and_money_stays_money()
    {
        TestCard.Answer("<eddy-date-time name=x></eddy-date-time>", TestCard.With(("x", "{\"$datetime\":\"2026-02-28T14:30:00+00:00\"}")), ("x", "2026-07-01T10:00"))
            .Changes.ShouldBe([new Change("x", "{\"$datetime\":\"2026-07-01T10:00:00+02:00\"}")]);
        TestCard.Answer("<eddy-number name=x></eddy-number>", TestCard.With(("x", "{\"$decimal\":\"1.50\"}")), ("x", "2.50")).Changes.ShouldBe([new Change("x", "{\"$decimal\":\"2.50\"}")]);
    }

    [Fact]
    public void Blank_empties_what_was_there_and_makes_nothing_of_nothing()
    {
        const string card = "<eddy-text name=t></eddy-text><eddy-number name=n></eddy-number><eddy-list name=l></eddy-list><eddy-yes-no name=y></eddy-yes-no><eddy-checklist name=c options=\"a, b\"></eddy-checklist>";

        TestCard.Answer(card, TestCard.With(), ("t", ""), ("n", ""), ("l", "")).Changes.ShouldBe([new Change("y", "false")]);
        TestCard.Answer(card, TestCard.With(("t", "\"a\""), ("n", "1"), ("l", "[1]"), ("y", "true"), ("c", "[\"a\"]")), ("t", ""), ("n", ""), ("l", ""))
            .Changes.ShouldBe([new Change("t", "\"\""), new Change("n", "null"), new Change("l", "[]"), new Change("y", "false"), new Change("c", "[]")]);
    }

    [Fact]
    public void A_box_that_has_to_be_ticked_and_a_question_that_has_to_be_answered_are_asked_for()
    {
        TestCard.Answer("<eddy-yes-no name=agreed required></eddy-yes-no>", TestCard.With()).Errors["agreed"].ShouldBe("Agreed: tick it to go on.");
        TestCard.Answer("<eddy-yes-no name=agreed as=radio required></eddy-yes-no>", TestCard.With()).Errors["agreed"].ShouldBe("Agreed is missing.");
        TestCard.Answer("<eddy-yes-no name=agreed as=radio required></eddy-yes-no>", TestCard.With(), ("agreed", "false")).Changes.ShouldBe([new Change("agreed", "false")]);
        TestCard.Answer("<eddy-checklist name=c options=\"a, b\" required></eddy-checklist>", TestCard.With()).Errors["c"].ShouldBe("C: choose at least one.");
    }

    [Fact]
    public void Fields_that_the_card_does_not_have_do_not_count()
    {
        var answer = TestCard.Answer("<eddy-text name=a></eddy-text>", TestCard.With(), ("a", "1"), ("salary", "1000000"), ("shared.rate", "0"), ("kind", "admin"));

        answer.Changes.ShouldBe([new Change("a", "\"1\"")]);
        answer.Shared.ShouldBeEmpty();
    }

    [Fact]
    public void A_shared_KVP_is_set_in_the_shared_bag()
    {
        var answer = TestCard.Answer("<eddy-number name=shared.rate></eddy-number><eddy-number name=rate></eddy-number>", TestCard.With(), ("shared.rate", "2"), ("rate", "3"));

        answer.Shared.ShouldBe([new Change("rate", "2")]);
        answer.Changes.ShouldBe([new Change("rate", "3")]);
    }

    [Fact]
    public void A_button_sets_its_KVP_each_time_that_it_is_pressed_and_nothing_but_what_the_card_says()
    {
        const string card = "<eddy-submit name=approved value=true>Approve</eddy-submit><eddy-submit name=approved value=false>Reject</eddy-submit>";

        TestCard.Answer(card, TestCard.With(("approved", "false")), ("approved", "false")).Changes.ShouldBe([new Change("approved", "false")]);
        TestCard.Answer(card, TestCard.With(), ("approved", "maybe")).Changes.ShouldBeEmpty();
    }

    [Fact]
    public void What_somebody_may_not_set_is_refused_and_what_only_shows_is_left()
    {
        var state = TestCard.State(mayRead: key => key.Key != "hidden", maySet: key => key.Key == "mine");

        var answer = TestCard.Answer("<eddy-text name=mine></eddy-text><eddy-text name=yours></eddy-text><eddy-text name=shown readonly></eddy-text><eddy-yes-no name=hidden></eddy-yes-no>", state, ("mine", "1"), ("yours", "2"), ("shown", "3"));

        answer.Errors.Keys.ShouldBe(["yours"]);
        answer.Errors["yours"].ShouldContain("You may not set yours");
        TestCard.Answer("<eddy-submit name=hidden value=1>X</eddy-submit>", state, ("hidden", "1")).Errors.Keys.ShouldBe(["hidden"]);
    }

    [Fact]
    public void A_file_becomes_a_dictionary_as_those_of_mail_are()
    {
        var state = TestCard.With();
        var file = CardUpload.Of("..\\evil/re\nport.pdf", "%PDF-1.7 x"u8.ToArray(), id => $"/t/acme/attachments/{id}");
        var page = CardUpload.Of("x.pdf", "<script>alert(1)</script>"u8.ToArray(), id => $"/t/acme/attachments/{id}");

        (file.Name.Contains('/') || file.Name.Contains('\\') || file.Name.Contains('\n')).ShouldBeFalse();
        var answer = Send("<eddy-file name=x accept=\"application/pdf\"></eddy-file>", file);
        answer.Uploads.ShouldBe([file]);
        answer.Changes.ShouldHaveSingleItem().Value.ShouldBe($$"""{"link":"/t/acme/attachments/{{file.Id}}","name":"{{file.Name}}","size":10,"type":"application/pdf"}""");
        Send("<eddy-file name=x multiple></eddy-file>", file, page).Changes[0].Value!.ShouldStartWith("[{");
        Send("<eddy-file name=x></eddy-file>", file, page).Errors["x"].ShouldBe("It takes one file.");
        // What its bytes are counts, not what it is called.
        Send("<eddy-file name=x accept=\"application/pdf\"></eddy-file>", page).Errors["x"].ShouldContain("none of the files that are taken here");
        Send("<eddy-file name=x></eddy-file>", CardUpload.Of("big", new byte[CardUpload.MostBytes + 1], _ => "/")).Errors["x"].ShouldContain("larger than 10 MiB");

        CardAnswer Send(string card, params CardUpload[] files) =>
            CardForm.Read(CardFile.Parse(card), state, new Dictionary<string, IReadOnlyList<string>>(), new Dictionary<string, IReadOnlyList<CardUpload>> { ["x"] = files });
    }

    [Fact]
    public void A_pattern_can_not_hold_up_whoever_matches_it()
    {
        var pattern = CardPattern.TryRead("(a+)+b", out _).ShouldNotBeNull();

        pattern.Matches(new string('a', 200_000)).ShouldBeFalse();
        pattern.Matches("aaab").ShouldBeTrue();
        pattern.Matches("xaaab").ShouldBeFalse();
    }
}
