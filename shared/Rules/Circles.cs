namespace Eddy.Rules;

/// <summary>Finds what leads back to itself: the strongly connected components of a graph that have an edge, by Tarjan's algorithm without recursion.</summary>
internal static class Circles
{
    /// <param name="to">Where the edges of a node lead.</param>
    /// <returns>The nodes of each, in their order.</returns>
    public static IReadOnlyList<IReadOnlyList<int>> Of(int nodes, ILookup<int, int> to)
    {
        var found = new List<IReadOnlyList<int>>();
        var (index, low, isOnPath) = (new int[nodes], new int[nodes], new bool[nodes]);
        var path = new Stack<int>();
        var work = new Stack<(int Node, IEnumerator<int> Next)>();
        var count = 0;
        for (var start = 0; start < nodes; start++)
        {
            if (index[start] == 0)
            {
                Enter(start);
            }

            while (work.TryPeek(out var at))
            {
                if (at.Next.MoveNext())
                {
                    var next = at.Next.Current;
                    if (index[next] == 0)
                    {
                        Enter(next);
                    }
                    else if (isOnPath[next])
                    {
                        low[at.Node] = Math.Min(low[at.Node], index[next]);
                    }

                    continue;
                }

                at.Next.Dispose();
                work.Pop();
                if (work.TryPeek(out var before))
                {
                    low[before.Node] = Math.Min(low[before.Node], low[at.Node]);
                }

                if (low[at.Node] == index[at.Node])
                {
                    Leave(at.Node);
                }
            }
        }

        return [.. found.OrderBy(members => members[0])];

        void Enter(int node)
        {
            index[node] = low[node] = ++count;
            isOnPath[node] = true;
            path.Push(node);
            work.Push((node, to[node].GetEnumerator()));
        }

        void Leave(int root)
        {
            var members = new List<int>();
            int node;
            do
            {
                node = path.Pop();
                isOnPath[node] = false;
                members.Add(node);
            }
            while (node != root);

            if (members.Count > 1 || to[root].Contains(root))
            {
                found.Add([.. members.Order()]);
            }
        }
    }
}
