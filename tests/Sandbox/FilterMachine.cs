using System.Buffers.Binary;

namespace Eddy.Tests.Sandbox;

/// <summary>The kernel's part in seccomp: runs a classic BPF program on the numbers and arguments of a system call.</summary>
internal sealed class FilterMachine(byte[] program)
{
    public const uint Allow = 0x7FFF0000;
    public const uint Kill = 0x80000000;
    public const uint Refuse = 0x00050000 | 1;
    public const uint NotThere = 0x00050000 | 38;

    public uint Judge(uint arch, uint number, params ulong[] arguments)
    {
        Span<byte> call = stackalloc byte[64];
        call.Clear();
        BinaryPrimitives.WriteUInt32LittleEndian(call, number);
        BinaryPrimitives.WriteUInt32LittleEndian(call[4..], arch);
        for (var i = 0; i < arguments.Length; i++)
        {
            BinaryPrimitives.WriteUInt64LittleEndian(call[(16 + (8 * i))..], arguments[i]);
        }

        var accumulator = 0u;
        for (var at = 0; ;)
        {
            var line = program.AsSpan(8 * at++, 8);
            var (code, yes, no, value) = (BinaryPrimitives.ReadUInt16LittleEndian(line), line[2], line[3], BinaryPrimitives.ReadUInt32LittleEndian(line[4..]));
            switch (code)
            {
                case 0x20: // load a word; the kernel takes aligned ones within the call alone
                    (value % 4).ShouldBe(0u);
                    accumulator = BinaryPrimitives.ReadUInt32LittleEndian(call[(int)value..]);
                    break;
                case 0x15:
                    at += accumulator == value ? yes : no;
                    break;
                case 0x35:
                    at += accumulator >= value ? yes : no;
                    break;
                case 0x45:
                    at += (accumulator & value) != 0 ? yes : no;
                    break;
                case 0x06:
                    return value;
                default:
                    throw new InvalidOperationException($"The program has the instruction {code:x} at {at - 1}.");
            }
        }
    }
}
