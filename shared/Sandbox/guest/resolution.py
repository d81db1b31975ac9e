"""Which packages a requirements.txt comes to: pure computation on other people's text, in a cell that has no tenant and ends with it.

The host looks up what is asked for and decides itself from where: a project's files by its name, and the metadata of a file.
"""

import email.parser
import os
import platform
import re
import sys

# Made before the seal, for a cell may not ask the system.
ENVIRONMENT = {
    "implementation_name": sys.implementation.name,
    "implementation_version": platform.python_version(),
    "os_name": os.name,
    "platform_machine": os.uname().machine,
    "platform_release": "",
    "platform_system": "Linux",
    "platform_version": "",
    "python_full_version": platform.python_version(),
    "platform_python_implementation": platform.python_implementation(),
    "python_version": ".".join(platform.python_version_tuple()[:2]),
    "sys_platform": sys.platform,
}

MOST = 200  # requirements in the file, and projects that are looked at
ROUNDS = 2000


class Fault(Exception):
    """What is wrong, in a sentence, and with which line of the file (or None)."""

    def __init__(self, line, message):
        super().__init__(message)
        self.line = line


def lines(text):
    """(number, requirement) for each line that has one, without comments; a backslash at its end goes on to the next."""
    start, whole = None, ""
    for number, line in enumerate(text.splitlines() + [""], 1):
        line = re.sub(r"(^|\s)#.*$", "", line)
        start = start or number
        if line.endswith("\\"):
            whole += line[:-1]
            continue
        whole = (whole + line).strip()
        if whole:
            yield start, whole
        start, whole = None, ""


class Need:
    """That somebody needs a project: a requirement with where it comes from."""

    def __init__(self, requirement, name, line, parent=None, extras=None):
        self.name = name
        self.extras = frozenset(requirement.extras) if extras is None else extras
        self.specifier = requirement.specifier
        self.line = line
        self.parent = parent

    def allows(self, version):
        return self.specifier.contains(version, prereleases=True)

    def __str__(self):
        return f"{self.parent or 'requirements.txt'} needs {self.name}{self.specifier or ' in any version'}"


class Candidate:
    """One version of a project, as a file of the index, or as the platform has it."""

    def __init__(self, name, version, file, line, extras=frozenset()):
        self.name = name
        self.version = version
        self.file = file
        self.line = line
        self.extras = extras

    def __str__(self):
        return f"{self.name} {self.version}"


class Project:
    """What the index has of a project."""

    def __init__(self, name, files):
        from packaging.specifiers import InvalidSpecifier, SpecifierSet
        from packaging.utils import InvalidWheelFilename, canonicalize_name, parse_wheel_filename

        self.there = files is not None
        self.wheels = {}  # version: (file, yanked)
        self.native = set()
        self.python = {}  # version: what it needs
        self.built = 0
        for file, requires, yanked in files or ():
            if not file.endswith(".whl"):
                self.built += 1
                continue
            try:
                own, version, _, tags = parse_wheel_filename(file)
                fits = requires is None or SpecifierSet(requires).contains(ENVIRONMENT["python_full_version"], prereleases=True)
            except (InvalidWheelFilename, InvalidSpecifier, ValueError):
                continue
            if canonicalize_name(own) != name:
                continue
            if not any(tag.abi == "none" and tag.platform == "any" and _runs(tag.interpreter) for tag in tags):
                self.native.add(version)
            elif not fits:
                self.python[version] = requires
            elif version not in self.wheels or yanked < self.wheels[version][1]:
                self.wheels[version] = (file, yanked)


def _runs(interpreter):
    major, minor = sys.version_info[:2]
    return interpreter in (f"py{major}", f"cp{major}{minor}") or interpreter in {f"py{major}{one}" for one in range(minor + 1)}


