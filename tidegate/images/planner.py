"""Turn a wish for images, tools and files into the jobs that are missing."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

from tidegate.errors import TidegateError
from tidegate.images.bake import bake_image
from tidegate.images.base import make_base
from tidegate.images.build import ImageBuild, build_image
from tidegate.images.decide import Decision, decide
from tidegate.images.engine import Docker, Labels
from tidegate.images.gobuild import GoBuild
from tidegate.images.gotool import installed_go
from tidegate.images.job import Job
from tidegate.images.keys import Keys
from tidegate.images.makers import compile_c, fetch_wheelhouse, take_from_wheel
from tidegate.images.model import Catalogue, From, Image, Pip, Source
from tidegate.images.modules import GoCommand, take_files
from tidegate.images.reference import mirror_setting, parse
from tidegate.images.registry import pull
from tidegate.images.store import Entry
from tidegate.images.toolchain import bootstrap_go, prepare_toolchain

_FETCH_S = 10.0
"""Seconds to fetch the modules of one Go group over an ordinary line; the build's cost is without it."""


@dataclass
class Wish:
    """What is wanted, by names in the catalogue."""

    images: list[str] = field(default_factory=list[str])
    made: list[str] = field(default_factory=list[str])


class Planner:
    """Collects jobs; ask for things first, then take `jobs()`.

    Args:
        root: the project's folder.
        catalogue: its catalogue.
        keys: its keys.
        docker: the engine; None when no image will be asked for.
        source: where images come from.
        reachable: registry hosts that answer.
        complain: told of cache entries that are not what they were.
    """

    def __init__(
        self,
        root: Path,
        catalogue: Catalogue,
        keys: Keys,
        *,
        docker: Docker | None,
        source: Source,
        reachable: Callable[[], set[str]],
        complain: Callable[[str], None],
    ) -> None:
        self._root = root
        self._catalogue = catalogue
        self._keys = keys
        self._docker = docker
        self._source: Source = source
        self._reachable = reachable
        self._complain = complain
        self._jobs: dict[str, Job] = {}
        self._go_wanted: dict[str, dict[str, Entry]] = {}
        self._go = GoCommand(Path("go"))
        self._labels: dict[str, dict[str, str]] | None = None
        self.decisions: dict[str, Decision] = {}

    # -- what may be asked for -------------------------------------------------------------------------

    def made(self, name: str) -> str | None:
        """Ask for a program or files; return the id of the job that makes them, None when they are there."""
        kind, owner = self._keys.makers[name]
        entry = self.entry(name)
        if self._whole(entry):
            return None
        if kind == "go":
            self._go_wanted.setdefault(owner, {})[name] = entry
            return f"go:{owner}"
        if kind == "files":
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
            return self._add(
                Job(f"files:{name}", f"{name} (files)", "net", action, 5, frozenset({self._toolchain()}))
            )
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

    def entry(self, name: str) -> Entry:
        """Return the place in the cache of a named program or files."""
        kind, _ = self._keys.makers[name]
        return Entry("modules" if kind == "files" else "bin", name, self._keys.made(name))

    def image(self, name: str) -> str | None:
        """Ask for an image; return the id of the job that makes it, None when the engine has it."""
        if name not in self.decisions:
            self.decisions[name] = self._decide(name)
        decision = self.decisions[name]
        if decision == "present":
            return None
        job_id = f"{decision}:{name}"
        if job_id not in self._jobs:
            self._add(self._pull(name) if decision == "pull" else self._build(name))
        return job_id

    def reference(self, name: str) -> str:
        """Return the full name of an image or base."""
        if name in self._catalogue.bases:
            return f"tidegate/base-{name}:{self._keys.base(name)[:16]}"
        return self._catalogue.images[name].reference or f"tidegate/{name}:{self._keys.tag(name)}"

    def jobs(self) -> list[Job]:
        """Return all jobs asked for so far."""
        for group in sorted(self._go_wanted):
            self._add_go(group)
        return list(self._jobs.values())

    # -- how each is made ------------------------------------------------------------------------------

    @property
    def _engine(self) -> Docker:
        if self._docker is None:
            raise TidegateError("no container engine was given", cure="run `tidegate doctor`")
        return self._docker

    def _add(self, job: Job) -> str:
        self._jobs.setdefault(job.id, job)
        return job.id

    def _whole(self, entry: Entry) -> bool:
        problem = entry.problem()
        if problem is not None and entry.exists():
            self._complain(f"{problem}. Cure: none needed, {entry.name} is made again now")
        return problem is None

    def _toolchain(self) -> str:
        needs: frozenset[str] = frozenset()
        if installed_go() is None:
            bootstrap = self._catalogue.wheels[self._catalogue.toolchain.bootstrap]
            name = next(iter(bootstrap.files))
            job = self.made(name)
            needs = frozenset({job} if job else ())
            self._go.path = bootstrap_go(self.entry(name).path / name)
        version = self._catalogue.toolchain.version
        action = partial(prepare_toolchain, go=self._go, version=version)
        return self._add(Job(f"toolchain:{version}", f"go {version}", "net", action, 5, needs, work_mb=320))

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
        fetch = Job(
            f"fetch:{name}", f"{name} (modules)", "net", build.fetch, _FETCH_S, frozenset({self._toolchain()})
        )
        self._add(fetch)
        self._add(
            Job(
                f"go:{name}",
                f"{name} ({', '.join(sorted(wanted))})",
                "cpu",
                build.build,
                group.cost.seconds + sum(binary.seconds for binary in binaries),
                frozenset({fetch.id}),
                work_mb=group.cost.work_mb,
                result_mb=sum(binary.result_mb for binary in binaries),
            )
        )

    def _base(self, name: str) -> str | None:
        reference, key, base = self.reference(name), self._keys.base(name), self._catalogue.bases[name]
        if Labels(recipe=key).matches(self._known().get(reference)):
            return None
        action = partial(make_base, docker=self._engine, name=name, base=base, key=key, reference=reference)
        cost = base.cost
        return self._add(
            Job(
                f"base:{name}",
                f"{name} (base)",
                "net",
                action,
                cost.seconds,
                work_mb=cost.work_mb,
                image_mb=cost.result_mb,
            )
        )

    def _known(self) -> dict[str, dict[str, str]]:
        if self._labels is None:
            names = [*self._catalogue.images, *self._catalogue.bases]
            self._labels = self._engine.labels([self.reference(name) for name in names])
        return self._labels

    def _decide(self, name: str) -> Decision:
        image, reference = self._catalogue.images[name], self.reference(name)
        labels = self._known().get(reference)
        first = decide(
            source=self._source,
            upstream=image.reference is not None,
            key=self._keys.image(name),
            labels=labels,
            can_pull=True,
        )
        if first != "pull" or self._source == "registry":
            return first
        return "pull" if parse(reference).host in self._reachable() else "build"

    def _pull(self, name: str) -> Job:
        reference = parse(self.reference(name))
        action = partial(pull, docker=self._engine, reference=reference, mirror=mirror_setting())
        size_mb = self._catalogue.images[name].recipe.cost.result_mb
        return Job(f"pull:{name}", f"{name} (pull)", "net", action, 5 + size_mb / 20, image_mb=size_mb)

    def _build(self, name: str) -> Job:
        image = self._catalogue.images[name]
        recipe = image.recipe
        needs = [self._on(recipe.on), *(self._item(item) for item in recipe.context.values())]
        needs += [self.image(other) for other in recipe.holds]
        build = ImageBuild(
            name=name,
            key=self._keys.image(name),
            reference=self.reference(name),
            folder=self._root / "images" / recipe.dockerfile,
            context={to: self._path(item) for to, item in recipe.context.items()},
            args=recipe.args | ({"BASE": self.reference(recipe.on)} if recipe.on else {}),
            entrypoint=recipe.entrypoint,
            versions=self._versions(image),
        )
        action = partial(build_image, docker=self._engine, build=build)
        if recipe.holds:
            action = partial(
                bake_image,
                docker=self._engine,
                build=build,
                empty=f"tidegate/{name}-empty:{self._keys.tag(name)}",
                holds=[self.reference(other) for other in recipe.holds],
            )
        return Job(
            f"build:{name}",
            name,
            "engine",
            action,
            recipe.cost.seconds,
            frozenset(need for need in needs if need),
            work_mb=recipe.cost.work_mb,
            image_mb=recipe.cost.result_mb,
        )

    def _on(self, name: str | None) -> str | None:
        if name is None:
            return None
        return self._base(name) if name in self._catalogue.bases else self.image(name)

    def _item(self, item: From) -> str | None:
        if item.wheels is not None:
            entry = self._wheelhouse(item.wheels)
            if self._whole(entry):
                return None
            action = partial(fetch_wheelhouse, entry=entry, root=self._root, pip=item.wheels)
            return self._add(Job(f"wheels:{entry.name}", f"{entry.name} (wheels)", "net", action, 10))
        return None if item.project is not None else self.made(item.binary or item.files or "")

    def _wheelhouse(self, pip: Pip) -> Entry:
        return Entry("wheels", pip.group, self._keys.wheels(pip))

    def _path(self, item: From) -> Path:
        if item.project is not None:
            return self._root / item.project
        if item.wheels is not None:
            entry = self._wheelhouse(item.wheels)
            return entry.path / entry.name
        name = item.binary or item.files or ""
        return self.entry(name).path / name

    def _versions(self, image: Image) -> dict[str, str]:
        """Return the versions that go into an image, from its own entry and all that it is made from."""
        found: dict[str, str] = {}
        for item in image.recipe.context.values():
            if item.binary is not None:
                found |= self._made_versions(item.binary)
        on = image.recipe.on
        if on in self._catalogue.bases:
            found["debian"] = self._catalogue.bases[on].suite
        elif on is not None:
            found |= self._versions(self._catalogue.images[on])
        return found | image.recipe.versions

    def _made_versions(self, name: str) -> Mapping[str, str]:
        kind, owner = self._keys.makers[name]
        if kind == "go":
            pins = self._keys.pins(owner)
            module = self._catalogue.go[owner].binaries[name].package
            return {name: pins.version_of(module), "go": self._catalogue.toolchain.version}
        if kind == "wheel":
            return {name: self._catalogue.wheels[owner].version}
        return {}


def wanted_images(catalogue: Catalogue, names: Iterable[str] | None) -> list[str]:
    """Return the images meant: those named, or all that a deployment runs.

    Raises:
        TidegateError: a name is not in the catalogue.
    """
    if names is None:
        return [name for name, image in catalogue.images.items() if image.role == "cluster"]
    chosen = list(names)
    for name in chosen:
        if name not in catalogue.images:
            raise TidegateError(
                f"there is no image {name!r} in the catalogue",
                cure=f"choose from {', '.join(catalogue.images)}",
            )
    return chosen
