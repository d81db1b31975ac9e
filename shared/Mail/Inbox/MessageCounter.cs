using System.Globalization;
using MimeKit;

namespace Eddy.Mail.Inbox;

/// <summary>Goes through a message once without keeping anything of it, so that one that is made to be too much is never unpacked.</summary>
internal sealed class MessageCounter : MimeReader, IDisposable
{
    private readonly MessageSettings _settings;
    private readonly CancellationTokenSource _enough;
    private int _headers;
    private long _headerBytes;
    private int _parts;
    private int _depth;
    private string? _fault;

    private MessageCounter(Stream stream, MessageSettings settings, CancellationToken cancel) : base(OptionsFor(settings), stream, MimeFormat.Entity)
    {
        _settings = settings;
        _enough = CancellationTokenSource.CreateLinkedTokenSource(cancel);
    }

    /// <summary>How messages are parsed: no deeper than they are taken, so that the parser's own stack is never the limit.</summary>
    public static ParserOptions OptionsFor(MessageSettings settings) => new() { MaxMimeDepth = settings.MostDepth + 2 };

    /// <summary>Why it is not unpacked, in a sentence, or null.</summary>
    public static string? Fault(byte[] raw, MessageSettings settings, CancellationToken cancel)
    {
        using var stream = new MemoryStream(raw, writable: false);
        using var counter = new MessageCounter(stream, settings, cancel);
        try
        {
            counter.ReadMessage(counter._enough.Token);
        }
        catch (OperationCanceledException) when (counter._fault is not null)
        {
        }

        cancel.ThrowIfCancellationRequested();
        return counter._fault;
    }

    public void Dispose() => _enough.Dispose();

    protected override void OnHeaderRead(Header header, int beginLineNumber, CancellationToken cancellationToken)
    {
        _headers++;
        _headerBytes += header.RawField.Length + header.RawValue.Length;
        if (_headers > _settings.MostHeaders)
        {
            Stop($"It has more than {Number(_settings.MostHeaders)} headers.");
        }
        else if (_headerBytes > _settings.MostHeaderBytes)
        {
            Stop($"Its headers have more than {Number(_settings.MostHeaderBytes)} bytes.");
        }
    }

    protected override void OnMimePartBegin(ContentType contentType, long beginOffset, int beginLineNumber, CancellationToken cancellationToken) => Count();

    protected override void OnMultipartBegin(ContentType contentType, long beginOffset, int beginLineNumber, CancellationToken cancellationToken) => Enter();

    protected override void OnMultipartEnd(
        ContentType contentType, long beginOffset, int beginLineNumber, long headersEndOffset, long endOffset, int lines, CancellationToken cancellationToken) => _depth--;

    protected override void OnMessagePartBegin(ContentType contentType, long beginOffset, int beginLineNumber, CancellationToken cancellationToken) => Enter();

    protected override void OnMessagePartEnd(
        ContentType contentType, long beginOffset, int beginLineNumber, long headersEndOffset, long endOffset, int lines, CancellationToken cancellationToken) => _depth--;

    private void Enter()
    {
        Count();
        if (++_depth > _settings.MostDepth)
        {
            Stop($"It has more than {_settings.MostDepth} parts inside one another.");
        }
    }

    private void Count()
    {
        if (++_parts > _settings.MostParts)
        {
            Stop($"It has more than {Number(_settings.MostParts)} parts.");
        }
    }

    // The reader asks the token between one thing and the next.
    private void Stop(string fault)
    {
        _fault ??= fault;
        _enough.Cancel();
        _enough.Token.ThrowIfCancellationRequested();
    }

    private static string Number(int number) => number.ToString("N0", CultureInfo.InvariantCulture);
}