class Resolver:
    """What resolvelib asks about needs and candidates."""

    def __init__(self, ask, locked):
        from packaging.requirements import Requirement
        from packaging.version import Version

        self.ask = ask
        self.locked = locked
        self.projects = {}
        self.requires = {}  # (name, version): [Requirement]
        self.needs = []  # all that came up on the way
        self.platform = {}  # name: (version, [Requirement])
        self._requirement = Requirement
        self._version = Version

    def take_platform(self, distributions):
        from packaging.requirements import InvalidRequirement
        from packaging.utils import canonicalize_name

        for distribution in distributions:
            name, text = distribution.metadata["Name"], distribution.metadata["Version"]
            if name and text:
                needed = []
                for requirement in distribution.requires or ():
                    try:
                        needed.append(self._requirement(requirement))
                    except InvalidRequirement:
                        continue
                self.platform[canonicalize_name(name)] = (self._version(text), needed)

    def project(self, name):
        if name not in self.projects:
            if len(self.projects) >= MOST:
                raise Fault(None, f"More than {MOST} projects would have to be looked at; name the versions that are wanted.")
            self.projects[name] = Project(name, self.ask("project", name))
        return self.projects[name]

    # What follows is the interface of resolvelib.

    def identify(self, requirement_or_candidate):
        return (requirement_or_candidate.name, requirement_or_candidate.extras)

    def get_preference(self, identifier, resolutions, candidates, information, backtrack_causes):
        return (not any(identifier[0] == cause.requirement.name for cause in backtrack_causes), identifier[0], sorted(identifier[1]))

    def narrow_requirement_selection(self, identifiers, resolutions, candidates, information, backtrack_causes):
        return identifiers

    def find_matches(self, identifier, requirements, incompatibilities):
        name, extras = identifier
        needs = list(requirements[identifier])
        refused = {candidate.version for candidate in incompatibilities[identifier]}
        line = min((need.line for need in needs if need.line), default=None)

        def fits(version):
            return version not in refused and all(need.allows(version) for need in needs)

        def found():
            ours = self.platform.get(name)
            locked = self.locked.get(name)
            if locked is None and ours is not None and fits(ours[0]):
                yield Candidate(name, ours[0], None, line, extras)
            wheels = self.project(name).wheels
            exact = any(one.operator in ("==", "===") and not one.version.endswith(".*") for need in needs for one in need.specifier)
            versions = sorted((one for one in wheels if fits(one) and (exact or not wheels[one][1])), reverse=True)
            # As PEP 440 has it: early versions where they are named, or where there are no others.
            if not any(need.specifier.prereleases for need in needs) and any(
                    not one.is_prerelease and all(need.allows(one) for need in needs) for one in wheels):
                versions = [one for one in versions if not one.is_prerelease]
            for version in sorted(versions, key=lambda one: str(one) != locked):
                yield Candidate(name, version, wheels[version][0], line, extras)
            if locked is not None and ours is not None and fits(ours[0]):
                yield Candidate(name, ours[0], None, line, extras)

        return found

    def is_satisfied_by(self, requirement, candidate):
        return requirement.name == candidate.name and requirement.allows(candidate.version)

    def get_dependencies(self, candidate):
        from packaging.utils import canonicalize_name

        needs = []
        if candidate.extras:
            # With extras it is the same version without them, and what they need.
            needs.append(Need(self._requirement(f"{candidate.name}=={candidate.version}"), candidate.name, candidate.line, str(candidate)))
        for requirement in self._requires(candidate):
            asked = candidate.extras or ("",)
            if requirement.marker is None:
                if candidate.extras:
                    continue
            elif not any(requirement.marker.evaluate(ENVIRONMENT | {"extra": extra}) for extra in asked):
                continue
            needs.append(Need(requirement, canonicalize_name(requirement.name), candidate.line, str(candidate)))
        self.needs += needs
        return needs

    def _requires(self, candidate):
        from packaging.utils import canonicalize_name

        if candidate.file is None:
            # What Debian has patched is not asked for.
            return [
                one for one in self.platform[candidate.name][1]
                if (known := self.platform.get(canonicalize_name(one.name))) is not None and one.specifier.contains(known[0], prereleases=True)]
        key = (candidate.name, candidate.version)
        if key not in self.requires:
            self.requires[key] = self._read(candidate)
        return self.requires[key]

    def _read(self, candidate):
        from packaging.requirements import InvalidRequirement
        from packaging.specifiers import InvalidSpecifier, SpecifierSet
        from packaging.utils import canonicalize_name
        from packaging.version import InvalidVersion

        try:
            told = email.parser.HeaderParser().parsestr(self.ask("metadata", candidate.name, candidate.file))
        except Fault as fault:
            raise Fault(candidate.line, str(fault)) from None
        try:
            python = told.get("Requires-Python")
            if (canonicalize_name(told.get("Name", "")) == candidate.name and self._version(told.get("Version", "")) == candidate.version
                    and (python is None or SpecifierSet(python).contains(ENVIRONMENT["python_full_version"], prereleases=True))):
                needed = [self._requirement(one) for one in told.get_all("Requires-Dist", ())]
                if len(needed) <= 1000 and not any(one.url for one in needed if one.marker is None or one.marker.evaluate(ENVIRONMENT | {"extra": ""})):
                    return needed
        except (InvalidRequirement, InvalidSpecifier, InvalidVersion):
            pass
        # This one can not be had, and an earlier version perhaps can.
        self.project(candidate.name).wheels.pop(candidate.version, None)
        return [self._requirement(f"{candidate.name}!={candidate.version}")]

    def why_none(self, need):
        """Why nothing satisfies a need, in a sentence; None where something would."""
        if need.name in self.platform and need.allows(self.platform[need.name][0]):
            return None
        project = self.project(need.name)
        if not project.there:
            return f"The index has no project {need.name}."
        if any(need.allows(version) for version in project.wheels):
            return None
        native = sorted(version for version in project.native if need.allows(version))
        if native:
            return f"{need.name} {native[-1]} has native code, which no cell can load; the operator may preload it (Sandbox:Preload)."
        python = sorted(version for version in project.python if need.allows(version))
        if python:
            return f"{need.name} {python[-1]} needs Python {project.python[python[-1]]}, and this is {ENVIRONMENT['python_full_version']}."
        if project.wheels:
            there = ", ".join(map(str, sorted(project.wheels, reverse=True)[:5]))
            return f"No version satisfies {need.name}{need.specifier}; the index has {there}."
        return f"{need.name}{need.specifier} has no wheel, and nothing is executed to build one."


