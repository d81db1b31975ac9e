using System.Text;
using Eddy.Postgres;
using Eddy.Secrets;
using Npgsql;

namespace Eddy.Tests.Secrets;

/// <summary>Secrets in a real database: sealed, rotated, moved, and opened with the right key alone.</summary>
public sealed class SecretStoreTests(TestDatabase database)
{
    private const string Value = "sk_live_1234567890";
    private const string Host = "api.example.com";

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_is_stored_holds_neither_the_value_nor_the_key()
    {
        var (store, tenant) = await MakeAsync();

        await store.SetAsync(tenant, "A", Value, Host);

        var row = await TextAsync($"select (select s::text from secrets s where tenant_id = '{tenant.Id}') || (select k::text from tenant_keys k where tenant_id = '{tenant.Id}')");
        row.ShouldNotContain(Value);
        row.ShouldNotContain(Convert.ToHexStringLower(Encoding.UTF8.GetBytes(Value)));
        (await store.SetOfAsync(tenant)).Fill((await store.SetOfAsync(tenant)).Placeholder("A"), Host, []).ShouldBe(Value);
    }

    [Theory]
    [InlineData("update secrets set name = 'B' where tenant_id = $1 and name = 'A'", "B")]
    [InlineData("update secrets set hosts = array['evil.test'] where tenant_id = $1 and name = 'A'", "A")]
    [InlineData("update secrets set hosts = array['api.example.com', 'evil.test'] where tenant_id = $1 and name = 'A'", "A")]
    [InlineData("update secrets set version = version + 1 where tenant_id = $1 and name = 'A'", "A")]
    [InlineData("update secrets set nonce = sha224(nonce) where tenant_id = $1 and name = 'A'", "A")]
    [InlineData("update secrets set ciphertext = set_byte(ciphertext, 3, get_byte(ciphertext, 3) # 1) where tenant_id = $1 and name = 'A'", "A")]
    [InlineData("update secrets set ciphertext = substr(ciphertext, 1, 10) where tenant_id = $1 and name = 'A'", "A")]
    [InlineData("update secrets s set ciphertext = o.ciphertext, nonce = o.nonce from secrets o where s.tenant_id = $1 and s.name = 'A' and o.tenant_id = $1 and o.name = 'OTHER'", "A")]
    public async Task A_row_that_was_changed_does_not_open_and_the_others_do(string change, string name)
    {
        var (store, tenant) = await MakeAsync();
        await store.SetAsync(tenant, "A", Value, Host);
        await store.SetAsync(tenant, "OTHER", "something else", Host);

        await tenant.PrepareAsync(change);
        var set = await store.SetOfAsync(tenant);

        set.Broken.ShouldBe([name]);
        foreach (var host in new[] { Host, "evil.test" })
        {
            Should.Throw<SecretRefused>(() => set.Fill(set.Placeholder(name), host, [])).Message.ShouldNotContain(Value);
        }

        Should.Throw<SecretRefused>(() => set.Sign(name, "sha256", "x"u8)).Message.ShouldContain("can not be opened");
        set.Fill(set.Placeholder("OTHER"), Host, []).ShouldBe("something else");
    }

    [Fact]
    public async Task A_row_that_was_moved_to_another_tenant_does_not_open_there_nor_does_the_key()
    {
        var (store, owner) = await MakeAsync();
        var thief = await TestTenant.MakeAsync(database);
        await store.SetAsync(owner, "A", Value, Host);
        await store.SetAsync(thief, "B", "something of the thief's", Host);

        await thief.PrepareAsync($"insert into secrets select $1, name, hosts, nonce, ciphertext, version, created_at, changed_at, changed_by from secrets where tenant_id = '{owner.Id}'");
        (await store.SetOfAsync(thief)).Broken.ShouldBe(["A"]);
        await thief.PrepareAsync($"update tenant_keys t set nonce = o.nonce, wrapped = o.wrapped from tenant_keys o where t.tenant_id = $1 and o.tenant_id = '{owner.Id}'");

        (await Should.ThrowAsync<SecretsUnavailable>(() => store.SetOfAsync(thief))).Message.ShouldContain("does not open");
    }

