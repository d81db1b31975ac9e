using System.Globalization;
using System.Text.Encodings.Web;
using Fluid;
using Fluid.Ast;
using Fluid.Values;

namespace Eddy.Pages;

/// <summary>
/// The language of pages: Liquid without what could write unescaped, and with lists of processes, charts and parts. A template computes nothing but what its filters do, reaches nothing but what
/// <see cref="PageRun"/> reads, and ends within its bounds.
/// </summary>
internal sealed class PageGrammar : FluidParser
{
    /// <summary>The names that are there before a template says anything.</summary>
    public static readonly IReadOnlySet<string> Names = new HashSet<string>(StringComparer.Ordinal) { "process", "shared", "visitor", "forloop", "empty", "blank", "nil", "true", "false" };

    /// <summary>More steps than this no rendering takes: a step is a tag or a value, each time it is met.</summary>
    public const int MostSteps = 50_000;

    private const int MostParts = 8;
    private const int MostRange = 1000;

    /// <summary>A value that a template puts together has no more characters.</summary>
    private const int MostCharacters = 256 * 1024;

    private static readonly string[] Left = ["join", "first", "last", "map", "reverse", "size", "sort", "sort_natural", "uniq", "where", "reject", "find", "has", "sum", "compact", "capitalize", "downcase", "upcase",
        "strip", "lstrip", "rstrip", "truncate", "truncatewords", "slice", "split", "remove", "remove_first", "remove_last", "append", "prepend", "abs", "at_least", "at_most", "ceil", "floor", "round", "plus", "minus",
        "times", "divided_by", "modulo", "default", "url_encode", "concat", "strip_newlines"];

    public static readonly PageGrammar Instance = new();

    private readonly TemplateOptions _options;

    private PageGrammar()
    {
        // What writes values by itself, or reads other files, goes; what is kept writes through PrintStatement.
        foreach (var tag in new[] { "include", "render", "echo", "liquid", "cycle", "tablerow", "increment", "decrement" })
        {
            RegisteredTags.Remove(tag);
        }

        var argument = OneOf(String.Then(static text => text.ToString()), Identifier).AndSkip(Colon).And(Primary).Then(static one => (Name: one.Item1, Value: Safe(one.Item2)));
        var arguments = ZeroOrMany(ZeroOrOne(Comma).SkipAnd(argument));
        RegisterParserTag("processes", Identifier.And(arguments), static (tag, _, _, context) => ListAsync(tag.Item1, tag.Item2, context, isOne: false));
        RegisterParserTag("process", Identifier.And(arguments), static (tag, _, _, context) => ListAsync(tag.Item1, tag.Item2, context, isOne: true));
        RegisterParserTag("chart", Primary.And(arguments), static (tag, writer, _, context) => ChartAsync(Safe(tag.Item1), tag.Item2, writer, context));
        RegisterParserTag("include", String.And(arguments), static (tag, writer, encoder, context) => IncludeAsync(tag.Item1.ToString(), tag.Item2, writer, encoder, context));

        _options = new TemplateOptions
        {
            MaxSteps = MostSteps, MaxRecursion = 100, CultureInfo = CultureInfo.InvariantCulture, ModelNamesComparer = StringComparer.Ordinal, Assigned = (_, value, _) => new(Bounded(value)),
        };
        var known = _options.Filters.ToDictionary(filter => filter.Key, filter => filter.Value, StringComparer.Ordinal);
        _options.Filters.Clear();
        foreach (var name in Left)
        {
            var filter = known[name];
            _options.Filters.AddFilter(name, async (input, all, context) => Bounded(await filter(input, all, context)));
        }

        var date = known["date"];
        _options.Filters.AddFilter("date", (input, all, context) => DateAsync(date, input, all, context));
        _options.Filters.AddFilter("replace", static (input, all, _) => new(Replaced(input.ToStringValue(), all.At(0).ToStringValue(), all.At(1).ToStringValue())));
        _options.Filters.AddFilter("json", static (input, _, _) => new(new StringValue(PageJson.Of(input))));
        // Everything is escaped once, when it is printed.
        _options.Filters.AddFilter("escape", static (input, _, _) => new(input));
    }

