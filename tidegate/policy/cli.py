"""`tidegate policy show | diff | explain`."""

from __future__ import annotations

import json
from enum import StrEnum
from typing import Annotated, Any

import typer
import yaml
from pydantic import TypeAdapter
from rich.console import Console
from rich.table import Table
from rich.text import Text

from tidegate.host.paths import project_root
from tidegate.models import Policy
from tidegate.policy.effect import chart_values_of
from tidegate.policy.fields import Field, field, fields
from tidegate.policy.source import DEFAULT, read_policy

app = typer.Typer(
    name="policy", help="What decides scaling: look at it, compare, explain.", no_args_is_help=True
)

EXIT_DIFFERENT = 1
"""As of diff(1)."""


class Output(StrEnum):
    """How a result is printed."""

    TABLE = "table"
    YAML = "yaml"
    JSON = "json"


Source = Annotated[str, typer.Argument(help="A stack, a Run's folder, a stack's file, or `default`.")]
Format = Annotated[Output, typer.Option("--output", "-o", help="How to print the result.")]


@app.command()
def show(source: Source = "local", output: Format = Output.TABLE) -> None:
    """Print every field with its value, and the default where that was changed."""
    policy = read_policy(source, project_root())
    if output is not Output.TABLE:
        _dump(policy.model_dump(mode="json"), output)
        return
    table = Table(box=None, pad_edge=False, header_style="dim")
    for heading in ("field", "value", "default"):
        table.add_column(heading, overflow="fold")
    for each in fields(policy):
        style = "" if each.is_default else "bold"
        table.add_row(each.path, Text(each.text, style=style), "" if each.is_default else each.default_text)
    Console().print(table)


@app.command()
def diff(before: Source, after: Source = "local", output: Format = Output.TABLE) -> None:
    """Print the fields in which two policies differ. Exits 1 if they do, 0 if they do not."""
    root = project_root()
    pairs = list(_changed(read_policy(before, root), read_policy(after, root)))
    if output is Output.TABLE:
        table = Table(box=None, pad_edge=False, header_style="dim")
        for heading in ("field", before, after):
            table.add_column(heading, overflow="fold")
        for old, new in pairs:
            table.add_row(old.path, old.text, new.text)
        Console().print(table if pairs else "no difference")
    else:
        document = {old.path: {"before": _plain(old.value), "after": _plain(new.value)} for old, new in pairs}
        _dump(document, output)
    raise typer.Exit(EXIT_DIFFERENT if pairs else 0)


@app.command()
def explain(
    path: Annotated[str, typer.Argument(help="A field, as web.hpa.cpu_target_percent.")],
    source: Annotated[str, typer.Option("--of", help="Whose value to show: as for `show`.")] = "local",
) -> None:
    """Tell what a field does, its unit and range, and which values of the chart follow from it."""
    policy = read_policy(source, project_root())
    found = field(policy, path)
    table = Table(box=None, pad_edge=False, show_header=False)
    table.add_column(style="dim")
    table.add_column(overflow="fold")
    for heading, said in _told(policy, found, source):
        table.add_row(heading, said)
    Console().print(table)


def _told(policy: Policy, found: Field, source: str) -> list[tuple[str, str]]:
    told = [(found.path, found.reason), (f"in {source}", found.text)]
    if source != DEFAULT:
        told.append(("default", found.default_text))
    if found.unit:
        told.append(("unit", found.unit))
    if found.least is not None and found.most is not None:
        told.append(("range", f"{found.least:g} to {found.most:g}"))
    chart = chart_values_of(policy, found)
    told += [("chart value", f"{key}: {json.dumps(value)}") for key, value in chart.items()]
    return told


def _changed(before: Policy, after: Policy) -> list[tuple[Field, Field]]:
    pairs = zip(fields(before), fields(after), strict=True)
    return [(old, new) for old, new in pairs if old.value != new.value]


def _plain(value: object) -> object:
    """A field's value as JSON has it."""
    return json.loads(TypeAdapter(object).dump_json(value))


def _dump(document: dict[str, Any], output: Output) -> None:
    text = (
        json.dumps(document, indent=2) if output is Output.JSON else yaml.safe_dump(document, sort_keys=False)
    )
    typer.echo(text.rstrip())
