using System.Text;
using System.Text.Json;
using Eddy.Mail.Inbox;

namespace Eddy.Tests.Mail.Inbox;

/// <summary>The messages under <c>messages/</c>, and what is expected of each in the file beside it.</summary>
internal static class TestMessages
{
    /// <summary>As the server of these messages is set up.</summary>
    public static MessageSettings Settings { get; } = new() { AuthenticationServers = ["mx.in.example.com"], KeyPatience = Patience.Long };

    private static string Folder => Path.Combine(Repository.Root, "tests/Mail/Inbox/messages");

    public static IReadOnlyList<string> Names { get; } = [.. Directory.EnumerateFiles(Folder, "*.eml").Select(Path.GetFileNameWithoutExtension).Order(StringComparer.Ordinal)!];

    public static byte[] Bytes(string name) => File.ReadAllBytes(Path.Combine(Folder, name + ".eml"));

    public static JsonElement Expected(string name) => JsonDocument.Parse(File.ReadAllText(Path.Combine(Folder, name + ".expected.json"))).RootElement;

    public static async Task<IncomingMail> ReadAsync(string name) => await ReadAsync(Bytes(name));

    public static async Task<IncomingMail> ReadAsync(byte[] raw) =>
        (await MessageReader.ReadAsync(raw, Settings, keys: null, TestContext.Current.CancellationToken)).ShouldBeOfType<MessageReading.Read>().Mail;

    /// <summary>A message of a member whose domain vouches for it.</summary>
    public static byte[] Of(string text, string headers = "", string from = "ann@acme.test", string subject = "Hello", string deliveredTo = "acme@in.example.com", bool isVouched = true) =>
        Encoding.UTF8.GetBytes(
            $"""
            Return-Path: <{from}>
            Delivered-To: {deliveredTo}
            {(isVouched ? $"Authentication-Results: mx.in.example.com; dmarc=pass header.from={from[(from.IndexOf('@', StringComparison.Ordinal) + 1)..]}" : "X-Nothing: vouches")}
            From: {from}
            Subject: {subject}
            Message-ID: <m1@acme.test>
            Date: Tue, 24 Nov 2026 10:00:00 +0100
            {(headers.Length == 0 ? "X-None: here" : headers)}
            Content-Type: text/plain; charset=utf-8

            {text}
            """);
}
