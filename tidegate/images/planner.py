"""Turn a wish for images into the jobs that are missing, down to the building blocks."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import partial
from pathlib import Path

from tidegate.errors import TidegateError
from tidegate.images.artefacts import Artefacts
from tidegate.images.bake import bake_image
from tidegate.images.base import make_base
from tidegate.images.build import ImageBuild, build_image
from tidegate.images.decide import Decision, decide
from tidegate.images.engine import Docker, Labels
from tidegate.images.job import Job
from tidegate.images.keys import Keys
from tidegate.images.model import Catalogue, From, Image, Pip, Source
from tidegate.images.reference import mirror_setting, parse
from tidegate.images.registry import pull
from tidegate.images.store import Entry

_TAG_CHARACTERS = 16


class Planner:
    """Collects the jobs that make or fetch images; ask for images first, then take `jobs()`.

    Args:
        root: the project's folder.
        catalogue: its catalogue.
        keys: its keys.
        docker: the engine; None when no image will be asked for.
        source: where images come from.
        reachable: returns the registry hosts that answer; asked only when something could be pulled.
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
        self._artefacts = Artefacts(root, catalogue, keys, complain)
        self._engine = docker
        self._source: Source = source
        self._reachable = reachable
        self._jobs: dict[str, Job] = {}
        self._labels: dict[str, dict[str, str]] | None = None
        self._failed_pulls: set[str] = set()
        self.decisions: dict[str, Decision] = {}

    def made(self, name: str) -> str | None:
        """Ask for a program or files; return the id of the job that makes them, None when they are there."""
        return self._artefacts.need(name)

    def entry(self, name: str) -> Entry:
        """Return the place in the cache of a program or files."""
        return self._artefacts.entry(name)

    def path(self, name: str) -> Path:
        """Return where a program or files lie once they are made."""
        return self._artefacts.path(name)

    def wheelhouse(self, pip: Pip) -> Entry:
        """Return the place in the cache of a dependency group's wheels."""
        return self._artefacts.wheelhouse(pip)

    def wheel_groups(self) -> list[Pip]:
        """Return the dependency groups whose wheels go into some image."""
        recipes = (image.recipe for image in self._catalogue.images.values())
        return [item.wheels for recipe in recipes for item in recipe.context.values() if item.wheels]

    @property
    def _docker(self) -> Docker:
        if self._engine is None:
            raise TidegateError("no container engine was given", cure="run `tidegate doctor`")
        return self._engine

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

    def without_pulling(self, names: Iterable[str]) -> None:
        """Build these images even where their registry answers: pulling them has failed."""
        self._failed_pulls |= set(names)

    def reference(self, name: str) -> str:
        """Return the full name of an image or base."""
        if name in self._catalogue.bases:
            return f"tidegate/base-{name}:{self._keys.base(name)[:_TAG_CHARACTERS]}"
        own = self._catalogue.images[name].reference
        return own or f"tidegate/{name}:{self._keys.image(name)[:_TAG_CHARACTERS]}"

    def empty_reference(self, name: str) -> str:
        """Return what an image that holds others is called before they are put in."""
        return f"tidegate/{name}-empty:{self._keys.image(name)[:_TAG_CHARACTERS]}"

    def jobs(self) -> list[Job]:
        """Return all jobs asked for so far, those of the building blocks included."""
        return [*self._artefacts.jobs(), *self._jobs.values()]

    def _add(self, job: Job) -> str:
        self._jobs.setdefault(job.id, job)
        return job.id

    def _known(self) -> dict[str, dict[str, str]]:
        if self._labels is None:
            names = [*self._catalogue.images, *self._catalogue.bases]
            self._labels = self._docker.labels([self.reference(name) for name in names])
        return self._labels

    def _decide(self, name: str) -> Decision:
        reference = self.reference(name)
        choose = partial(
            decide,
            source=self._source,
            upstream=self._catalogue.images[name].reference is not None,
            key=self._keys.image(name),
            labels=self._known().get(reference),
        )
        first = choose(can_pull=True)
        if first != "pull" or self._source == "registry":
            return first
        can_pull = name not in self._failed_pulls and parse(reference).host in self._reachable()
        return choose(can_pull=can_pull)

    def _pull(self, name: str) -> Job:
        reference = parse(self.reference(name))
        action = partial(pull, docker=self._docker, reference=reference, mirror=mirror_setting())
        size_mb = self._catalogue.images[name].recipe.cost.result_mb
        return Job(f"pull:{name}", f"{name} (pull)", "net", action, 5 + size_mb / 20, image_mb=size_mb)

    def _base(self, name: str) -> str | None:
        reference, key = self.reference(name), self._keys.base(name)
        if Labels(recipe=key).matches(self._known().get(reference)):
            return None
        base = self._catalogue.bases[name]
        action = partial(make_base, docker=self._docker, name=name, base=base, key=key, reference=reference)
        cost = base.cost
        job = Job(
            f"base:{name}",
            f"{name} (base)",
            "net",
            action,
            cost.seconds,
            work_mb=cost.work_mb,
            image_mb=cost.result_mb,
        )
        return self._add(job)

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
        action = partial(build_image, docker=self._docker, build=build)
        if recipe.holds:
            action = partial(
                bake_image,
                docker=self._docker,
                build=build,
                empty=self.empty_reference(name),
                holds=[self.reference(other) for other in recipe.holds],
            )
        return Job(
            f"build:{name}",
            f"{name} (image)",
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
            return self._artefacts.need_wheels(item.wheels)
        return None if item.project is not None else self._artefacts.need(item.binary or item.files or "")

    def _path(self, item: From) -> Path:
        if item.project is not None:
            return self._root / item.project
        if item.wheels is not None:
            return self._artefacts.wheels_path(item.wheels)
        return self._artefacts.path(item.binary or item.files or "")

    def _versions(self, image: Image) -> dict[str, str]:
        """Return the versions that go into an image, from its own entry and all that it is made from."""
        found: dict[str, str] = {}
        for item in image.recipe.context.values():
            if item.binary is not None:
                found |= self._artefacts.versions(item.binary)
        on = image.recipe.on
        if on in self._catalogue.bases:
            found["debian"] = self._catalogue.bases[on].suite
        elif on is not None:
            found |= self._versions(self._catalogue.images[on])
        return found | image.recipe.versions


def wanted_images(catalogue: Catalogue, names: Iterable[str] | None) -> list[str]:
    """Return the images meant: those named, or all that every deployment runs.

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
