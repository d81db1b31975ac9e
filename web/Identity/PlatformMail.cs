using Eddy.Mail;
using Microsoft.AspNetCore.Hosting.Server;
using Microsoft.AspNetCore.Hosting.Server.Features;
using Npgsql;

namespace Eddy.Identity;

/// <summary>The platform's own mails. They go into the outbox of the platform's tenant, and out as those of rules do.</summary>
public sealed class PlatformMail(NpgsqlDataSource source, MailOptions options, IServer server, TimeProvider time)
{
    // Never what a request says of its host: whoever sends one would choose where the links of other people lead.
    private string Site => (options.Site ?? server.Features.Get<IServerAddressesFeature>()?.Addresses.FirstOrDefault() ?? "http://localhost").TrimEnd('/');

    public Task ConfirmAsync(string address, string token, string tenant, CancellationToken cancel) =>
        SendAsync(address, "Confirm your address", $"Welcome to Eddy.\n\nOpen this link within a day to confirm that this address is yours and to make the tenant {tenant}:\n\n{Site}/sign-up/{token}\n\nIf you have not signed up, ignore this mail: nothing is made without it.", cancel);

    public Task KnownAsync(string address, CancellationToken cancel) =>
        SendAsync(address, "You have an account already", $"Somebody has signed up to Eddy with this address, which has an account already.\n\nIf it was you, sign in: {Site}/sign-in\nIf you do not know your password any more: {Site}/reset\n\nIf it was not you, ignore this mail.", cancel);

    public Task ResetAsync(string address, string token, CancellationToken cancel) =>
        SendAsync(address, "Set a new password", $"Open this link within an hour to set a new password for your account:\n\n{Site}/reset/{token}\n\nIf you have not asked for it, ignore this mail: your password stays.", cancel);

    public Task InviteAsync(string address, string token, string by, string tenant, CancellationToken cancel) =>
        SendAsync(address, $"Join {tenant}", $"{by} invites you to {tenant} on Eddy.\n\nOpen this link within a week to join:\n\n{Site}/invitation/{token}\n\nIf you do not know them, ignore this mail.", cancel);

    public Task NewAddressAsync(string address, string token, CancellationToken cancel) =>
        SendAsync(address, "Confirm your new address", $"Open this link within an hour, and this becomes the address of your account:\n\n{Site}/account/address/{token}\n\nIf you have not asked for it, ignore this mail.", cancel);

    /// <summary>Tells whoever has the account what was done to it, so that they hear of it where it was not them.</summary>
    public Task NoticeAsync(string address, string what, CancellationToken cancel) =>
        SendAsync(address, what, $"{what}.\n\nIf it was not you, set a new password at once: {Site}/reset", cancel);

    private async Task SendAsync(string address, string subject, string text, CancellationToken cancel)
    {
        await using var send = source.CreateCommand("select send_platform_mail($1, $2, $3, $4)");
        send.Parameters.Add(new() { Value = time.GetUtcNow() });
        send.Parameters.Add(new() { Value = address });
        send.Parameters.Add(new() { Value = subject });
        send.Parameters.Add(new() { Value = text });
        await send.ExecuteNonQueryAsync(cancel);
    }
}
