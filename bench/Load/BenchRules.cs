using System.Globalization;
using System.Text;

namespace Eddy.Bench.Load;

/// <summary>The rules that are measured. Each makes an event of its own from every event that wakes it, so that the log tells how often it ran.</summary>
internal static class BenchRules
{
    /// <summary><see cref="Heat"/>, and a rule that calls a site which takes its time.</summary>
    public static string HeatAndCall(Uri site) => Heat +
        $$"""
        class ask(Rule):
            listens_to = ["order"]

            def action(self):
                self.answer = http.get("{{site}}" + str(self.order)).status

        """;

    /// <summary>One event in, one check that says yes, one change.</summary>
    public const string Heat =
        """
        class high_temperature(Rule):
            listens_to = ["temperature"]

            def check(self):
                return self.temperature > 90

            def action(self):
                self.alert = f"{self.temperature} degrees"

        """;

    /// <summary>How many events a POST to <see cref="Heat"/> makes: its own and the rule's.</summary>
    public const int HeatEvents = 2;

    public const int ChainLength = 10;

    /// <summary>Ten rules, each woken by what the one before has set.</summary>
    public static string Chain()
    {
        var rules = new StringBuilder();
        for (var i = 0; i < ChainLength; i++)
        {
            var from = i == 0 ? "temperature" : string.Create(CultureInfo.InvariantCulture, $"step{i}");
            rules.Append(CultureInfo.InvariantCulture,
                $"""
                class step_{i + 1:00}(Rule):
                    listens_to = ["{from}"]

                    def check(self):
                        return self.{from} > 90

                    def action(self):
                        self.step{i + 1} = self.{from} + 1


                """);
        }

        return rules.ToString();
    }
}
