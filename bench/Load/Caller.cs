using System.Globalization;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Eddy.Bench.Load;

/// <summary>
/// One connection that asks and waits for the answer, by plain blocking sockets: a latency is that of the product, not of a client library. For one thread.
/// </summary>
internal sealed class Caller : IDisposable
{
    private static readonly byte[] HeadEnd = "\r\n\r\n"u8.ToArray();
    private static readonly byte[] LastChunk = "\r\n0\r\n\r\n"u8.ToArray();

    private readonly Socket _socket;
    private byte[] _answer = new byte[1 << 16];

    public Caller(int port)
    {
        _socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true, ReceiveTimeout = 30_000 };
        _socket.Connect(IPAddress.Loopback, port);
    }

    /// <summary>Posts JSON and says which status the answer had; <see cref="Body"/> has the rest.</summary>
    public int Post(string key, string json, bool settled, string path = "/in")
    {
        _socket.Send(Encoding.UTF8.GetBytes(string.Create(
            CultureInfo.InvariantCulture,
            $"POST {path} HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer {key}\r\nContent-Type: application/json\r\n{(settled ? "Prefer: wait=10\r\n" : "")}Content-Length: {json.Length}\r\n\r\n{json}")));
        var length = 0;
        while (true)
        {
            if (length == _answer.Length)
            {
                Array.Resize(ref _answer, _answer.Length * 2);
            }

            var read = _socket.Receive(_answer.AsSpan(length));
            length += read;
            if (read == 0)
            {
                throw new BenchFault("The web closed the connection.");
            }

            if (IsWhole(_answer.AsSpan(0, length), out var head))
            {
                Body = Encoding.UTF8.GetString(_answer.AsSpan(head, length - head));
                return int.Parse(_answer.AsSpan("HTTP/1.1 ".Length, 3), CultureInfo.InvariantCulture);
            }
        }
    }

    /// <summary>The last answer's body, chunk marks and all.</summary>
    public string Body { get; private set; } = "";

    public void Dispose() => _socket.Dispose();

    private static bool IsWhole(ReadOnlySpan<byte> answer, out int head)
    {
        head = answer.IndexOf(HeadEnd) + HeadEnd.Length;
        if (head < HeadEnd.Length)
        {
            return false;
        }

        var text = answer[..head];
        var length = text.IndexOf("Content-Length: "u8);
        if (length < 0)
        {
            return answer.EndsWith(LastChunk);
        }

        text = text[(length + "Content-Length: ".Length)..];
        return answer.Length >= head + int.Parse(text[..text.IndexOf((byte)'\r')], CultureInfo.InvariantCulture);
    }
}
