using Eddy.Rules;

namespace Eddy.Ide.Map;

/// <summary>
/// Where everything of a map stands: in columns from left to right, so that what flows goes to the right but for loops; what belongs together near one another. Doors are the first column, then keys and rules take turns,
/// and whom they tell is the last.
/// </summary>
public sealed class MapLayout
{
    private const int Left = 24;
    private const int Top = 64;
    private const int Pitch = 46;
    private const int Gap = 56;
    private const int MostGap = 140;
    private const int Sweeps = 4;

    /// <summary>Of a longer name no more is drawn.</summary>
    public const int MostCharacters = 26;

    private MapLayout(IReadOnlyList<PlacedNode> nodes, IReadOnlyList<DrawnEdge> edges, IReadOnlyList<(double X, string Name)> columns, double width, double height) =>
        (Nodes, Edges, Columns, Width, Height) = (nodes, edges, columns, width, height);

    public IReadOnlyList<PlacedNode> Nodes { get; }

    public IReadOnlyList<DrawnEdge> Edges { get; }

    public IReadOnlyList<(double X, string Name)> Columns { get; }

    public double Width { get; }

    public double Height { get; }

    public static MapLayout Of(TenantMap map)
    {
        var index = map.Nodes.Select((node, i) => (node.Id, i)).ToDictionary(one => one.Id, one => one.i, StringComparer.Ordinal);
        var edges = map.Edges.Select(edge => (From: index[edge.From], To: index[edge.To], Edge: edge)).ToList();
        var forward = Forward(map.Nodes.Count, edges.ConvertAll(edge => (edge.From, edge.To)));
        var column = ColumnsOf(map.Nodes, forward);
        var columns = Ordered(map.Nodes, column, forward);

        var places = new PlacedNode[map.Nodes.Count];
        var labels = new List<(double, string)>();
        var (x, bottom) = ((double)Left, 0.0);
        for (var c = 0; c < columns.Count; c++)
        {
            labels.Add((x, LabelOf(c, columns.Count, [.. columns[c].Select(node => map.Nodes[node].Kind)])));
            var (y, width) = ((double)Top, 0.0);
            foreach (var node in columns[c])
            {
                // Beside what leads to it, if there is room.
                var before = forward.Where(edge => edge.To == node && places[edge.From] is not null).Select(edge => places[edge.From].Y).DefaultIfEmpty(0).Average();
                places[node] = new PlacedNode(map.Nodes[node], x, Math.Max(y, Math.Min(before, y + Pitch)), WidthOf(map.Nodes[node]));
                (y, width) = (places[node].Y + Pitch, Math.Max(width, places[node].Width));
            }

            // Many lines between two columns want room.
            var here = columns[c].ToHashSet();
            var between = forward.Count(edge => here.Contains(edge.From));
            (x, bottom) = (x + width + Math.Min(MostGap, Gap + (between / 2)), Math.Max(bottom, y));
        }

        var isForward = forward.ToHashSet();
        var drawn = edges.ConvertAll(edge => new DrawnEdge(edge.Edge, places[edge.From], places[edge.To], !isForward.Contains((edge.From, edge.To))));
        return new MapLayout(places, drawn, labels, places.Select(place => place.X + place.Width).DefaultIfEmpty(0).Max() + Left, bottom + Pitch);
    }

    /// <summary>The edges without those that lead back into where they come from.</summary>
    private static List<(int From, int To)> Forward(int nodes, List<(int From, int To)> edges)
    {
        var to = edges.ToLookup(edge => edge.From, edge => edge.To);
        var hasBefore = edges.Select(edge => edge.To).ToHashSet();
        var state = new int[nodes];
        var forward = new List<(int, int)>();
        foreach (var start in Enumerable.Range(0, nodes).OrderBy(node => hasBefore.Contains(node)))
        {
            if (state[start] != 0)
            {
                continue;
            }

            var path = new Stack<(int Node, IEnumerator<int> Next)>();
            Enter(start);
            while (path.TryPeek(out var at))
            {
                if (!at.Next.MoveNext())
                {
                    at.Next.Dispose();
                    state[at.Node] = 2;
                    path.Pop();
                }
                else if (state[at.Next.Current] != 1)
                {
                    forward.Add((at.Node, at.Next.Current));
                    if (state[at.Next.Current] == 0)
                    {
                        Enter(at.Next.Current);
                    }
                }
            }

            void Enter(int node)
            {
                state[node] = 1;
                path.Push((node, to[node].GetEnumerator()));
            }
        }

        return forward;
    }

