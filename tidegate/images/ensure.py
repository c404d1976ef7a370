"""Have tools, images and files of modules at hand: look, then pull or build what is missing."""

from __future__ import annotations

import asyncio
import signal
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from tidegate.errors import TidegateError
from tidegate.host.paths import bin_dir, project_root
from tidegate.images.catalogue import load_catalogue
from tidegate.images.disk import check_room, peak_mb, rest_mb
from tidegate.images.display import Display
from tidegate.images.engine import Docker
from tidegate.images.gotool import drop_work
from tidegate.images.job import Job, Resource
from tidegate.images.keys import Keys
from tidegate.images.model import Catalogue, Source
from tidegate.images.planner import Planner, wanted_images
from tidegate.images.reference import mirror_setting, parse
from tidegate.images.registry import reachable
from tidegate.images.schedule import Outcome, run_jobs, slots
from tidegate.images.tools import link_tool, usable, wanted_tools

_SOURCES = ("auto", "registry", "packages")
_TICK_S = 5.0


def as_source(word: str) -> Source:
    """Return `word` as a source.

    Raises:
        TidegateError: it is none.
    """
    for source in _SOURCES:
        if word == source:
            return source
    raise TidegateError(f"there is no source {word!r}", cure=f"choose from {', '.join(_SOURCES)}")


class Workshop:
    """The catalogue of a project, with what is needed to make things from it.

    Args:
        source: `auto`, `registry` or `packages`; None takes the catalogue's own.
        engine: variables that point docker at the engine; None when no image will be asked for.
        root: the project; the one around the working folder by default.
        console: where progress goes; standard error by default.
    """

    def __init__(
        self,
        *,
        source: str | None = None,
        engine: Mapping[str, str] | None = None,
        root: Path | None = None,
        console: Console | None = None,
    ) -> None:
        self.root = root or project_root()
        self.catalogue: Catalogue = load_catalogue(self.root)
        self.keys = Keys(self.root, self.catalogue)
        self.source: Source = as_source(source) if source else self.catalogue.source
        self.docker = None if engine is None else Docker(engine)
        self.console = console or Console(stderr=True)
        self._reachable: set[str] | None = None

    def planner(self) -> Planner:
        """Return a fresh planner."""
        return Planner(
            self.root,
            self.catalogue,
            self.keys,
            docker=self.docker,
            source=self.source,
            reachable=self.reachable,
            complain=lambda text: self.console.print(text, style="yellow", highlight=False),
        )

    def reachable(self) -> set[str]:
        """Return the registry hosts that answer; each is asked once."""
        if self._reachable is None:
            references = [image.reference for image in self.catalogue.images.values() if image.reference]
            self._reachable = reachable(map(parse, references), mirror_setting())
        return self._reachable

    def make_images(self, planner: Planner, names: Sequence[str]) -> Planner:
        """Have images in the engine, with whatever else `planner` was asked for.

        Where `auto` chose to pull and that fails although the registry answers (a limit, a missing tag), the
        image is built instead.

        Returns:
            the planner that did it.
        """
        for name in names:
            planner.image(name)
        outcome = self.attempt(planner.jobs())
        pulls = [name for name in planner.decisions if f"pull:{name}" in outcome.errors]
        if self.source != "auto" or not pulls:
            self.settle(outcome)
            return planner
        self.console.print(f"  pulling {', '.join(pulls)} failed; building instead", highlight=False)
        again = self.planner()
        again.without_pulling(pulls)
        for name in names:
            again.image(name)
        self.settle(self.attempt(again.jobs()), [error for name, error in outcome.errors.items() if not name.startswith("pull:")])
        return again

    def run(self, jobs: Sequence[Job]) -> None:
        """Run jobs with progress; nothing is said when there are none.

        Raises:
            TidegateError: too little disk, or something failed (what could be made was made).
        """
        self.settle(self.attempt(jobs))

    def attempt(self, jobs: Sequence[Job]) -> Outcome:
        """Run jobs with progress and tell how they ended; a failed one is no error yet.

        Raises:
            TidegateError: too little disk.
        """
        if not jobs:
            return Outcome()
        check_room(jobs, self.catalogue.disk, self.docker.root() if self.docker else None)
        uses_go = any(job.id.startswith(("go:", "files:")) for job in jobs)
        self.console.print(
            f"{len(jobs)} things to make or fetch, about {sum(job.seconds for job in jobs) / 60:.0f} min; "
            f"disk: {peak_mb(jobs, self.catalogue.disk) / 1000:.1f} GB at the peak, "
            f"{rest_mb(jobs) / 1000:.1f} GB stay",
            highlight=False,
        )
        outcome = asyncio.run(self._watched(jobs))
        if uses_go and not outcome.errors:
            drop_work()
        if outcome.errors:
            first = next(iter(outcome.errors.values()))
            more = f" ({len(outcome.errors) - 1} more failed)" if len(outcome.errors) > 1 else ""
            raise TidegateError(
                f"{next(iter(outcome.errors))}: {first.what}{more}",
                where=first.where,
                cure=first.cure or "mend it and start again; what was made stays",
            )

    async def _watched(self, jobs: Sequence[Job]) -> Outcome:
        limits = slots()
        # A second SIGINT must not strike while children are being ended, hence a handler of our own.
        task = asyncio.create_task(self._ticking(jobs, limits))
        loop = asyncio.get_running_loop()
        loop.add_signal_handler(signal.SIGTERM, task.cancel)
        try:
            return await task
        except asyncio.CancelledError as error:
            raise KeyboardInterrupt from error
        finally:
            loop.remove_signal_handler(signal.SIGTERM)

    async def _ticking(self, jobs: Sequence[Job], limits: dict[Resource, int]) -> Outcome:
        with Display(self.console, jobs, limits) as display:
            work = asyncio.ensure_future(run_jobs(jobs, limits, display))
            try:
                while not work.done():
                    await asyncio.wait([work], timeout=_TICK_S)
                    display.tick()
                return await work
            finally:
                work.cancel()
                await asyncio.gather(work, return_exceptions=True)