    public IEnumerable<string> FilterNames => _options.Filters.Select(filter => filter.Key);

    /// <summary>Parses a template and makes it write through <see cref="HtmlWriter"/> alone.</summary>
    /// <param name="error">What is wrong and where, as the parser says it.</param>
    public IFluidTemplate? Parse(string text, out string? error) =>
        this.TryParse(text, out var template, out error) ? new SafeRewriter().VisitTemplate(template) : null;

    public TemplateContext Context(PageRun run, PageSet set, PageReader reader, DateTimeOffset now, FluidValue process)
    {
        var context = new TemplateContext(_options) { TimeZone = run.Zone, Now = () => now };
        (context.AmbientValues[nameof(PageRun)], context.AmbientValues[nameof(PageSet)]) = (run, set);
        context.SetValue("process", process).SetValue("shared", new SharedValue(run)).SetValue("visitor", new VisitorValue(reader));
        return context;
    }

    private static PageRun RunOf(TemplateContext context)
    {
        var run = (PageRun)context.AmbientValues[nameof(PageRun)];
        run.Cancel.ThrowIfCancellationRequested();
        return run;
    }

    private static async ValueTask<Completion> ListAsync(string name, IReadOnlyList<(string Name, Expression Value)> arguments, TemplateContext context, bool isOne)
    {
        context.IncrementSteps();
        var found = await RunOf(context).FindAsync(await EvaluateAsync(arguments, context), isOne ? 1 : PageQuestion.MostLimit);
        context.SetValue(name, !isOne ? found : found.Values.Count > 0 ? found.Values[0] : NilValue.Instance);
        return Completion.Normal;
    }

    private static async ValueTask<Completion> ChartAsync(Expression of, IReadOnlyList<(string Name, Expression Value)> arguments, TextWriter writer, TemplateContext context)
    {
        context.IncrementSteps();
        var markup = await PageChart.DrawAsync(RunOf(context), await of.EvaluateAsync(context), await EvaluateAsync(arguments, context));
        if (writer is HtmlWriter { IsBetweenTags: true } html)
        {
            html.Write(markup);
        }

        return Completion.Normal;
    }

    private static async ValueTask<Completion> IncludeAsync(
        string name, IReadOnlyList<(string Name, Expression Value)> arguments, TextWriter writer, TextEncoder encoder, TemplateContext context)
    {
        context.IncrementSteps();
        var run = RunOf(context);
        var path = PagePath.OfPart(name);
        if (!PagePath.IsPart(path))
        {
            throw new PageFault($"A page includes parts, whose names begin with _: {name} has none.");
        }

        var part = ((PageSet)context.AmbientValues[nameof(PageSet)]).Find(path) ?? throw new PageFault($"There is no part {path}.");
        if (++run.Depth > MostParts)
        {
            throw new PageFault($"Parts include one another {MostParts} deep at the most: {path} does so more often, or includes itself.");
        }

        var values = await EvaluateAsync(arguments, context);
        context.EnterChildScope();
        try
        {
            foreach (var (key, value) in values)
            {
                context.SetValue(key, value);
            }

            await part.Body(path).RenderAsync(writer, encoder, context);
        }
        finally
        {
            context.ReleaseScope();
            run.Depth--;
        }

        return Completion.Normal;
    }

    private static async ValueTask<IReadOnlyList<(string Name, FluidValue Value)>> EvaluateAsync(IReadOnlyList<(string Name, Expression Value)> arguments, TemplateContext context)
    {
        var values = new (string, FluidValue)[arguments.Count];
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = (arguments[i].Name, await arguments[i].Value.EvaluateAsync(context));
        }

