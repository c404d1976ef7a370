"""`tidegate images`: look at the catalogue, build from it, check and clean what was built."""

from __future__ import annotations

from typing import Annotated

import typer
from rich.console import Console
from rich.table import Table

from tidegate.errors import TidegateError
from tidegate.host.paths import cache_dir
from tidegate.images.disk import peak_mb, rest_mb
from tidegate.images.ensure import ensure
from tidegate.images.estimate import estimate_s
from tidegate.images.planner import wanted_images
from tidegate.images.schedule import slots
from tidegate.images.store import entries, remove
from tidegate.images.store import verify as verify_entries
from tidegate.images.tools import wanted_tools
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


@app.command("list")
def list_command() -> None:
    """Print every image and tool with its upstream reference."""
    workshop = Workshop()
    planner = workshop.planner()
    table = Table("name", "what", "reference or program", box=None)
    for name, image in workshop.catalogue.images.items():
        table.add_row(name, f"image, {image.role}", planner.reference(name))
    for name, tool in workshop.catalogue.tools.items():
        table.add_row(name, "tool", tool.pulumi_plugin or tool.binary)
    Console().print(table)


@app.command("plan")
def plan_command(names: Names = None, source: Source = None) -> None:
    """Print what `build` would do, how long it takes and what disk it needs."""
    workshop = Workshop(source=source, engine=_engine_env())
    planner = workshop.planner()
    for name in wanted_images(workshop.catalogue, names):
        planner.image(name)
    if names is None:
        for name in wanted_tools(workshop.catalogue, None):
            for item in (workshop.catalogue.tools[name].binary, *workshop.catalogue.tools[name].beside):
                planner.made(item)
    jobs = planner.jobs()
    for job in jobs:
        print(f"{job.id}\t{job.seconds:.0f} s")
    limits = workshop.catalogue.disk
    print(
        f"{len(jobs)} jobs, about {estimate_s(jobs, slots()) / 60:.1f} min, disk "
        f"{peak_mb(jobs, limits) / 1000:.1f} GB at the peak, {rest_mb(jobs) / 1000:.1f} GB at rest"
    )


@app.command("build")
def build_command(names: Names = None, source: Source = None) -> None:
    """Have tools and images ready; with names, only those images."""
    ready = ensure(tools=None if names is None else (), images=names, engine_env=_engine_env(), source=source)
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
    """Remove cache entries that the current catalogue no longer uses, and scratch folders."""
    workshop = Workshop()
    keys = workshop.keys
    current = {workshop.planner().entry(name).path for name in keys.makers}
    freed = 0
    for area in ("bin", "modules", "wheels"):
        for path, manifest in entries(area):
            if everything or (path not in current and area != "wheels"):
                freed += sum(record.size for record in manifest.files.values()) if manifest else 0
                remove(path)
    remove(cache_dir() / "making")
    print(f"freed {freed / 1e6:.0f} MB")