@dataclass(frozen=True)
class Ready:
    """What is at hand.

    Args:
        tools: path of each tool.
        images: reference of each image.
    """

    tools: dict[str, Path]
    images: dict[str, str]


def ensure(
    *,
    tools: Sequence[str] | None = (),
    images: Sequence[str] | None = (),
    engine_env: Mapping[str, str] | None = None,
    source: str | None = None,
    console: Console | None = None,
) -> Ready:
    """Have tools linked into `bin_dir()` and images in the engine, made side by side in one run.

    Args:
        tools: tools of the catalogue; None means all that a deployment uses.
        images: images of the catalogue; None means all that a deployment runs.
        engine_env: variables that point docker at the engine; only images need it.
        source: see `Workshop`.
        console: where progress goes.

    Raises:
        TidegateError: an unknown name, too little disk, or something could not be made.
    """
    workshop = Workshop(source=source, engine=engine_env, console=console)
    planner = workshop.planner()
    wanted = wanted_tools(workshop.catalogue, tools)
    found: dict[str, Path] = {}
    for name in wanted:
        tool = workshop.catalogue.tools[name]
        path = usable(name, tool, workshop.source)
        if path is not None:
            found[name] = path
            continue
        for item in (tool.binary, *tool.beside):
            planner.made(item)
    chosen = wanted_images(workshop.catalogue, images)
    for name in chosen:
        planner.image(name)
    workshop.run(planner.jobs())
    for name in wanted:
        if name in found:
            (bin_dir() / name).unlink(missing_ok=True)  # a link of ours must not shadow it
        else:
            found[name] = link_tool(workshop.catalogue.tools[name], planner)
    return Ready(found, {name: planner.reference(name) for name in chosen})


def ensure_tools(
    names: Sequence[str] | None, *, source: str | None = None, console: Console | None = None
) -> dict[str, Path]:
    """Have command-line tools at hand and linked; see `ensure`."""
    return ensure(tools=names, source=source, console=console).tools


def ensure_images(
    names: Sequence[str] | None,
    *,
    engine_env: Mapping[str, str],
    source: str | None = None,
    console: Console | None = None,
) -> dict[str, str]:
    """Have images in the engine under their references; see `ensure`."""
    return ensure(images=names, engine_env=engine_env, source=source, console=console).images


def ensure_files(name: str, *, console: Console | None = None) -> Path:
    """Have files of a Go module at hand, as the catalogue names them; return the file or folder."""
    workshop = Workshop(console=console)
    planner = workshop.planner()
    planner.made(name)
    workshop.run(planner.jobs())
    return planner.path(name)


def image_ids(references: Mapping[str, str], engine_env: Mapping[str, str]) -> dict[str, str]:
    """Return the engine's id of each image, by the name in `references`.

    Raises:
        TidegateError: one is not there.
    """
    docker = Docker(engine_env)
    found = docker.ids(list(references.values()))
    for name, reference in references.items():
        if reference not in found:
            raise TidegateError(
                f"image {name} is not in the engine", where=reference, cure="run `tidegate images build`"
            )
    return {name: found[reference] for name, reference in references.items()}
