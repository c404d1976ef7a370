"""Plan the building blocks that are missing: programs, files of modules, wheels."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path

from tidegate.errors import TidegateError
from tidegate.images.gobuild import GoBuild
from tidegate.images.gotool import installed_go
from tidegate.images.job import Job
from tidegate.images.keys import Keys
from tidegate.images.makers import compile_c, fetch_wheelhouse, take_from_wheel
from tidegate.images.model import Catalogue, Pip
from tidegate.images.modules import GoCommand, take_files
from tidegate.images.store import Entry
from tidegate.images.toolchain import bootstrap_go, prepare_toolchain

_FETCH_S = 10.0
"""Seconds to fetch the modules of one Go group over an ordinary line; the build's cost is without it."""


class Artefacts:
    """Collects the jobs that make what is cached outside the engine.

    Args:
        root: the project's folder.
        catalogue: its catalogue.
        keys: its keys.
        complain: told of cache entries that are not what they were.
    """

    def __init__(self, root: Path, catalogue: Catalogue, keys: Keys, complain: Callable[[str], None]) -> None:
        self._root = root
        self._catalogue = catalogue
        self._keys = keys
        self._complain = complain
        self._jobs: dict[str, Job] = {}
        self._go_wanted: dict[str, dict[str, Entry]] = {}
        self._go = GoCommand(Path("go"))

    def need(self, name: str) -> str | None:
        """Ask for a program or files; return the id of the job that makes them, None when they are there.

        Raises:
            TidegateError: no entry makes it.
        """
        kind, owner = self._maker(name)
        entry = self.entry(name)
        if self._whole(entry):
            return None
        if kind == "go":
            self._go_wanted.setdefault(owner, {})[name] = entry
            return f"go:{owner}"
        if kind == "files":
            return self._files(name, owner, entry)
        if kind == "wheel":
            wheel = self._catalogue.wheels[owner]
            action = partial(take_from_wheel, name=name, entry=entry, wheel=wheel)
            cost = wheel.cost
            return self._add(
                Job(f"wheel:{name}", name, "net", action, cost.seconds, result_mb=cost.result_mb)
            )
        program = self._catalogue.c[name]
        action = partial(compile_c, name=name, entry=entry, source=self._root / "images" / program.file)
        return self._add(Job(f"c:{name}", name, "engine", action, program.cost.seconds))

    def need_wheels(self, pip: Pip) -> str | None:
        """Ask for the wheels of a dependency group, as `need` does for programs."""
        entry = self.wheelhouse(pip)
        if self._whole(entry):
            return None
        action = partial(fetch_wheelhouse, entry=entry, root=self._root, pip=pip)
        return self._add(Job(f"wheels:{entry.name}", f"{entry.name} (wheels)", "net", action, 10))

    def entry(self, name: str) -> Entry:
        """Return the place in the cache of a named program or files."""
        kind, _ = self._maker(name)
        return Entry("modules" if kind == "files" else "bin", name, self._keys.made(name))

    def path(self, name: str) -> Path:
        """Return where a program or files lie once they are made."""
        kind, owner = self._maker(name)
        inside = self._catalogue.go[owner].files[name].path if kind == "files" else name
        return self.entry(name).path / inside

    def wheels_path(self, pip: Pip) -> Path:
        """Return the folder of a dependency group's wheels once they are there."""
        entry = self.wheelhouse(pip)
        return entry.path / entry.name

    def versions(self, name: str) -> Mapping[str, str]:
        """Return the versions that go into a program."""
        kind, owner = self._maker(name)
        if kind == "wheel":
            return {name: self._catalogue.wheels[owner].version}
        if kind != "go":
            return {}
        group = self._catalogue.go[owner]
        version = self._keys.pins(owner).version_of(group.binaries[name].package)
        known = {name: version} if version is not None else {}
        return {"go": self._catalogue.toolchain.version} | known | group.versions

    def jobs(self) -> list[Job]:
        """Return all jobs asked for so far."""
        for group in sorted(self._go_wanted):
            self._add_go(group)
        return list(self._jobs.values())

    def _maker(self, name: str) -> tuple[str, str]:
        if name not in self._keys.makers:
            raise TidegateError(f"nothing in the catalogue makes {name!r}", where="images/catalogue.yaml")
        return self._keys.makers[name]

    def _add(self, job: Job) -> str:
        self._jobs.setdefault(job.id, job)
        return job.id

    def _whole(self, entry: Entry) -> bool:
        problem = entry.problem()
        if problem is not None and entry.exists():
            self._complain(f"{problem}. Cure: none needed, {entry.name} is made again now")
        return problem is None

    def _files(self, name: str, owner: str, entry: Entry) -> str:
        group = self._catalogue.go[owner]
        action = partial(
            take_files,
            name=name,
            entry=entry,
            group=group,
            folder=self._keys.folder(group),
            go=self._go,
            toolchain=self._catalogue.toolchain,
        )
        needs = frozenset({self._toolchain()})
        return self._add(Job(f"files:{name}", f"{name} (files)", "net", action, 5, needs))

    def _toolchain(self) -> str:
        version = self._catalogue.toolchain.version
        job_id = f"toolchain:{version}"
        if job_id in self._jobs:
            return job_id
        needs: frozenset[str] = frozenset()
        if installed_go() is None:
            name = next(iter(self._catalogue.wheels[self._catalogue.toolchain.bootstrap].files))
            job = self.need(name)
            needs = frozenset({job} if job else ())
            self._go.path = bootstrap_go(self.path(name))
        action = partial(prepare_toolchain, go=self._go, version=version)
        return self._add(Job(job_id, f"go {version}", "net", action, 5, needs, work_mb=320))

    def _add_go(self, name: str) -> None:
        group, wanted = self._catalogue.go[name], self._go_wanted[name]
        build = GoBuild(
            name,
            group,
            self._keys.folder(group),
            wanted,
            self._go,
            self._catalogue.toolchain,
            self._catalogue.disk.go_work_gb,
        )
        binaries = [group.binaries[item] for item in wanted]
        fetch = self._add(
            Job(
                f"fetch:{name}",
                f"{name} (modules)",
                "net",
                build.fetch,
                _FETCH_S,
                frozenset({self._toolchain()}),
            )
        )
        made = "" if list(wanted) == [name] else f" ({', '.join(sorted(wanted))})"
        self._add(
            Job(
                f"go:{name}",
                f"{name}{made}",
                "cpu",
                build.build,
                group.cost.seconds + sum(binary.seconds for binary in binaries),
                frozenset({fetch}),
                work_mb=group.cost.work_mb,
                result_mb=sum(binary.result_mb for binary in binaries),
            )
        )

    def wheelhouse(self, pip: Pip) -> Entry:
        """Return the place in the cache of a dependency group's wheels."""
        return Entry("wheels", pip.group, self._keys.wheels(pip))
