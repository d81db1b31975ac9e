using System.Security.Cryptography;

namespace Eddy.Secrets;

/// <summary>Something under AES-256-GCM: a random nonce, and the ciphertext with its tag behind it.</summary>
public readonly record struct SealedBox(byte[] Nonce, byte[] Ciphertext)
{
    /// <param name="context">What it belongs to; it opens with the very same context alone.</param>
    public static SealedBox Seal(ReadOnlySpan<byte> key, ReadOnlySpan<byte> plain, ReadOnlySpan<byte> context)
    {
        var nonce = RandomNumberGenerator.GetBytes(AesGcm.NonceByteSizes.MaxSize);
        var ciphertext = new byte[plain.Length + AesGcm.TagByteSizes.MaxSize];
        using var aes = new AesGcm(key, AesGcm.TagByteSizes.MaxSize);
        aes.Encrypt(nonce, plain, ciphertext.AsSpan(0, plain.Length), ciphertext.AsSpan(plain.Length), context);
        return new SealedBox(nonce, ciphertext);
    }

    /// <summary>What is in it, or null where key, context, nonce or ciphertext are not those with which it was sealed. Whoever asks zeroes it after use.</summary>
    public byte[]? Open(ReadOnlySpan<byte> key, ReadOnlySpan<byte> context)
    {
        var tag = AesGcm.TagByteSizes.MaxSize;
        if (Nonce.Length != AesGcm.NonceByteSizes.MaxSize || Ciphertext.Length < tag)
        {
            return null;
        }

        var plain = new byte[Ciphertext.Length - tag];
        using var aes = new AesGcm(key, tag);
        try
        {
            aes.Decrypt(Nonce, Ciphertext.AsSpan(0, plain.Length), Ciphertext.AsSpan(plain.Length), plain, context);
            return plain;
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
    }
}
