// One for all tests; the servers start when the first of them asks.
[assembly: AssemblyFixture(typeof(Eddy.Tests.Mail.MailServers))]
