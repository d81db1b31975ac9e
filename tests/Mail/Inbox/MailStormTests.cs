using Eddy.Mail.Inbox;

namespace Eddy.Tests.Mail.Inbox;

public sealed class MailStormTests
{
    private static readonly StormLimits Limits = new(PerThread: 3, PerPerson: 5, PerTenant: 10);

    [Theory]
    [InlineData(2, 4, 9, null)]
    [InlineData(3, 0, 0, "process 15")]
    [InlineData(0, 5, 0, "ann@acme.test")]
    [InlineData(0, 0, 10, "10 mails")]
    public void One_more_than_the_limit_is_cut(int inThread, int withPerson, int inAll, string? why)
    {
        var cut = Limits.Cut(new MailCounts(inThread, withPerson, inAll), 15, "ann@acme.test");

        if (why is null)
        {
            cut.ShouldBeNull();
        }
        else
        {
            cut.ShouldNotBeNull().ShouldContain(why);
        }
    }

    [Fact]
    public void What_has_no_process_or_no_sender_is_counted_by_the_others() => Limits.Cut(new MailCounts(99, 99, 0), null, null).ShouldBeNull();
}
