"""The catalogue at work: plan what is missing, run it with progress, tell what failed."""

from __future__ import annotations

import asyncio
import signal
import threading
from collections.abc import Coroutine, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from rich.console import Console

from tidegate.errors import TidegateError
from tidegate.host.paths import project_root
from tidegate.images.catalogue import load_catalogue
from tidegate.images.disk import check_room, peak_mb, rest_mb
from tidegate.images.display import Display
from tidegate.images.engine import Docker
from tidegate.images.estimate import estimate_s
from tidegate.images.gotool import drop_work
from tidegate.images.job import Job, Resource
from tidegate.images.keys import Keys
from tidegate.images.model import Catalogue, Source
from tidegate.images.planner import Planner
from tidegate.images.reference import mirror_setting, parse
from tidegate.images.registry import reachable
from tidegate.images.schedule import Outcome, run_jobs, slots

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
            complain=lambda text: self.console.print(text, style="yellow", highlight=False, soft_wrap=True),
        )

    def reachable(self) -> set[str]:
        """Return the registry hosts that answer; each is asked once."""
        if self._reachable is None:
            references = [image.reference for image in self.catalogue.images.values() if image.reference]
            self._reachable = reachable(map(parse, references), mirror_setting())
        return self._reachable

    def make(self, made: Sequence[str], images: Sequence[str]) -> Planner:
        """Have programs and files in the cache and images in the engine, made side by side.

        Where `auto` chose to pull and that fails although the registry answers (a limit, a missing tag), the
        image is built instead.

        Args:
            made: names of programs and files.
            images: names of images.

        Returns:
            the planner, which knows where everything is.

        Raises:
            TidegateError: too little disk, or something failed (what could be made was made).
        """
        refused: set[str] = set()
        while True:
            planner = self.planner()
            planner.without_pulling(refused)
            for name in made:
                planner.made(name)
            for name in images:
                planner.image(name)
            outcome = self._attempt(planner.jobs())
            failed = {name for name in planner.decisions if f"pull:{name}" in outcome.errors}
            if self.source != "auto" or not failed or len(failed) < len(outcome.errors):
                _settle(outcome)
                return planner
            refused |= failed
            self.console.print(
                f"  not pulled: {', '.join(sorted(failed))}; built instead", highlight=False, soft_wrap=True
            )

    def _attempt(self, jobs: Sequence[Job]) -> Outcome:
        if not jobs:
            return Outcome()
        check_room(jobs, self.catalogue.disk, self.docker.root() if self.docker else None)
        self.console.print(
            f"{len(jobs)} things to make or fetch, about {estimate_s(jobs, slots()) / 60:.0f} min; "
            f"disk: {peak_mb(jobs, self.catalogue.disk) / 1000:.1f} GB at the peak, "
            f"{rest_mb(jobs) / 1000:.1f} GB stay",
            highlight=False,
        )
        outcome = _run(self._watched(jobs))
        # After a failure the next attempt goes on with what was downloaded and compiled.
        if not outcome.errors and any(job.id.startswith(("go:", "files:")) for job in jobs):
            drop_work()
        return outcome

    async def _watched(self, jobs: Sequence[Job]) -> Outcome:
        limits = slots()
        # A second SIGINT must not strike while children are being ended, hence a handler of our own.
        task = asyncio.create_task(self._ticking(jobs, limits))
        loop = asyncio.get_running_loop()
        first = threading.current_thread() is threading.main_thread()  # only it can have handlers
        if first:
            loop.add_signal_handler(signal.SIGTERM, task.cancel)
        try:
            return await task
        except asyncio.CancelledError as error:
            raise KeyboardInterrupt from error
        finally:
            if first:
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


def _run(work: Coroutine[Any, Any, Outcome]) -> Outcome:
    """Run `work` to its end, also from inside somebody else's event loop, such as a Pulumi program's."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return asyncio.run(work)
    with ThreadPoolExecutor(1) as pool:
        return pool.submit(asyncio.run, work).result()


def _settle(outcome: Outcome) -> None:
    if outcome.errors:
        name, first = next(iter(outcome.errors.items()))
        more = f" ({len(outcome.errors) - 1} more failed)" if len(outcome.errors) > 1 else ""
        raise TidegateError(
            f"{name}: {first.what}{more}",
            where=first.where,
            cure=first.cure or "mend it and start again; what was made stays",
        )