    [Fact]
    public async Task Without_the_right_master_key_the_error_says_which_is_missing_and_nothing_opens()
    {
        var line = TestSecrets.Line("spring");
        var (store, tenant) = await MakeAsync(line);
        await store.SetAsync(tenant, "A", Value, Host);

        (await Should.ThrowAsync<SecretsUnavailable>(() => Store(TestSecrets.Line("autumn")).SetOfAsync(tenant))).Message.ShouldContain("'spring', which is not in Secrets:MasterKeyFile");
        (await Should.ThrowAsync<SecretsUnavailable>(() => Store(TestSecrets.Line("spring")).SetOfAsync(tenant))).Message.ShouldContain("another key under that id");
        (await Should.ThrowAsync<SecretsUnavailable>(() => TestSecrets.Store(database, MasterKeys.None).SetOfAsync(tenant))).Message.ShouldContain("Secrets:MasterKeyFile");
        (await Should.ThrowAsync<SecretsUnavailable>(() => Store(TestSecrets.Line("autumn")).SetAsync(tenant, "B", Value, Host))).Message.ShouldContain("'spring'");
        (await Should.ThrowAsync<SecretsUnavailable>(() => TestSecrets.Store(database, MasterKeys.None).SetAsync(tenant, "B", Value, Host))).Message.ShouldContain("no master key");

        // Names and hosts are seen, and deleting goes on.
        (await TestSecrets.Store(database, MasterKeys.None).ListAsync(tenant.Id, Cancel)).ShouldHaveSingleItem();
        (await TestSecrets.Store(database, MasterKeys.None).DeleteAsync(tenant.Id, "A", "key:test", WriteCondition.None, Cancel)).ShouldNotBeNull();
        (await TestSecrets.Store(database, MasterKeys.None).SetOfAsync(await TestTenant.MakeAsync(database))).Placeholders.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_new_value_and_a_deletion_are_in_force_with_the_next_asking_in_every_process()
    {
        var (store, tenant) = await MakeAsync(out var line);
        using var here = TestSecrets.Keeper(store);
        using var there = TestSecrets.Keeper(Store(line));
        await store.SetAsync(tenant, "A", Value, Host);
        var (before, placeholder) = (await there.OfAsync(tenant.Id, Cancel), (await here.OfAsync(tenant.Id, Cancel)).Placeholder("A"));
        (await there.OfAsync(tenant.Id, Cancel)).ShouldBeSameAs(before);

        await store.SetAsync(tenant, "A", "the second value", "second.example.com");
        (await there.OfAsync(tenant.Id, Cancel)).Fill(placeholder, "second.example.com", []).ShouldBe("the second value");
        Should.Throw<SecretRefused>(() => there.OfAsync(tenant.Id, Cancel).Result.Fill(placeholder, Host, []));
        // A call that is under way still knows what it must strike out.
        before.Redact(Value).ShouldBe(placeholder);

        await store.DeleteAsync(tenant.Id, "A", "key:test", WriteCondition.None, Cancel);
        (await there.OfAsync(tenant.Id, Cancel)).Placeholders.ShouldBeEmpty();
        (await here.OfAsync(tenant.Id, Cancel)).Placeholders.ShouldBeEmpty();
    }

    [Fact]
    public async Task A_version_never_comes_twice_even_where_a_secret_is_made_anew()
    {
        var (store, tenant) = await MakeAsync();

        (await store.SetAsync(tenant, "A", Value, Host)).Version.ShouldBe(1);
        (await store.SetAsync(tenant, "A", Value, Host)).Version.ShouldBe(2);
        await store.DeleteAsync(tenant.Id, "A", "key:other", WriteCondition.None, Cancel);
        (await store.SetAsync(tenant, "A", Value, Host)).Version.ShouldBe(4);

        (await store.ChangesAsync(tenant.Id, 10, Cancel)).Select(change => (change.Version, change.Name, change.Hosts?.Single(), change.ChangedBy))
            .ShouldBe([(4L, "A", Host, "key:test"), (3L, "A", null, "key:other"), (2L, "A", Host, "key:test"), (1L, "A", Host, "key:test")]);
    }

    [Fact]
    public async Task Many_that_set_a_tenants_first_secrets_at_once_all_do()
    {
        var (store, tenant) = await MakeAsync();

        var versions = await Task.WhenAll(Enumerable.Range(0, 12).Select(async i => (await store.SetAsync(tenant, $"S{i}", $"the value of {i}", Host)).Version));

        versions.Order().ShouldBe(Enumerable.Range(1, 12).Select(i => (long)i));
        var set = await store.SetOfAsync(tenant);
        Enumerable.Range(0, 12).ShouldAllBe(i => set.Fill(set.Placeholder($"S{i}"), Host, new List<string>()) == $"the value of {i}");
    }

    [Fact]
    public async Task The_tree_gets_a_version_where_a_name_comes_or_goes_and_not_where_a_value_changes()
    {
        var (store, tenant) = await MakeAsync();

        await store.SetAsync(tenant, "A", Value, Host);
        (await TreeAsync()).ShouldBe("1");
        await store.SetAsync(tenant, "A", "another value", Host);
        (await TreeAsync()).ShouldBe("1");
        await store.DeleteAsync(tenant.Id, "A", "key:test", WriteCondition.None, Cancel);
        (await TreeAsync()).ShouldBe("2");

        Task<string> TreeAsync() => TextAsync($"select tree_version::text from tenants where id = '{tenant.Id}'");
    }

    [Fact]
    public async Task A_tenants_key_is_rotated_and_nothing_changes_for_its_rules()
    {
        var (store, tenant) = await MakeAsync();
        await store.SetAsync(tenant, "A", Value, Host);
        await store.SetAsync(tenant, "BROKEN", "does not matter", Host);
        await tenant.PrepareAsync("update secrets set hosts = array['evil.test'] where tenant_id = $1 and name = 'BROKEN'");
        var (before, list, rows) = (await store.SetOfAsync(tenant), await store.ListAsync(tenant.Id, Cancel), await RowsAsync(tenant));

        var (count, broken) = (await store.RotateKeyAsync(tenant.Id, Cancel))!.Value;

        (count, broken.Single()).ShouldBe((1, "BROKEN"));
        var after = await store.SetOfAsync(tenant);
        after.Placeholder("A").ShouldBe(before.Placeholder("A"));
        after.Fill(after.Placeholder("A"), Host, []).ShouldBe(Value);
        (await store.ListAsync(tenant.Id, Cancel)).Select(secret => secret.Version).ShouldBe(list.Select(secret => secret.Version));
        (await RowsAsync(tenant)).Intersect(rows).ShouldBeEmpty();
        // What was sealed under the old key opens no more.
        await tenant.PrepareAsync($"update secrets set nonce = decode('{rows[0].Split(' ')[0]}', 'hex'), ciphertext = decode('{rows[0].Split(' ')[1]}', 'hex') where tenant_id = $1 and name = 'A'");
        await store.SetAsync(tenant, "C", "so that it is read anew", Host);
        (await store.SetOfAsync(tenant)).Broken.ShouldBe(["A", "BROKEN"], ignoreOrder: true);
        (await store.RotateKeyAsync((await TestTenant.MakeAsync(database)).Id, Cancel)).ShouldBeNull();

        async Task<string[]> RowsAsync(TestTenant of) =>
            (await TextAsync($"select string_agg(encode(nonce, 'hex') || ' ' || encode(ciphertext, 'hex'), ',' order by name) from secrets where tenant_id = '{of.Id}' and name = 'A'")).Split(',');
    }

    [Fact]
    public async Task The_master_key_is_rotated_by_wrapping_anew_and_the_old_one_is_needed_no_more()
    {
        var (old, current) = (TestSecrets.Line("old"), TestSecrets.Line("new"));
        var (store, tenant) = await MakeAsync(old);
        await store.SetAsync(tenant, "A", Value, Host);
        var placeholder = (await store.SetOfAsync(tenant)).Placeholder("A");
        var both = Store(current, old);

        // The old one still opens what it wrapped, and a new tenant's key is wrapped by the new one.
        (await both.SetOfAsync(tenant)).Fill(placeholder, Host, []).ShouldBe(Value);
        var second = await TestTenant.MakeAsync(database);
        await both.SetAsync(second, "A", Value, Host);
        (await both.KeyAsync(second.Id, Cancel))!.Value.MasterKey.ShouldBe("new");
        (await both.KeyAsync(tenant.Id, Cancel))!.Value.MasterKey.ShouldBe("old");

        (await both.RewrapAsync(tenant.Id, Cancel)).ShouldBeTrue();
        (await both.RewrapAsync(tenant.Id, Cancel)).ShouldBeFalse();

        var set = await Store(current).SetOfAsync(tenant);
        set.Fill(placeholder, Host, []).ShouldBe(Value);
        (await Should.ThrowAsync<SecretsUnavailable>(() => Store(old).SetOfAsync(tenant))).Message.ShouldContain("'new'");
        (await Should.ThrowAsync<SecretsUnavailable>(() => Store(old).RewrapAsync(tenant.Id, Cancel))).Message.ShouldContain("'new'");
    }

    [Fact]
    public async Task No_tenant_has_more_secrets_or_bytes_of_them_than_it_may()
    {
        var (store, tenant) = await MakeAsync();
        HostPattern.TryParse(Host, out var host, out _).ShouldBeTrue();
        for (var i = 0; i < SecretStore.MostBytes / Secret.MostValueBytes; i++)
        {
            await store.SetAsync(tenant, $"S{i}", new string('x', Secret.MostValueBytes), Host);
        }

        (await store.SetAsync(tenant.Id, "MORE", "x", [host], "key:test", WriteCondition.None, Cancel)).ShouldBeOfType<SetOutcome.TooMany>().Why.ShouldContain("bytes");
        await store.SetAsync(tenant, "S0", "x", Host);
        for (var i = SecretStore.MostBytes / Secret.MostValueBytes; i < SecretStore.MostSecrets; i++)
        {
            await store.SetAsync(tenant, $"S{i}", "x", Host);
        }

        (await store.SetAsync(tenant.Id, "MORE", "x", [host], "key:test", WriteCondition.None, Cancel)).ShouldBeOfType<SetOutcome.TooMany>().Why.ShouldContain("100 secrets");
        await store.SetAsync(tenant, "S1", "yet", Host);
    }

    [Fact]
    public async Task Use_is_noted_and_not_more_than_once_a_minute()
    {
        var clock = new TestClock();
        var line = TestSecrets.Line("one");
        var tenant = await TestTenant.MakeAsync(database);
        var store = TestSecrets.Store(database, TestSecrets.Masters(line), clock);
        using var keeper = TestSecrets.Keeper(store, clock);
        await store.SetAsync(tenant, "A", Value, Host);
        await store.SetAsync(tenant, "B", Value, Host);
        var start = clock.GetUtcNow();

        await keeper.NoteUseAsync(tenant.Id, ["A", "A", "GONE"], Cancel);
        clock.Turn(TimeSpan.FromSeconds(59));
        await keeper.NoteUseAsync(tenant.Id, ["A"], Cancel);
        (await UsesAsync()).ShouldBe([start, null]);
        clock.Turn(TimeSpan.FromSeconds(1));
        await keeper.NoteUseAsync(tenant.Id, ["A", "B"], Cancel);

        (await UsesAsync()).ShouldBe([start.AddMinutes(1), start.AddMinutes(1)]);

        async Task<IEnumerable<DateTimeOffset?>> UsesAsync() => (await store.ListAsync(tenant.Id, Cancel)).Select(secret => secret.LastUsedAt);
    }

    [Fact]
    public async Task What_is_signed_is_noted_and_what_is_not_is_told_why()
    {
        var (store, tenant) = await MakeAsync();
        using var keeper = TestSecrets.Keeper(store);
        await store.SetAsync(tenant, "JEFE", "Jefe", Host);
        var data = "what do ya want for nothing?"u8.ToArray();

        var (signature, refusal) = await keeper.SignAsync(tenant.Id, (await store.SetOfAsync(tenant)).Placeholder("JEFE"), "sha256", data, Cancel);
        var (none, why) = await keeper.SignAsync(tenant.Id, "NOBODY", "sha256", data, Cancel);
        using var without = TestSecrets.Keeper(TestSecrets.Store(database, MasterKeys.None));

        Convert.ToHexStringLower(signature!).ShouldStartWith("5bdcc146bf60754e");
        refusal.ShouldBeNull();
        none.ShouldBeNull();
        why!.ShouldContain("'NOBODY'");
        (await without.SignAsync(tenant.Id, "JEFE", "sha256", data, Cancel)).Refusal!.ShouldContain("Secrets:MasterKeyFile");
        (await store.ListAsync(tenant.Id, Cancel)).Single().LastUsedAt.ShouldNotBeNull();
    }

    [Fact]
    public async Task That_use_can_not_be_noted_fails_nothing_and_is_tried_again()
    {
        var (store, tenant) = await MakeAsync(out var line);
        await store.SetAsync(tenant, "A", Value, Host);
        await using var nowhere = NpgsqlDataSource.Create("Host=/nowhere;Username=nobody");
        using var keeper = TestSecrets.Keeper(new SecretStore(new EddyDbs(nowhere), TestSecrets.Masters(line), TimeProvider.System));

        await keeper.NoteUseAsync(tenant.Id, ["A"], Cancel);
        await keeper.NoteUseAsync(tenant.Id, ["A"], Cancel);

        await Should.ThrowAsync<NpgsqlException>(() => keeper.OfAsync(tenant.Id, Cancel));
    }

    [Fact]
    public async Task A_set_that_nobody_asks_for_is_forgotten()
    {
        var clock = new TestClock();
        var (store, tenant) = await MakeAsync();
        using var keeper = TestSecrets.Keeper(store, clock);
        await store.SetAsync(tenant, "A", Value, Host);
        await keeper.OfAsync(tenant.Id, Cancel);
        await keeper.OfAsync((await TestTenant.MakeAsync(database)).Id, Cancel);

        clock.Turn(SecretKeeper.Kept / 2);
        keeper.Open.ShouldBe(1);
        await keeper.OfAsync(tenant.Id, Cancel);
        clock.Turn(SecretKeeper.Kept / 2);
        keeper.Open.ShouldBe(1);
        clock.Turn(SecretKeeper.Kept);

        keeper.Open.ShouldBe(0);
    }

    [Fact]
    public async Task A_connection_sees_the_secrets_of_the_tenant_that_it_names_alone_and_can_not_change_the_record()
    {
        var (store, owner) = await MakeAsync();
        var stranger = await TestTenant.MakeAsync(database);
        await store.SetAsync(owner, "A", Value, Host);

        foreach (var table in new[] { "secrets", "tenant_keys", "secret_changes" })
        {
            (await AsAsync(owner, $"select count(*)::text from {table}")).ShouldBe("1", table);
            (await AsAsync(stranger, $"select count(*)::text from {table}")).ShouldBe("0", table);
            (await AsAsync(null, $"select count(*)::text from {table}")).ShouldBe("0", table);
        }

        await AsAsync(stranger, "update secrets set hosts = array['evil.test']");
        await AsAsync(stranger, "delete from secrets");
        (await store.ListAsync(owner.Id, Cancel)).Single().Hosts.ShouldBe([Host]);
        (await Should.ThrowAsync<PostgresException>(() => AsAsync(stranger, $"insert into secrets select '{owner.Id}', 'B', array['x'], '', '', 1, now(), now(), 'x'"))).SqlState.ShouldBe(PostgresErrorCodes.InsufficientPrivilege);
        foreach (var statement in new[] { "delete from tenant_keys", "delete from secret_changes", "update secret_changes set changed_by = 'x'", "truncate secrets" })
        {
            (await Should.ThrowAsync<PostgresException>(() => AsAsync(owner, statement))).SqlState.ShouldBe(PostgresErrorCodes.InsufficientPrivilege, statement);
        }

        async Task<string?> AsAsync(TestTenant? named, string statement)
        {
            await using var connection = await database.App.OpenConnectionAsync(Cancel);
            if (named is not null)
            {
                await using var name = new NpgsqlCommand($"select set_config('app.tenant_id', '{named.Id}', false)", connection);
                await name.ExecuteNonQueryAsync(Cancel);
            }

            await using var command = new NpgsqlCommand(statement, connection);
            return (string?)await command.ExecuteScalarAsync(Cancel);
        }
    }

    private Task<(SecretStore Store, TestTenant Tenant)> MakeAsync() => MakeAsync(TestSecrets.Line("one"));

    private Task<(SecretStore Store, TestTenant Tenant)> MakeAsync(out string line) => MakeAsync(line = TestSecrets.Line("one"));

    private async Task<(SecretStore Store, TestTenant Tenant)> MakeAsync(string line) => (Store(line), await TestTenant.MakeAsync(database));

    private SecretStore Store(params string[] lines) => TestSecrets.Store(database, TestSecrets.Masters(lines));

    private async Task<string> TextAsync(string sql)
    {
        await using var command = database.Superuser.CreateCommand(sql);
        return (string)(await command.ExecuteScalarAsync(Cancel))!;
    }
}