    /// <summary>The column of each: behind all that lead to it, keys in odd ones and rules in even ones.</summary>
    private static int[] ColumnsOf(IReadOnlyList<MapNode> nodes, List<(int From, int To)> forward)
    {
        var to = forward.ToLookup(edge => edge.From, edge => edge.To);
        var open = new int[nodes.Count];
        foreach (var (_, node) in forward)
        {
            open[node]++;
        }

        var column = nodes.Select(node => node.Kind switch { MapKind.Door => 0, MapKind.Key => 1, _ => 2 }).ToArray();
        var ready = new Queue<int>(Enumerable.Range(0, nodes.Count).Where(node => open[node] == 0));
        while (ready.TryDequeue(out var node))
        {
            foreach (var next in to[node])
            {
                var least = column[node] + 1;
                column[next] = Math.Max(column[next], (nodes[next].Kind == MapKind.Key && least % 2 == 0) || (nodes[next].Kind == MapKind.Rule && least % 2 == 1) ? least + 1 : least);
                if (--open[next] == 0)
                {
                    ready.Enqueue(next);
                }
            }
        }

        var last = Enumerable.Range(0, nodes.Count).Where(node => nodes[node].Kind != MapKind.Face).Select(node => column[node]).DefaultIfEmpty(0).Max();
        for (var node = 0; node < nodes.Count; node++)
        {
            column[node] = nodes[node].Kind == MapKind.Face ? last + 1 : column[node];
        }

        return column;
    }

    /// <summary>The columns, each in an order in which few edges cross: that of what leads there and of where it leads, by turns.</summary>
    private static List<List<int>> Ordered(IReadOnlyList<MapNode> nodes, int[] column, List<(int From, int To)> forward)
    {
        var columns = Enumerable.Range(0, nodes.Count == 0 ? 0 : column.Max() + 1)
            .Select(c => Enumerable.Range(0, nodes.Count).Where(node => column[node] == c).OrderBy(node => !nodes[node].IsHot).ThenBy(node => nodes[node].Name, StringComparer.Ordinal).ToList()).Where(of => of.Count > 0).ToList();
        var (before, after) = (forward.ToLookup(edge => edge.To, edge => edge.From), forward.ToLookup(edge => edge.From, edge => edge.To));
        var place = new double[nodes.Count];
        Note();
        for (var sweep = 0; sweep < Sweeps; sweep++)
        {
            var (neighbours, order) = sweep % 2 == 0 ? (before, columns) : (after, Enumerable.Reverse(columns).ToList());
            foreach (var of in order)
            {
                var sorted = of.OrderBy(node => neighbours[node].Select(other => place[other]).DefaultIfEmpty(place[node]).Average()).ToList();
                of.Clear();
                of.AddRange(sorted);
                Note();
            }
        }

        return columns;

        // As a part of its column, for columns are not equally long.
        void Note()
        {
            foreach (var of in columns)
            {
                for (var i = 0; i < of.Count; i++)
                {
                    place[of[i]] = (i + 0.5) / of.Count;
                }
            }
        }
    }

    private static string LabelOf(int column, int count, IReadOnlyCollection<MapKind> kinds) =>
        kinds.GroupBy(kind => kind).MaxBy(group => group.Count())!.Key switch
        {
            MapKind.Door => "Doors",
            MapKind.Face => "Faces",
            MapKind.Rule => "Rules",
            _ => column <= 1 || count <= 2 ? "Keys set from outside" : "Keys they set",
        };

    // Letters of the code's font at 12 px are 7.2 px wide.
    private static double WidthOf(MapNode node) => Math.Round((Math.Min(MostCharacters, node.Name.Length) * 7.2) + 24);
}

/// <summary>Where a node stands: its upper left corner.</summary>
public sealed record PlacedNode(MapNode Node, double X, double Y, double Width)
{
    public const double Height = 28;

    public double Middle => Y + (Height / 2);

    public string Name => Node.Name.Length <= MapLayout.MostCharacters ? Node.Name : string.Concat(Node.Name.AsSpan(0, MapLayout.MostCharacters - 1), "…");
}

/// <summary>An edge as it is drawn.</summary>
/// <param name="IsBack">It leads to the left, below what it belongs to.</param>
public sealed record DrawnEdge(MapEdge Edge, PlacedNode From, PlacedNode To, bool IsBack)
{
    /// <summary>As an SVG path.</summary>
    public string Path
    {
        get
        {
            var (x1, y1, x2, y2) = (From.X + From.Width, From.Middle, To.X - 2, To.Middle);
            if (!IsBack)
            {
                var middle = (x1 + x2) / 2;
                return FormattableString.Invariant($"M{x1:0} {y1:0}C{middle:0} {y1:0} {middle:0} {y2:0} {x2:0} {y2:0}");
            }

            var low = Math.Max(y1, y2) + 34;
            return FormattableString.Invariant($"M{x1:0} {y1:0}C{x1 + 44:0} {y1:0} {x1 + 44:0} {low:0} {(x1 + x2) / 2:0} {low:0}S{x2 - 44:0} {y2:0} {x2:0} {y2:0}");
        }
    }

    /// <summary>The wider, the more flowed.</summary>
    public double Stroke => Edge.Count == 0 ? 1.2 : Math.Round(Math.Min(5, 1 + (0.9 * Math.Log10(Edge.Count + 1))), 1);
}
