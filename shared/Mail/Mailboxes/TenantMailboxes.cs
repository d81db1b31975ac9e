using System.Net;
using System.Net.Sockets;
using Eddy.Egress;
using Eddy.Secrets;
using Eddy.Tenants;
using Npgsql;

namespace Eddy.Mail.Mailboxes;

/// <summary>Opens mailboxes of tenants' own: under the rules of outgoing calls, at the ports of IMAP, with the tenant's secret as the password.</summary>
public sealed class TenantMailboxes(NpgsqlDataSource source, SecretKeeper secrets, EgressOptions egress, TimeProvider time)
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);

    // What else may be called says nothing of mail; where may not be called at all holds for it, too.
    private readonly EgressRules _rules = new(new EgressOptions { Ports = [143, 993], Allow = egress.Allow, Deny = egress.Deny, Hosts = egress.Hosts }, time);

    /// <summary>Those of all tenants.</summary>
    public async Task<IReadOnlyList<(TenantId Tenant, string Slug, StoredMailbox Mailbox)>> AllAsync(CancellationToken cancel)
    {
        await using var read = source.CreateCommand("select b.tenant_id, b.slug, b.name, b.host, b.port, b.tls, b.username, b.secret, b.folder, b.error, b.changed_at, b.changed_by from all_mailboxes() b");
        await using var rows = await read.ExecuteReaderAsync(cancel);
        var found = new List<(TenantId, string, StoredMailbox)>();
        while (await rows.ReadAsync(cancel))
        {
            found.Add((new TenantId(rows.GetGuid(0)), rows.GetString(1), MailboxStore.ReadRow(rows, 2)));
        }

        return found;
    }

    /// <exception cref="MailboxFault">It can not be opened; the message is a sentence for the tenant.</exception>
    public async Task<Mailbox> OpenAsync(TenantId tenant, StoredMailbox mailbox, CancellationToken cancel)
    {
        using var limit = CancellationTokenSource.CreateLinkedTokenSource(cancel);
        limit.CancelAfter(Patience);
        try
        {
            _rules.CheckName(new CallTarget("https", mailbox.Host, mailbox.Port, "/", ""));
            var set = await secrets.OfAsync(tenant, limit.Token);
            var password = set.Fill(set.Placeholder(mailbox.Secret), mailbox.Authority, []);
            var addresses = _rules.Check(mailbox.Host, mailbox.Port, IPAddress.TryParse(mailbox.Host, out var literal) ? [literal] : await Dns.GetHostAddressesAsync(mailbox.Host, limit.Token));
            // To an address that was looked at, whatever the name means by now.
            var socket = new Socket(addresses[0].AddressFamily, SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
            try
            {
                await socket.ConnectAsync(new IPEndPoint(addresses[0], mailbox.Port), limit.Token);
                var opened = await Mailbox.OpenAsync(mailbox.Options(password, egress.TrustedRoots), socket, limit.Token);
                await secrets.NoteUseAsync(tenant, [mailbox.Secret], limit.Token);
                return opened;
            }
            catch
            {
                socket.Dispose();
                throw;
            }
        }
        catch (Exception e) when (e is CallRefused or SecretRefused or SecretsUnavailable)
        {
            throw new MailboxFault(e.Message, e);
        }
        catch (SocketException e)
        {
            throw new MailboxFault($"{mailbox.Host} can not be reached at port {mailbox.Port}: {e.Message}", e);
        }
        catch (OperationCanceledException e) when (!cancel.IsCancellationRequested)
        {
            throw new MailboxFault($"{mailbox.Host} took longer than {Patience.TotalSeconds} seconds to answer.", e);
        }
    }
}
