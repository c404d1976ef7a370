"""Command-line tools: an installed one that will do, or one built here and linked."""

from __future__ import annotations

import os
import re
import shutil
from collections.abc import Sequence
from pathlib import Path

from tidegate.errors import TidegateError
from tidegate.host.paths import bin_dir, state_dir
from tidegate.images.model import Catalogue, Source, Tool
from tidegate.images.planner import Planner
from tidegate.proc import run

_BUILT_MARK = ".built-by-tidegate"
"""Tells a plugin of ours from one that Pulumi has installed: only the former can be out of date."""
_VERSION = re.compile(r"v?(\d+)\.(\d+)(?:\.(\d+))?")
_BOUND = re.compile(r"(>=|<)(\d+(?:\.\d+)*)")


def wanted_tools(catalogue: Catalogue, names: Sequence[str] | None) -> list[str]:
    """Return the tools meant: those named, or all that a deployment uses.

    Raises:
        TidegateError: a name is not in the catalogue.
    """
    if names is None:
        return [name for name, tool in catalogue.tools.items() if not tool.test_only]
    for name in names:
        if name not in catalogue.tools:
            raise TidegateError(
                f"there is no tool {name!r} in the catalogue",
                cure=f"choose from {', '.join(catalogue.tools)}",
            )
    return list(names)


def accepted(version: str, accept: str) -> bool:
    """Whether a version lies within bounds such as `>=1.35,<1.38`."""
    said = _VERSION.search(version)
    if said is None:
        return False
    have = [int(part or 0) for part in said.groups()]
    for sign, text in _BOUND.findall(accept):
        bound = [int(part) for part in text.split(".")]
        part = have[: len(bound)]
        if (sign == ">=" and part < bound) or (sign == "<" and part >= bound):
            return False
    return True


def usable(name: str, tool: Tool, source: Source, *, fetch: bool = True) -> Path | None:
    """Return an installed tool that will do, or None when one has to be built.

    A tool with companions (Pulumi with its language host) is taken only when they are installed too.

    Args:
        name: the tool.
        tool: its entry.
        source: where tools come from.
        fetch: whether Pulumi may install a plugin that is missing, where the source is `registry`.

    Raises:
        TidegateError: the source is `registry` and none is installed.
    """
    if source == "packages":
        return None
    if tool.pulumi_plugin is not None:
        return _installed_plugin(tool.pulumi_plugin, tool.binary, fetch=fetch and source == "registry")
    places = [shutil.which(item, path=_path_without_ours()) for item in (name, *tool.beside)]
    program = places[0]
    if program is not None and all(places) and tool.accept is not None:
        said = run([program, *tool.version_command], timeout_s=60, check=False)
        if accepted(said.stdout + said.stderr, tool.accept):
            return Path(program)
    if source == "registry":
        raise TidegateError(
            f"{name} {tool.accept or ''} is not installed", cure="install it, or use --source packages"
        )
    return None


def _path_without_ours() -> str:
    ours = str(bin_dir())
    return os.pathsep.join(
        part for part in os.environ.get("PATH", "").split(os.pathsep) if part and part != ours
    )


def plugin_folder(plugin: str) -> Path:
    """Return where Pulumi looks for a plugin of ours."""
    return state_dir() / "pulumi" / "home" / "plugins" / plugin


def _installed_plugin(plugin: str, binary: str, *, fetch: bool) -> Path | None:
    place = plugin_folder(plugin) / binary
    if place.exists() and not (place.parent / _BUILT_MARK).exists():
        return place
    if not fetch:
        return None
    kind, _, rest = plugin.partition("-")
    name, _, version = rest.rpartition("-v")
    run(
        ["pulumi", "plugin", "install", kind, name, version],
        env={
            **os.environ,
            "PATH": _path_without_ours(),
            "PULUMI_HOME": str(state_dir() / "pulumi" / "home"),
        },
        timeout_s=600,
    )
    return place


def link_tool(tool: Tool, planner: Planner) -> Path:
    """Put a tool that was built where it is looked for; return its place there.

    By hard links, or copies on another disk: Pulumi's language host looks for its companions beside its real
    file, and so would not find them behind a symbolic link.
    """
    folder = plugin_folder(tool.pulumi_plugin) if tool.pulumi_plugin is not None else bin_dir()
    folder.mkdir(parents=True, exist_ok=True)
    for item in (tool.binary, *tool.beside):
        target, place = planner.path(item), folder / item
        target.chmod(target.stat().st_mode | 0o555)
        if place.exists() and not place.is_symlink() and place.samefile(target):
            continue
        draft = folder / f".{item}.new"
        draft.unlink(missing_ok=True)
        try:
            draft.hardlink_to(target)
        except OSError:
            shutil.copy2(target, draft)
        draft.replace(place)
    if tool.pulumi_plugin is not None:
        (folder / _BUILT_MARK).touch()
    return folder / tool.binary
