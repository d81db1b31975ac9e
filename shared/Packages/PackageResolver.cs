using System.Text;
using System.Text.RegularExpressions;
using Eddy.Sandbox;
using Eddy.Tenants;

namespace Eddy.Packages;

/// <summary>
/// Makes packages of a requirements.txt: a sealed cell works out which, for that is computing with other people's text; the index is asked here; the wheels are
/// checked and unpacked here. Nothing of a package is executed.
/// </summary>
public sealed partial class PackageResolver(RuleSandbox sandbox, PackageIndex index, PackageOptions options, TimeProvider time)
{
    private const int MostAsked = 1000;
    private const int MostMetadata = 1 << 20;

    public int MostBytes => options.RequirementsBytes;

    /// <param name="locked">The <c>requirements.lock</c> of before, whose versions are kept where they still will do; null where there is none.</param>
    /// <exception cref="PackageFault">These packages can not be had, and why.</exception>
    /// <exception cref="SandboxUnavailable">Nothing can be resolved now.</exception>
    public async Task<PackageSet> ResolveAsync(TenantId tenant, string requirements, string? locked, CancellationToken cancel)
    {
        using var soon = new CancellationTokenSource(options.Time, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(cancel, soon.Token);
        try
        {
            var session = new Session(index, options);
            var answer = await sandbox.ResolveAsync(
                tenant, requirements, locked is null ? new Dictionary<string, string>() : PackageLock.Versions(locked), session.AnswerAsync, either.Token);
            if (answer.Faults.Count > 0)
            {
                throw new PackageFault([.. answer.Faults.Select(fault => new PackageComplaint(fault.Line, fault.Message))]);
            }

            return await session.InstallAsync(answer, either.Token);
        }
        catch (OperationCanceledException) when (soon.IsCancellationRequested && !cancel.IsCancellationRequested)
        {
            throw new PackageFault($"It took longer than {options.Time.TotalSeconds:0} s, which is the limit.");
        }
    }

    [GeneratedRegex("^[a-z0-9]+(?:-[a-z0-9]+)*$", RegexOptions.CultureInvariant)]
    private static partial Regex ProjectName();

    /// <summary>What one resolution has asked and been given.</summary>
    private sealed class Session(PackageIndex index, PackageOptions options)
    {
        private readonly Dictionary<string, Dictionary<string, IndexFile>> _projects = new(StringComparer.Ordinal);
        private readonly Dictionary<string, Wheel> _wheels = new(StringComparer.Ordinal);
        private long _wheelBytes;
        private int _asked;

        /// <summary>Answers the cell, of which nothing is believed: it names projects, and files that the index has of them.</summary>
        public async Task<ResolutionAnswer> AnswerAsync(ResolutionQuestion question, CancellationToken cancel)
        {
            try
            {
                if (++_asked > MostAsked)
                {
                    throw new PackageFault($"More than {MostAsked} pages would have to be looked at; name the versions that are wanted.");
                }

                if (question.Project.Length > 200 || !ProjectName().IsMatch(question.Project))
                {
                    throw new PackageFault($"{question.Project} can not be the name of a project.");
                }

                if (question.File is null)
                {
                    var files = await index.ProjectAsync(question.Project, cancel);
                    if (files is not null)
                    {
                        _projects[question.Project] = files.DistinctBy(file => file.Name).ToDictionary(file => file.Name, StringComparer.Ordinal);
                    }

                    return new ResolutionAnswer.Files(files);
                }

                var metadata = FileOf(question.Project, question.File) is { HasMetadata: true } file
                    ? await index.MetadataAsync(file, cancel)
                    : (await WheelAsync(question.Project, question.File, cancel)).Metadata;
                return metadata.Length <= MostMetadata
                    ? new ResolutionAnswer.Metadata(Encoding.UTF8.GetString(metadata))
                    : throw new PackageFault($"The metadata of {question.File} is longer than {MostMetadata} bytes.");
            }
            catch (PackageFault fault)
            {
                return new ResolutionAnswer.Fault(fault.Message);
            }
        }

        public async Task<PackageSet> InstallAsync(ResolvedPackages resolved, CancellationToken cancel)
        {
            if (resolved.Packages.Count > options.Count)
            {
                throw new PackageFault($"These are {resolved.Packages.Count} packages; {options.Count} is the limit.");
            }

            var pins = resolved.Platform.Select(one => new PackagePin(one.Project, one.Version, null, null)).ToList();
            var files = new Dictionary<string, (byte[] Content, string Wheel)>(StringComparer.Ordinal);
            long bytes = 0;
            foreach (var one in resolved.Packages)
            {
                var wheel = await WheelAsync(one.Project, one.File, cancel);
                foreach (var content in wheel.Installed())
                {
                    if (!files.TryAdd(content.Path, (content.Content, one.File)))
                    {
                        // Packages that share a folder may each bring the same beginning of it.
                        if (!files[content.Path].Content.AsSpan().SequenceEqual(content.Content))
                        {
                            throw new PackageFault($"{files[content.Path].Wheel} and {one.File} both have {content.Path}, and it is not the same.");
                        }

                        continue;
                    }

                    bytes += content.Content.Length;
                }

                pins.Add(new PackagePin(one.Project, one.Version, one.File, FileOf(one.Project, one.File).Sha256));
            }

            if (bytes > options.UnpackedBytes || files.Count > options.Files)
            {
                throw new PackageFault($"The packages have {files.Count} files with {bytes} bytes; {options.Files} files with {options.UnpackedBytes} bytes are the limit.");
            }

            return new PackageSet(PackageLock.Write(pins), [.. files.Select(file => new PackageContent(file.Key, file.Value.Content))]);
        }

        private IndexFile FileOf(string project, string file) =>
            _projects.GetValueOrDefault(project)?.GetValueOrDefault(file) ?? throw new PackageFault($"The index has no file {file} of {project}.");

        private async Task<Wheel> WheelAsync(string project, string name, CancellationToken cancel)
        {
            if (!_wheels.TryGetValue(name, out var wheel))
            {
                var file = FileOf(project, name);
                var content = await index.WheelAsync(file, cancel);
                if ((_wheelBytes += content.Length) > 8L * options.WheelBytes)
                {
                    throw new PackageFault($"More than {8L * options.WheelBytes} bytes would have to be downloaded; name the versions that are wanted.");
                }

                _wheels[name] = wheel = Wheel.Read(name, content, options);
            }

            return wheel;
        }
    }
}
