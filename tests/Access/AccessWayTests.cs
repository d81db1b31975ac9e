using System.Net;
using Eddy.Access;
using Eddy.Postgres;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Eddy.Tests.Access;

/// <summary>A person from the door to the rules and back.</summary>
public sealed class AccessWayTests(TestWay way) : IClassFixture<TestWay>
{
    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_a_person_sends_is_theirs_rules_act_for_the_tenant_and_the_answer_has_what_they_may_read()
    {
        var caller = await way.CallerAsync(("scripts/a.py", """
            class total(Rule):
                listens_to = ["order"]

                def action(self):
                    self.margin = self.order * 2
                    self.by = self.last_actor
                    shared.orders = (shared.orders or 0) + 1
            """));
        var ann = await caller.Tenant.AsAsync(way.Web, "ann@acme.test", "viewer");
        await AddAsync(caller.Tenant, AccessGen.Lets(0, "registered", "read set", "order"), AccessGen.Lets(0, "registered", "read", "by"));

        var answer = await ann.SettleAsync("""{"order": 5}""");

        answer.GetProperty("kvps").ToString().ShouldBe("""{"by":"ann@acme.test","order":5}""");
        answer.GetProperty("leftOut").GetInt32().ShouldBe(1);
        answer.GetProperty("runs")[0].GetProperty("outcome").GetString().ShouldBe("ran");
        var pid = answer.GetProperty("pid").GetInt64();
        (await caller.ProcessAsync(pid)).GetProperty("margin").GetInt32().ShouldBe(10);
        (await caller.SharedAsync()).GetProperty("orders").GetInt32().ShouldBe(1);
        (await caller.GetAsync("/api/events?limit=1")).GetProperty("events")[0].GetProperty("actor").GetString().ShouldBe("ann@acme.test");

        (await ann.PutAsync($"/api/processes/{pid}/order", "6")).StatusCode.ShouldBe(HttpStatusCode.OK);
        (await ann.PutAsync($"/api/processes/{pid}/margin", "6").ProblemAsync(HttpStatusCode.Forbidden)).ShouldBe("not-allowed");
        (await ann.PutAsync("/api/shared/orders", "6").ProblemAsync(HttpStatusCode.Forbidden)).ShouldBe("not-allowed");
        (await ann.Http.DeleteAsync($"/api/processes/{pid}/order", Cancel)).StatusCode.ShouldBe(HttpStatusCode.NoContent);
        (await ann.PostAsync("""{"order": 1}""", $"?pid={pid + 1000}").ProblemAsync(HttpStatusCode.NotFound)).ShouldBe("unknown-process");
    }

