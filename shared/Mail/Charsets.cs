using System.Diagnostics.CodeAnalysis;
using System.Runtime.CompilerServices;
using System.Text;

namespace Eddy.Mail;

/// <summary>The charsets that mail has beside UTF-8. They are there before anything else is: MimeKit looks once which there are, be it for a mail that goes out, and never again.</summary>
internal static class Charsets
{
    [ModuleInitializer]
    [SuppressMessage("Usage", "CA2255:The ModuleInitializer attribute should not be used in libraries", Justification = "Whoever comes first, sender or reader, has to find them.")]
    internal static void Register() => Encoding.RegisterProvider(CodePagesEncodingProvider.Instance);
}