        return values;
    }

    private static async ValueTask<FluidValue> DateAsync(FilterDelegate date, FluidValue input, FilterArguments all, TemplateContext context)
    {
        // A width in a format is how long its text shall be.
        var format = all.At(0).ToStringValue();
        for (var i = 0; i + 1 < format.Length; i++)
        {
            if (format[i] == '%' && char.IsAsciiDigit(format[i + 1]) && format[i + 1] != '0')
            {
                throw new PageFault("date takes no widths: %d, not %10d.");
            }
        }

        return format.Length > 100 || format.Any(char.IsAsciiDigit) ? throw new PageFault("A date's format has 100 characters at the most, and no digits.") : await date(input, all, context);
    }

    private static StringValue Replaced(string text, string what, string with)
    {
        if (what.Length == 0)
        {
            return new StringValue(text);
        }

        var count = 0L;
        for (var at = 0; (at = text.IndexOf(what, at, StringComparison.Ordinal)) >= 0; at += what.Length)
        {
            count++;
        }

        return text.Length + (count * (with.Length - what.Length)) > MostCharacters ? throw TooLong() : new StringValue(text.Replace(what, with, StringComparison.Ordinal));
    }

    private static FluidValue Bounded(FluidValue value) =>
        value is StringValue or Markup && value.ToStringValue().Length > MostCharacters || value is ArrayValue { Values.Count: > 20_000 } ? throw TooLong() : value;

    private static PageFault TooLong() => new($"A value that a page puts together has {MostCharacters:N0} characters at the most.");

    private static Expression Safe(Expression expression) => new SafeRewriter().Rewritten(expression);

    /// <summary>Has values written by <see cref="PrintStatement"/>, captured ones kept as what they are, and ranges bounded.</summary>
    private sealed class SafeRewriter : AstRewriter
    {
        public Expression Rewritten(Expression expression) => Visit(expression);

        protected override Statement VisitOutputStatement(OutputStatement outputStatement) => new PrintStatement(Visit(outputStatement.Expression));

        protected override Statement VisitCaptureStatement(CaptureStatement captureStatement) =>
            new CapturedStatement(captureStatement.Identifier, [.. captureStatement.Statements.Select(Visit)]);

        protected override Expression VisitRangeExpression(RangeExpression rangeExpression) => new BoundedRange(Visit(rangeExpression.From), Visit(rangeExpression.To));
    }

    /// <summary>Prints a value.</summary>
    private sealed class PrintStatement(Expression expression) : Statement
    {
        public override async ValueTask<Completion> WriteToAsync(TextWriter writer, TextEncoder encoder, TemplateContext context)
        {
            context.IncrementSteps();
            RunOf(context);
            var value = await expression.EvaluateAsync(context);
            // There is no other writer; if there were, it would get nothing.
            if (writer is HtmlWriter html)
            {
                if (value is Markup markup)
                {
                    html.PrintMarkup(markup.Html);
                }
                else
                {
                    html.Print(PageValue.Text(value));
                }
            }

            return Completion.Normal;
        }
    }

    private sealed class CapturedStatement(string name, IReadOnlyList<Statement> statements) : Statement
    {
        public override async ValueTask<Completion> WriteToAsync(TextWriter writer, TextEncoder encoder, TemplateContext context)
        {
            context.IncrementSteps();
            await using var html = new HtmlWriter(MostCharacters);
            var completion = await statements.RenderStatementsAsync(html, encoder, context);
            context.SetValue(name, new Markup(html.ToString()));
            return completion;
        }
    }

    private sealed class BoundedRange(Expression from, Expression to) : Expression
    {
        public override async ValueTask<FluidValue> EvaluateAsync(TemplateContext context)
        {
            var (first, last) = ((await from.EvaluateAsync(context)).ToNumberValue(), (await to.EvaluateAsync(context)).ToNumberValue());
            return last - first >= MostRange ? throw new PageFault($"A range has {MostRange} numbers at the most.")
                : last < first ? ArrayValue.Empty
                : new ArrayValue([.. Enumerable.Range((int)first, (int)(last - first) + 1).Select(number => NumberValue.Create(number))]);
        }
    }
}