    [Fact]
    public async Task The_kind_that_a_process_has_decides_and_none_is_given_it_by_the_way()
    {
        var caller = await way.CallerAsync();
        var ann = await caller.Tenant.AsAsync(way.Web, "ann@acme.test", "viewer");
        await AddAsync(caller.Tenant, AccessGen.Lets(0, "registered", "set", "kind amount", "invoice"));
        var salary = (await caller.SettleAsync("""{"kind": "salary", "amount": 1}""")).GetProperty("pid").GetInt64();
        var invoice = (await ann.SettleAsync("""{"kind": "invoice", "amount": 1}""")).GetProperty("pid").GetInt64();

        (await ann.PostAsync("""{"amount": 2}""", $"?pid={salary}")).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await ann.PostAsync("""{"kind": "invoice", "amount": 2}""", $"?pid={salary}")).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await ann.PostAsync("""{"kind": "salary"}""", $"?pid={invoice}")).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await ann.PutAsync($"/api/processes/{invoice}/kind", "\"salary\"")).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await ann.Http.DeleteAsync($"/api/processes/{invoice}/kind", Cancel)).StatusCode.ShouldBe(HttpStatusCode.Forbidden);
        (await ann.PostAsync("""{"amount": 2}""", $"?pid={invoice}")).StatusCode.ShouldBe(HttpStatusCode.Accepted);
        (await caller.ProcessAsync(salary)).GetProperty("amount").GetInt32().ShouldBe(1);
    }

    [Fact]
    public async Task What_rules_print_fail_with_and_put_off_is_shown_to_who_may_change_them()
    {
        var caller = await way.CallerAsync(("scripts/a.py", """
            print("SECRET")

            class fails(Rule):
                listens_to = ["a"]

                def action(self):
                    raise ValueError(self.iban)

            class tells(Rule):
                listens_to = ["a"]

                def action(self):
                    send_email("ops@acme.test", "{{iban}}", subject="{{iban}}")
                    load_card("SECRET", user="bob@acme.test")

            class waits(Rule):
                listens_to = ["a"]
                debounce = "1h"
                per = "iban"

                def action(self):
                    pass
            """));
        await caller.SettleAsync("""{"a": 1, "iban": "SECRET"}""");
        var run = (await caller.GetAsync("/api/runs?outcome=failed")).GetProperty("runs")[0].GetProperty("id");
        var told = (await caller.GetAsync("/api/runs?rule=tells")).GetProperty("runs")[0].GetProperty("id");
        var (viewer, editor) = (await caller.Tenant.AsAsync(way.Web, "ann@acme.test", "viewer"), await caller.Tenant.AsAsync(way.Web, "bob@acme.test", "editor"));

        foreach (var path in (string[])["/api/files", "/api/runs", $"/api/runs/{run}", $"/api/runs/{told}", "/api/runs/deferred", "/api/outbox", $"/api/outbox/{told}001", "/api/cards", "/api/quarantine", "/api/quarantine/runs", "/api/processes", "/api/processes/1", "/api/events", "/api/shared", "/api/rules", "/api/rules/graph"])
        {
            (await TextAsync(viewer, path)).ShouldNotContain("SECRET", Case.Sensitive, path);
        }

        foreach (var path in (string[])["/api/files", "/api/runs", $"/api/runs/{run}", $"/api/runs/{told}", "/api/runs/deferred", "/api/outbox", $"/api/outbox/{told}001", "/api/cards", "/api/quarantine"])
        {
            (await TextAsync(editor, path)).ShouldContain("SECRET", Case.Sensitive, path);
        }

        static async Task<string> TextAsync(TestCaller of, string path)
        {
            using var answer = await of.Http.GetAsync(path, Cancel);
            return await answer.Content.ReadAsStringAsync(Cancel);
        }
    }

    [Fact]
    public async Task A_rule_that_lacks_what_it_requires_says_no_and_the_record_says_what_lacks()
    {
        var caller = await way.CallerAsync(("scripts/a.py", """
            class invite(Rule):
                listens_to = ["first"]
                required = ["email", ("first", "last")]

                def action(self):
                    self.invited = True
            """));

        var answer = await caller.SettleAsync("""{"first": "Ann"}""");

        answer.GetProperty("kvps").ToString().ShouldBe("""{"first":"Ann"}""");
        var run = (await caller.GetAsync($"/api/runs?pid={answer.GetProperty("pid")}&outcome=no")).GetProperty("runs").EnumerateArray().ShouldHaveSingleItem();
        run.GetProperty("rule").GetString().ShouldBe("scripts/a.py:invite");
        (await caller.GetAsync($"/api/runs/{run.GetProperty("id")}")).GetProperty("log").GetString().ShouldBe("It does not run, because email has no value; last has no value, and first has.\n");
    }

    [Fact]
    public async Task A_connection_sees_the_rules_of_the_tenant_that_it_names_and_rewrites_no_audit()
    {
        var (owner, stranger) = (await way.CallerAsync(), await way.CallerAsync());
        await owner.PutAsync("/api/access/groups/sales", """{"members": []}""");
        await AddAsync(owner.Tenant, AccessGen.Lets(0, "sales", "read", "*"));

        foreach (var table in (string[])["groups", "acl", "acl_versions", "audit"])
        {
            (await CountAsync(table, owner)).ShouldBeGreaterThan(0, table);
            (await CountAsync(table, stranger)).ShouldBe(0, table);
            (await CountAsync(table, null)).ShouldBe(0, table);
        }

        foreach (var statement in (string[])["update audit set actor = 'x'", "delete from audit", "delete from acl_versions"])
        {
            (await Should.ThrowAsync<PostgresException>(() => RunAsync(statement, owner))).SqlState.ShouldBe(PostgresErrorCodes.InsufficientPrivilege, statement);
        }

        // Not into another tenant's rows either.
        (await Should.ThrowAsync<PostgresException>(() => RunAsync($"insert into members values ('{owner.Tenant.Id}', gen_random_uuid(), 'owner')", stranger))).SqlState.ShouldBe(PostgresErrorCodes.InsufficientPrivilege);
        (await Should.ThrowAsync<PostgresException>(() => RunAsync($"insert into groups values ('{owner.Tenant.Id}', 'x', '{{}}', '{{}}', 1, now(), 'x')", stranger))).SqlState.ShouldBe(PostgresErrorCodes.InsufficientPrivilege);
    }

    private async Task AddAsync(TestTenant tenant, params AccessEntry[] entries)
    {
        foreach (var entry in entries)
        {
            (await way.Web.Services.GetRequiredService<AccessStore>().SetEntryAsync(tenant.Id, null, entry, "test", WriteCondition.None, Cancel)).ShouldBeOfType<AccessOutcome.EntrySet>();
        }
    }

    private async Task<long> CountAsync(string table, TestCaller? named) => (long)(await RunAsync($"select count(*) from {table}", named))!;

    private async Task<object?> RunAsync(string statement, TestCaller? named)
    {
        await using var connection = await way.Database.App.OpenConnectionAsync(Cancel);
        if (named is not null)
        {
            await using var name = new NpgsqlCommand($"select set_config('app.tenant_id', '{named.Tenant.Id}', false)", connection);
            await name.ExecuteNonQueryAsync(Cancel);
        }

        await using var command = new NpgsqlCommand(statement, connection);
        return await command.ExecuteScalarAsync(Cancel);
    }
}