def read(text):
    """The needs of a requirements.txt. Raises a Fault for the first line that can not be used."""
    from packaging.requirements import InvalidRequirement, Requirement
    from packaging.utils import canonicalize_name

    needs = []
    for line, whole in lines(text):
        if whole.startswith("-") or " --" in whole:
            option = re.search(r"(?:^|\s)(-[-\w]+)", whole)
            raise Fault(line, f"Options ({option.group(1) if option else whole}) can not be used here; a line has the name of a package and which versions.")
        if "://" in whole or re.match(r"[.~/]|\w+\+|.*\.(whl|zip|gz|txt)$", whole):
            raise Fault(line, "Packages come from the index alone, by name and version; addresses and paths can not be used.")
        try:
            requirement = Requirement(whole)
        except InvalidRequirement as error:
            raise Fault(line, f"This is no requirement: {str(error).splitlines()[0]}.") from None
        if requirement.url:
            raise Fault(line, "Packages come from the index alone, by name and version; addresses and paths can not be used.")
        if requirement.marker is None or requirement.marker.evaluate(ENVIRONMENT | {"extra": ""}):
            needs.append(Need(requirement, canonicalize_name(requirement.name), line))
        if len(needs) > MOST:
            raise Fault(line, f"A file has at most {MOST} requirements.")
    return needs


def resolve(text, locked, ask, distributions):
    """(files as [name, version, file], the platform's as [name, version], faults as [line, message])."""
    try:
        import packaging
        import resolvelib
    except ImportError as error:
        return [], [], [[None, f"Requirements can not be resolved: {error}."]]
    try:
        needs = read(text)
        resolver = Resolver(ask, locked)
        resolver.take_platform(distributions)
        # Those that nothing can satisfy are told first, each with its line.
        faults = [fault for need in needs if (fault := _fault(resolver, need)) is not None]
        if faults:
            return [], [], faults
        found = resolvelib.Resolver(resolver, resolvelib.BaseReporter()).resolve(needs, max_rounds=ROUNDS).mapping.values()
    except Fault as fault:
        return [], [], [[fault.line, str(fault)]]
    except resolvelib.ResolutionImpossible as impossible:
        return [], [], [_impossible(resolver, [cause.requirement for cause in impossible.causes])]
    except resolvelib.ResolutionTooDeep:
        return [], [], [[None, "No set of versions was found in time; name the versions that are wanted."]]
    chosen = {candidate.name: candidate for candidate in found}
    return (
        sorted([one.name, str(one.version), one.file] for one in chosen.values() if one.file is not None),
        sorted([one.name, str(one.version)] for one in chosen.values() if one.file is None), [])


def _fault(resolver, need):
    try:
        why = resolver.why_none(need)
    except Fault as fault:
        why = str(fault)
    return None if why is None else [need.line, why]


def _impossible(resolver, causes):
    line = min((cause.line for cause in causes if cause.line), default=None)
    for cause in causes:
        if (why := resolver.why_none(cause)) is not None:
            return [line, f"{cause}. {why}"]
    names = {cause.name for cause in causes}
    needs = [*causes, *(need for need in resolver.needs if need.name in names)]
    needs = [need for need in needs if need.specifier] or needs
    line = min((need.line for need in needs if need.line), default=line)
    told = sorted({str(need) for need in needs})
    return [line, f"These can not be had together: {'; '.join(told[:6])}."]
