namespace Eddy.Bench.Cases;

/// <summary>Something that is measured, once in each round.</summary>
internal interface ICase
{
    /// <summary>How <c>--only</c> and the table call it.</summary>
    string Name { get; }

    /// <summary>False for what is measured in the bench's own process.</summary>
    bool NeedsProduct => true;

    /// <summary>Measures once, and adds a value to each of the case's lines.</summary>
    void Measure(Stage stage);
}
