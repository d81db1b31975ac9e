using System.Buffers.Binary;
using System.Collections.Concurrent;
using System.Net;
using System.Net.Sockets;
using System.Text;

namespace Eddy.Tests.Mail.Inbox;

/// <summary>A name server on a port of its own that knows texts (TXT) by their names, and nothing else.</summary>
internal sealed class TestNameServer : IDisposable
{
    private const int Header = 12;

    private readonly UdpClient _socket = new(new IPEndPoint(IPAddress.Loopback, 0));

    public TestNameServer() => _ = ServeAsync();

    public string Address => $"127.0.0.1:{((IPEndPoint)_socket.Client.LocalEndPoint!).Port}";

    public ConcurrentDictionary<string, string> Texts { get; } = new();

    /// <summary>What it says to whatever it does not know: 3 that there is nothing, 2 that it can not tell.</summary>
    public byte Otherwise { get; set; } = 3;

    /// <summary>It says nothing at all.</summary>
    public bool IsSilent { get; set; }

    /// <summary>What it was asked for.</summary>
    public ConcurrentQueue<string> Asked { get; } = new();

    public void Dispose() => _socket.Dispose();

    private async Task ServeAsync()
    {
        try
        {
            while (true)
            {
                var asked = await _socket.ReceiveAsync();
                var (name, end) = Name(asked.Buffer);
                Asked.Enqueue(name);
                if (!IsSilent)
                {
                    await _socket.SendAsync(Answer(asked.Buffer.AsSpan(0, end), Texts.GetValueOrDefault(name)), asked.RemoteEndPoint);
                }
            }
        }
        catch (Exception e) when (e is SocketException or ObjectDisposedException)
        {
            // The test is over.
        }
    }

    private static (string Name, int End) Name(byte[] query)
    {
        var labels = new List<string>();
        var at = Header;
        for (; query[at] > 0; at += query[at] + 1)
        {
            labels.Add(Encoding.ASCII.GetString(query, at + 1, query[at]));
        }

        return (string.Join('.', labels).ToLowerInvariant(), at + 1 + 4);
    }

    // RFC 1035, 4.1: the question, and behind it a text in strings of at most 255 bytes.
    private byte[] Answer(ReadOnlySpan<byte> question, string? text)
    {
        var answer = new List<byte>(question.ToArray()) { [2] = 0x81, [3] = (byte)(0x80 | (text is null ? Otherwise : 0)), [7] = (byte)(text is null ? 0 : 1), [9] = 0, [11] = 0 };
        if (text is not null)
        {
            var strings = Encoding.ASCII.GetBytes(text).Chunk(255).SelectMany(part => (byte[])[(byte)part.Length, .. part]).ToArray();
            Span<byte> head = [0xC0, Header, 0, 16, 0, 1, 0, 0, 0, 60, 0, 0];
            BinaryPrimitives.WriteUInt16BigEndian(head[10..], (ushort)strings.Length);
            answer.AddRange(head);
            answer.AddRange(strings);
        }

        return [.. answer];
    }
}
