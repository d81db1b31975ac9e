using CsCheck;
using Eddy.Files;

namespace Eddy.Tests.Files;

public sealed class TextMergeTests
{
    private static readonly Gen<string> Text = Gen.Int[0, 3].Select(i => "abc "[i].ToString()).Array[0, 8].Select(lines => string.Join('\n', lines));

    [Fact]
    public void What_two_changed_in_different_places_is_there_of_both()
    {
        var merge = TextMerge.Of("one\ntwo\nthree\nfour", "ONE\ntwo\nthree\nfour", "one\ntwo\nthree\nfour\nfive");

        (merge.Clashes, merge.Fitting).ShouldBe((0, 2));
        merge.Text([]).ShouldBe("ONE\ntwo\nthree\nfour\nfive");
    }

    [Fact]
    public void A_line_that_both_changed_waits_for_a_choice()
    {
        var merge = TextMerge.Of("level = 1\nend", "level = 2\nend", "level = 3\nend");

        merge.Clashes.ShouldBe(1);
        merge.Text([true]).ShouldBe("level = 2\nend");
        merge.Text([false]).ShouldBe("level = 3\nend");
    }

    [Fact]
    public void What_both_changed_alike_is_there_once() => TextMerge.Of("a\nb", "a\nx\nb", "a\nx\nb").Text([]).ShouldBe("a\nx\nb");

    [Fact]
    public void A_line_that_one_deleted_and_the_other_changed_is_a_clash() => TextMerge.Of("a\nb\nc", "a\nc", "a\nB\nc").Clashes.ShouldBe(1);

    [Fact]
    public void Each_side_can_be_had_whole_and_nothing_is_lost_of_what_one_alone_changed() => Gen.Select(Text, Text, Text).Sample((origin, theirs, mine) =>
    {
        var merge = TextMerge.Of(origin, theirs, mine);

        string.Join('\n', merge.Parts.SelectMany(part => part.Theirs)).ShouldBe(theirs);
        string.Join('\n', merge.Parts.SelectMany(part => part.Mine)).ShouldBe(mine);
        TextMerge.Of(origin, theirs, origin).Text([]).ShouldBe(theirs);
        TextMerge.Of(origin, origin, mine).Text([]).ShouldBe(mine);
    });
}
