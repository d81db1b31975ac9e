namespace Eddy.Bench.Report;

/// <summary>All that was measured, in the order in which it was first measured.</summary>
internal sealed class Sheet
{
    private readonly List<Line> _lines = [];
    private readonly List<CpuLine> _cpu = [];

    public IReadOnlyList<Line> Lines => _lines;

    public IReadOnlyList<CpuLine> Cpu => _cpu;

    /// <summary>The line of a figure; made by the first round, found by the others.</summary>
    public Line Line(string @case, string figure, Unit unit, Line? floor = null, Aim? aim = null)
    {
        if (Find(@case, figure) is not { } line)
        {
            _lines.Add(line = new Line(@case, figure, unit, floor, aim));
        }

        return line;
    }

    public CpuLine CpuOf(string @case, string load)
    {
        if (_cpu.Find(line => line.Case == @case && line.Load == load) is not { } line)
        {
            _cpu.Add(line = new CpuLine(@case, load));
        }

        return line;
    }

    public Line? Find(string @case, string figure) => _lines.Find(line => line.Case == @case && line.Figure == figure);
}
