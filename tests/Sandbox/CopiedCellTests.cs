namespace Eddy.Tests.Sandbox;

/// <summary>Cells begin as copies of one that the zygote has made and warmed up: nothing of that, and nothing of each other, is to be seen in them.</summary>
public sealed class CopiedCellTests(CellFixture cells)
{
    private const string Look = """
        import gc, linecache, logging, os, random, sys, threading, uuid

        class look(Rule):
            listens_to = ["go"]

            def action(self):
                self.number = random.random()
                self.token = os.urandom(8).hex()
                self.warm = [name for name in [*sys.modules, *linecache.cache] if "warming" in name]
                self.rules = sorted(cls.__name__ for cls in Rule.__subclasses__())
                self.others = [shared.warmth, self.warmth, self.told]
                lock = threading.Lock()
                with lock:
                    self.locked = lock.locked()
                self.main = threading.current_thread() is threading.main_thread() and threading.active_count() == 1
                log.info("logged")
                print(event.key)
        """;

    [Fact]
    public async Task A_cell_has_its_own_dice_and_nothing_of_what_warmed_it_up()
    {
        var (first, second) = (TestTenant.WithRule(await cells.Sandbox, Look), TestTenant.WithRule(await cells.Sandbox, Look));

        foreach (var tenant in new[] { first, second })
        {
            var run = await tenant.OneRunAsync(15, ("go", "1"));
            run.Error.ShouldBeNull();
            run.Log.ShouldBe("INFO logged\ngo\n");
            tenant.Kvp(15, "warm").ShouldBe("[]");
            tenant.Kvp(15, "rules").ShouldBe("""["look"]""");
            tenant.Kvp(15, "others").ShouldBe("[null,null,null]");
            tenant.Kvp(15, "locked").ShouldBe("true");
            tenant.Kvp(15, "main").ShouldBe("true");
        }

        first.Kvp(15, "number").ShouldNotBe(second.Kvp(15, "number"));
        first.Kvp(15, "token").ShouldNotBe(second.Kvp(15, "token"));
    }
}
