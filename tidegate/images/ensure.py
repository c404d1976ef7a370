"""Have tools, images and files of modules at hand: look, then pull or build what is missing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from tidegate.errors import TidegateError
from tidegate.host.paths import bin_dir
from tidegate.images.disk import peak_mb, rest_mb
from tidegate.images.engine import Docker
from tidegate.images.estimate import estimate_s
from tidegate.images.job import Job
from tidegate.images.planner import wanted_images
from tidegate.images.schedule import slots
from tidegate.images.tools import link_tool, usable, wanted_tools
from tidegate.images.workshop import Workshop

GATEWAY_CHARTS = "envoy-gateway-charts"
"""Name in the catalogue of the files that hold the gateway's chart, which every deployment renders."""


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
    options: Sequence[str] = (),
    files: Sequence[str] = (),
    engine_env: Mapping[str, str] | None = None,
    source: str | None = None,
    console: Console | None = None,
) -> Ready:
    """Have tools linked into `bin_dir()` and images in the engine, made side by side in one run.

    Args:
        tools: tools of the catalogue; None means all that a deployment uses.
        images: images of the catalogue; None means all that every deployment runs.
        options: images beside those, which this deployment asks for; see `controllers` and `injectors`.
        files: files of Go modules that will be asked for by `ensure_files`.
        engine_env: variables that point docker at the engine; only images need it.
        source: see `Workshop`.
        console: where progress goes.

    Raises:
        TidegateError: an unknown name, too little disk, or something could not be made.
    """
    workshop = Workshop(source=source, engine=engine_env, console=console)
    wanted = wanted_tools(workshop.catalogue, tools)
    made: list[str] = list(files)
    found: dict[str, Path] = {}
    for name in wanted:
        tool = workshop.catalogue.tools[name]
        path = usable(name, tool, workshop.source)
        if path is not None:
            found[name] = path
            continue
        made += [tool.binary, *tool.beside]
    chosen = [*wanted_images(workshop.catalogue, images), *wanted_images(workshop.catalogue, options)]
    planner = workshop.make(made, chosen)
    for name in wanted:
        if name in found:
            (bin_dir() / name).unlink(missing_ok=True)  # a link of ours must not shadow it
        else:
            found[name] = link_tool(workshop.catalogue.tools[name], planner)
    return Ready(found, {name: planner.reference(name) for name in chosen})


@dataclass(frozen=True)
class Plan:
    """What `ensure` would do now.

    Args:
        jobs: what would be made or fetched; empty when everything is at hand.
        seconds: how long that takes here, by the catalogue's figures.
        peak_mb: megabytes filled at the height of it.
        rest_mb: megabytes that stay.
    """

    jobs: tuple[Job, ...]
    seconds: float
    peak_mb: int
    rest_mb: int


def plan(
    *,
    tools: Sequence[str] | None = (),
    images: Sequence[str] | None = (),
    engine_env: Mapping[str, str] | None = None,
    source: str | None = None,
    console: Console | None = None,
) -> Plan:
    """Tell what `ensure` would do, without doing it; the arguments are the same."""
    workshop = Workshop(source=source, engine=engine_env, console=console)
    planner = workshop.planner()
    for name in wanted_tools(workshop.catalogue, tools):
        tool = workshop.catalogue.tools[name]
        if usable(name, tool, workshop.source, fetch=False) is None:
            for item in (tool.binary, *tool.beside):
                planner.made(item)
    for name in wanted_images(workshop.catalogue, images):
        planner.image(name)
    jobs = tuple(planner.jobs())
    disk = workshop.catalogue.disk
    return Plan(jobs, estimate_s(jobs, slots()), peak_mb(jobs, disk), rest_mb(jobs))


def parts_of_images(names: Sequence[str] | None = None, *, source: str | None = None) -> list[str]:
    """Return what images would be built from here, for `ensure(files=...)`; nothing where a registry answers.

    Made together with the tools, before there is an engine, the parts share one Go build cache with them.

    Args:
        names: images of the catalogue; None means all that every deployment runs.
        source: see `Workshop`.
    """
    workshop = Workshop(source=source)
    if workshop.source == "registry" or (workshop.source == "auto" and workshop.reachable()):
        return []
    usual = [name for name, image in workshop.catalogue.images.items() if image.role != "option"]
    chosen = usual if names is None else wanted_images(workshop.catalogue, names)
    contexts = [workshop.catalogue.images[name].recipe.context.values() for name in chosen]
    named = [item.binary or item.files for items in contexts for item in items]
    return sorted({name for name in named if name})


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
    return Workshop(console=console).make([name], []).path(name)


def ensure_programs(
    names: Sequence[str], *, make: bool = True, console: Console | None = None
) -> dict[str, Path]:
    """Have programs at hand that are no tools, such as the parts of a control plane; return where they lie.

    Args:
        names: programs as the catalogue's groups name them.
        make: whether what is missing is made, which may take minutes.
        console: where progress goes.

    Raises:
        TidegateError: nothing makes a program, it could not be made, or it is missing and not to be made.
    """
    workshop = Workshop(console=console)
    planner = workshop.planner()
    missing = [name for name in names if planner.made(name) is not None]
    if missing and not make:
        raise TidegateError(
            f"not in the cache: {', '.join(missing)}", cure="run `make differential`, which makes them"
        )
    if missing:
        planner = workshop.make(missing, [])
    return {name: planner.path(name) for name in names}


def module_files(module: str, version: str, *, console: Console | None = None) -> Path:
    """Have the files at hand that the catalogue takes from a Go module, under their paths in it.

    Args:
        module: module path.
        version: the version expected; it must be the one whose checksum is committed.
        console: where progress goes.

    Returns:
        a folder with the module's own layout, holding only what the catalogue names.

    Raises:
        TidegateError: the catalogue takes nothing from that module, or pins another version of it.
    """
    workshop = Workshop(console=console)
    for group_name, group in workshop.catalogue.go.items():
        for name, item in group.files.items():
            if item.module == module:
                pinned = workshop.keys.pins(group_name).pin(module).version
                if pinned != version:
                    raise TidegateError(
                        f"{module} {version} was asked for and {pinned} is pinned",
                        where=str(workshop.keys.folder(group) / "go.mod"),
                    )
                return workshop.make([name], []).entry(name).path
    raise TidegateError(f"the catalogue takes no files from {module}", where="images/catalogue.yaml")


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
