"""`tidegate images`: look at the catalogue, build from it, check and clean what was built."""

from __future__ import annotations

from typing import Annotated

import typer

from tidegate.errors import TidegateError
from tidegate.host.engine import find_engine
from tidegate.host.packages import install_packages, missing_packages
from tidegate.host.paths import cache_dir
from tidegate.images.clean import clean_cache, clean_images
from tidegate.images.engine import Docker
from tidegate.images.ensure import ensure, parts_of_images, plan
from tidegate.images.store import verify as verify_entries
from tidegate.images.workshop import Workshop

app = typer.Typer(help="Tools and images: what they are, where they come from, building them.")

Source = Annotated[
    str | None,
    typer.Option(envvar="TIDEGATE_SOURCE", help="auto, registry or packages; the catalogue's by default."),
]
Names = Annotated[list[str] | None, typer.Argument(help="Images of the catalogue; all by default.")]


def _engine_env() -> dict[str, str]:
    from tidegate.prepare import open_engine

    return open_engine(install=False).env()


def _split(names: list[str] | None) -> tuple[list[str] | None, list[str] | None]:
    """Return which of the names are tools and which, it follows, are images; None stays all."""
    if names is None:
        return None, None
    known = Workshop().catalogue.tools
    return [name for name in names if name in known], [name for name in names if name not in known]


@app.command("list")
def list_command() -> None:
    """Print every image and tool with its upstream reference."""
    workshop = Workshop()
    planner = workshop.planner()
    for name, image in workshop.catalogue.images.items():
        print(f"{name}\timage, {image.role}\t{planner.reference(name)}")
    for name, tool in workshop.catalogue.tools.items():
        print(f"{name}\ttool{', tests only' if tool.test_only else ''}\t{tool.pulumi_plugin or tool.binary}")


@app.command("plan")
def plan_command(names: Names = None, source: Source = None) -> None:
    """Print what `build` would do, how long it takes and what disk it needs."""
    tools = None if names is None else ()
    wanted = plan(tools=tools, images=names, engine_env=_engine_env(), source=source)
    for job in wanted.jobs:
        print(f"{job.id}\t{job.seconds:.0f} s")
    print(
        f"{len(wanted.jobs)} jobs, about {wanted.seconds / 60:.1f} min, disk "
        f"{wanted.peak_mb / 1000:.1f} GB at the peak, {wanted.rest_mb / 1000:.1f} GB at rest"
    )


@app.command("build")
def build_command(
    names: Names = None,
    source: Source = None,
    tools_only: Annotated[
        bool,
        typer.Option(
            "--tools",
            help="Only tools and what images are built from; with names, only those. Needs no engine.",
        ),
    ] = False,
    install: Annotated[bool, typer.Option("--install", help="As root, install what builds need.")] = False,
) -> None:
    """Have tools and images ready; with names, only those images, or with --tools those tools and parts."""
    if install:
        install_packages(missing_packages("build"))
    if tools_only:
        tools, built_from = _split(names)
        parts = [] if built_from == [] else parts_of_images(built_from, source=source)
        ready = ensure(tools=tools, files=parts, source=source)
    else:
        tools = None if names is None else ()
        ready = ensure(tools=tools, images=names, engine_env=_engine_env(), source=source)
    for tool, path in ready.tools.items():
        print(f"{tool}\t{path}")
    for image, reference in ready.images.items():
        print(f"{image}\t{reference}")


@app.command("verify")
def verify_command() -> None:
    """Compare everything in the cache with the checksums it was made with."""
    problems = verify_entries()
    for problem in problems:
        print(problem)
    if problems:
        raise TidegateError(
            f"{len(problems)} cache entries are not what they were",
            where=str(cache_dir()),
            cure="run `tidegate images build`, which makes them again",
        )
    print(f"all entries in {cache_dir()} are whole")


@app.command("clean")
def clean_command(
    everything: Annotated[bool, typer.Option("--all", help="Also what the current catalogue uses.")] = False,
) -> None:
    """Remove cache entries and images that the catalogue no longer uses, and scratch folders."""
    workshop = Workshop()
    print(f"freed {clean_cache(workshop, everything=everything) / 1e6:.0f} MB of the cache")
    engine = find_engine()
    for reference in clean_images(workshop, Docker(engine.env())) if engine is not None else ():
        print(f"removed {reference}")
