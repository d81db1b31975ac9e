using Eddy.Secrets;

namespace Eddy.Tests.Secrets;

public sealed class MasterKeyTests
{
    private const string Key = "AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8=";

    [Fact]
    public void The_first_key_is_the_current_one_and_the_others_are_found_by_their_ids()
    {
        var masters = TestSecrets.Masters("# rotated in spring", "", $"new {Key}", $"  old\t{Key}  ");

        masters.Current!.Id.ShouldBe("new");
        masters.Find("old")!.Id.ShouldBe("old");
        masters.Find("older").ShouldBeNull();
        masters.Current.ToString().ShouldBe("new");
    }

    [Theory]
    [InlineData("")]
    [InlineData("# nothing\n")]
    [InlineData("one\n")]
    [InlineData("one c2hvcnQ=\n")]
    [InlineData("one AAECAwQFBgcICQoLDA0ODxAREhMUFRYXGBkaGxwdHh8gISI=\n")]
    [InlineData("one not!base64\n")]
    [InlineData("o/e " + Key + "\n")]
    [InlineData("one " + Key + " more\n")]
    [InlineData("one " + Key + "\none " + Key + "\n")]
    public void A_file_that_is_wrong_is_told_in_a_sentence_that_says_where_and_repeats_no_key(string text)
    {
        var path = TestSecrets.File(text);

        MasterKeys.Read(new SecretsOptions { MasterKeyFile = path }, out var fault).Current.ShouldBeNull();

        fault.ShouldNotBeNull().ShouldContain(path);
        fault.ShouldNotContain("AAEC");
        fault.ShouldNotContain("c2hvcnQ");
    }

    [Theory]
    [InlineData(UnixFileMode.GroupRead)]
    [InlineData(UnixFileMode.OtherRead)]
    [InlineData(UnixFileMode.OtherWrite)]
    public void A_file_that_others_may_open_is_refused(UnixFileMode others)
    {
        var path = TestSecrets.File($"one {Key}");
        TestSecrets.Open(path, others);

        MasterKeys.Read(new SecretsOptions { MasterKeyFile = path }, out var fault).Current.ShouldBeNull();

        fault!.ShouldContain("chmod 600");
    }

    [Fact]
    public void No_setting_is_no_fault_and_a_file_that_is_not_there_is_one()
    {
        MasterKeys.Read(new SecretsOptions(), out var none).Current.ShouldBeNull();
        MasterKeys.Read(new SecretsOptions { MasterKeyFile = "/nowhere/keys" }, out var missing).Current.ShouldBeNull();

        none.ShouldBeNull();
        missing!.ShouldContain("/nowhere/keys");
    }

    [Fact]
    public void A_web_with_a_wrong_file_does_not_start_and_says_why()
    {
        var fault = Should.Throw<OptionsFault>(() => WebProgram.Build(["--EDDY_APP_DB=Host=nowhere", "--Secrets:MasterKeyFile=/nowhere/keys"]));

        fault.Message.ShouldContain("Secrets:MasterKeyFile /nowhere/keys");
    }
}
