using System.Text.Json;

namespace Eddy.Tests.Processes;

/// <summary>Scripts in the manner of NebriOS, loaded as they are.</summary>
public sealed class NebriosTests(TestWay way) : IClassFixture<TestWay>
{
    [Fact]
    public async Task Departments_and_employees_are_parent_and_child()
    {
        var caller = await way.CallerAsync(("scripts/hr.py", """
            from datetime import datetime
            import logging

            logging.basicConfig(filename="hr.log", level=logging.DEBUG)

            class new_department(NebriOS):
                listens_to = ["department_name"]

                def check(self):
                    return self.department_name and not self.kind

                def action(self):
                    self.kind = "department"
                    self.headcount = 0
                    self.opened = datetime.now()

            class hire(NebriOS):
                listens_to = ["shared.hire"]

                def check(self):
                    return isinstance(shared.hire, dict)

                def action(self):
                    logging.info("hiring %s", shared.hire["name"])
                    department = Process.objects.get(kind="department", department_name=shared.hire["department"])
                    Process.objects.create(kind="employee", PARENT=department, name=shared.hire["name"], salary=shared.hire["salary"])
                    self.hired_by = self.last_actor

            class count_heads(NebriOS):
                listens_to = ["child.name", "child.salary"]

                def check(self):
                    return self["kind"] == "department"

                def action(self):
                    self.headcount = len(self.CHILDREN)
                    self.payroll = sum(employee.salary for employee in children)
                    self.best_paid = children.filter(salary__gt=0).order_by("-salary")[0].name

            class raise_all(NebriOS):
                listens_to = ["parent.raise_percent"]

                def check(self):
                    return self.kind == "employee" and parent.raise_percent

                def action(self):
                    self.salary = round(self.salary * (100 + parent.raise_percent) / 100)

            class leave(NebriOS):
                listens_to = ["leaving"]

                def check(self):
                    return self.leaving

                def action(self):
                    Process.objects.get(PROCESS_ID=str(self.PROCESS_ID)).delete()
            """));
        var department = (await SettleAsync("""{"department_name": "Research"}""")).GetProperty("pid").GetInt64();

        await ShareAsync("""{"name": "Ada", "salary": 100, "department": "Research"}""");
        await ShareAsync("""{"name": "Grace", "salary": 200, "department": "Research"}""");
        await SettleAsync("""{"raise_percent": 10}""", $"?pid={department}");

        var kvps = await caller.ProcessAsync(department);
        (kvps.GetProperty("headcount").GetInt32(), kvps.GetProperty("payroll").GetInt32(), kvps.GetProperty("best_paid").GetString()).ShouldBe((2, 330, "Grace"));

        var ada = (await caller.GetAsync($"/api/processes?parent={department}&key.name=Ada")).GetProperty("processes").EnumerateArray().ShouldHaveSingleItem().GetProperty("pid").GetInt64();
        await SettleAsync("""{"leaving": true}""", $"?pid={ada}");
        (await caller.ProcessAsync(department)).GetProperty("headcount").GetInt32().ShouldBe(1);
        await caller.GetAsync($"/api/processes/{ada}", System.Net.HttpStatusCode.NotFound);
        await new TestLog(way.Database).ShouldBeSoundAsync(caller.Tenant.Id);

        async Task ShareAsync(string value)
        {
            using var answer = await caller.PutAsync("/api/shared/hire", value);
            answer.IsSuccessStatusCode.ShouldBeTrue();
            // Whatever it wakes comes before this.
            await SettleAsync("""{"after": 1}""");
        }

        async Task<JsonElement> SettleAsync(string body, string query = "")
        {
            var answer = await caller.SettleAsync(body, query);
            answer.GetProperty("runs").EnumerateArray().Where(run => run.GetProperty("outcome").GetString() is "failed" or "killed").Select(run => run.ToString()).ShouldBeEmpty();
            return answer;
        }
    }
}
