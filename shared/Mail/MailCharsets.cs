using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text;

namespace Eddy.Mail;

/// <summary>The charsets of the world's mail, beside those that .NET has by itself.</summary>
internal static class MailCharsets
{
    // MimeKit looks once which there are, when it is used first, be it for a mail that goes out.
    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255", Justification = "It has to come before whatever uses MimeKit first, in any program.")]
    internal static void Register() => Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);
}
