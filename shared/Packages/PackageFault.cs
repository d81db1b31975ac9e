namespace Eddy.Packages;

/// <summary>Why packages can not be had, in sentences for the tenant.</summary>
public sealed class PackageFault(IReadOnlyList<PackageComplaint> complaints) : Exception(string.Join(' ', complaints.Select(complaint => complaint.Message)))
{
    public PackageFault(string message)
        : this([new PackageComplaint(null, message)])
    {
    }

    public IReadOnlyList<PackageComplaint> Complaints => complaints;
}

/// <param name="Line">The line of requirements.txt, from 1; null where it is none in particular.</param>
public sealed record PackageComplaint(int? Line, string Message);
