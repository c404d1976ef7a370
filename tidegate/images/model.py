"""What `images/catalogue.yaml` may say.

Entries come in two layers. Building blocks are made outside a container engine and cached by content: Go
binaries, files out of Go modules, files out of Python wheels, C programs, base root filesystems. Tools and
images name the building blocks they are made from, and the upstream artefact they stand for.
"""

from __future__ import annotations

import re
from typing import Annotated, Literal, Self

from pydantic import AfterValidator, Field, model_validator

from tidegate.models.base import Count, Model, Seconds, Unit

Source = Literal["auto", "registry", "packages"]
"""`registry`: upstream's own artefact. `packages`: built here. `auto`: the first where it answers."""

Role = Literal["cluster", "option", "part", "base"]
"""`cluster`: every deployment runs it. `option`: one whose stack asks for it does. `part`: it lives inside
the node image. `base`: others build on it."""

Megabytes = Annotated[int, Unit("whole megabytes (10^6 bytes)", "250"), Field(ge=0)]

_NAME = re.compile(r"[a-z0-9][a-z0-9.-]*")
_SHA256 = re.compile(r"[0-9a-f]{64}")


def _relative(path: str) -> str:
    if path.startswith("/") or ".." in path.split("/") or not path:
        raise ValueError(f"{path!r} is not a path below its folder")
    return path


def _name(name: str) -> str:
    if not _NAME.fullmatch(name):
        raise ValueError(f"{name!r} is not a name of lower-case letters, digits, dots and dashes")
    return name


def _sha256(value: str) -> str:
    if not _SHA256.fullmatch(value):
        raise ValueError(f"{value!r} is not a sha256 in hexadecimal")
    return value


RelativePath = Annotated[str, AfterValidator(_relative)]
Name = Annotated[str, AfterValidator(_name)]
Sha256 = Annotated[str, AfterValidator(_sha256)]


class Cost(Model):
    """What making an entry took on two cores, as measured; estimates and the order of work come from it."""

    seconds: Seconds = Field(ge=0, description="seconds of work on two otherwise idle cores")
    work_mb: Megabytes = Field(default=0, description="megabytes of scratch space, gone afterwards")
    result_mb: Megabytes = Field(default=0, description="megabytes that stay")


class ModuleFile(Model):
    """A file or folder taken from a Go module, unchanged, with top-level JSON keys set, or compiled."""

    module: str = Field(description="module path; its version is the one the folder's go.mod selects")
    path: RelativePath = Field(description="file or folder inside the module")
    json_set: dict[str, str] = Field(
        default={}, description="top-level keys to set; the JSON is then compacted"
    )
    compile: bool = Field(
        default=False, description="it is C that becomes a position-independent object, unlinked"
    )


class GoBinary(Model):
    """One program of a Go group."""

    package: str = Field(description="import path, or ./folder for a main of our own")
    embed: dict[RelativePath, ModuleFile] = Field(
        default={}, description="files put beside our own main before the build, by name"
    )
    cgo: bool = Field(default=False, description="whether C parts are compiled in")
    ldflags: str = Field(default="", description="linker flags beside -s -w")
    tags: tuple[str, ...] = Field(default=(), description="build tags")
    seconds: Seconds = Field(
        default=0, ge=0, description="seconds it adds on two cores after its group's others"
    )
    result_mb: Megabytes = Field(default=0, description="megabytes of the program")


class GoGroup(Model):
    """A Go module of pins (`images/go/<folder>`) and the programs built from it.

    One group shares one set of versions, so that what its programs have in common is compiled once.
    """

    folder: Name = Field(description="folder below images/go with go.mod and go.sum")
    binaries: dict[Name, GoBinary] = Field(default={}, description="programs by the name of the file made")
    files: dict[Name, ModuleFile] = Field(default={}, description="files and folders taken from its modules")
    versions: dict[str, str] = Field(default={}, description="versions to print on what is made from it")
    nosumdb: tuple[str, ...] = Field(
        default=(),
        description="modules the checksum database does not know; their go.sum lines are committed",
    )
    cost: Cost = Field(description="of the whole group, built at once")


class Wheel(Model):
    """Files out of one Python wheel from the package index."""

    package: str = Field(description="name on the index")
    version: str = Field(description="exact version")
    sha256: dict[str, Sha256] = Field(description="of the wheel, by machine (x86_64, aarch64)")
    files: dict[Name, RelativePath] = Field(description="path inside the wheel by the name of the file made")
    cost: Cost = Field(description="of downloading and unpacking")


class CProgram(Model):
    """A small static C program of our own."""

    file: RelativePath = Field(description="its source, below images/")
    cost: Cost = Field(default=Cost(seconds=1, result_mb=1), description="of compiling")


class Base(Model):
    """A minimal Debian root filesystem made by debootstrap."""

    suite: str = Field(description="Debian release name")
    cost: Cost = Field(description="of making and importing it")


class Pip(Model):
    """The wheels of one dependency group of this project, from its lock file."""

    group: str = Field(description="dependency group in pyproject.toml")
    python: str = Field(description="the interpreter's full version inside the image, as 3.11.2")


class From(Model):
    """Where one path of a build context comes from; exactly one of them is given."""

    binary: Name | None = Field(default=None, description="a Go binary, wheel file or C program")
    files: Name | None = Field(default=None, description="files of a Go group")
    project: RelativePath | None = Field(default=None, description="file or folder of this project")
    wheels: Pip | None = Field(default=None, description="wheels of a dependency group")

    @model_validator(mode="after")
    def _exactly_one(self) -> Self:
        given = [name for name in type(self).model_fields if getattr(self, name) is not None]
        if len(given) != 1:
            raise ValueError(
                f"needs exactly one of binary, files, project, wheels (has {', '.join(given) or 'none'})"
            )
        return self


class Recipe(Model):
    """How an image is built from packages."""

    dockerfile: Name = Field(description="folder below images/ with a Dockerfile; its files are the context")
    on: Name | None = Field(default=None, description="base or image given as build argument BASE")
    context: dict[RelativePath, From] = Field(default={}, description="context path to what is put there")
    args: dict[str, str] = Field(default={}, description="build arguments")
    entrypoint: tuple[str, ...] = Field(default=(), description="overrides the Dockerfile's")
    holds: tuple[Name, ...] = Field(
        default=(), description="images imported into the containerd inside (node image only)"
    )
    versions: dict[str, str] = Field(default={}, description="versions to print on the image")
    cost: Cost = Field(description="of the build, without what it is made from")


class Image(Model):
    """One image: the upstream reference that manifests use, and the recipe that stands in for it."""

    reference: str | None = Field(
        default=None, description="upstream repository:tag; none for our own, tagged by content"
    )
    role: Role = Field(default="cluster", description="who runs it")
    recipe: Recipe = Field(description="how it is built from packages")


class Tool(Model):
    """One command-line tool: a program, and companions that must lie beside it."""

    binary: Name = Field(description="the program")
    beside: tuple[Name, ...] = Field(default=(), description="programs and files linked beside it")
    accept: str | None = Field(
        default=None, description="versions of an installed one that will do, as >=1.35,<1.38"
    )
    version_command: tuple[str, ...] = Field(
        default=(), description="arguments that make it print its version"
    )
    pulumi_plugin: str | None = Field(
        default=None,
        description="it is this Pulumi plugin (as resource-kubernetes-v1.2.3), not a tool on PATH",
    )
    test_only: bool = Field(default=False, description="only the project's own tests need it")


class Toolchain(Model):
    """The Go toolchain that builds; another one on PATH only fetches it."""

    version: str = Field(pattern=r"^1\.\d+\.\d+$", description="exact Go release")
    bootstrap: Name = Field(description="entry of `wheels` with a `go` for machines that have none")


class Disk(Model):
    """What the cache and the engine may take together."""

    peak_gb: Count = Field(ge=1, description="gigabytes at any moment")
    rest_gb: Count = Field(ge=1, description="gigabytes once everything is made")
    go_work_gb: Count = Field(
        ge=1, description="gigabytes of Go's scratch folder at which its build cache is emptied"
    )


class Catalogue(Model):
    """The whole file."""

    source: Source = Field(
        default="auto", description="where images and tools come from unless told otherwise"
    )
    toolchain: Toolchain = Field(description="what compiles Go")
    disk: Disk = Field(description="limits")
    bases: dict[Name, Base] = Field(description="root filesystems")
    go: dict[Name, GoGroup] = Field(description="Go groups")
    wheels: dict[Name, Wheel] = Field(default={}, description="Python wheels")
    c: dict[Name, CProgram] = Field(default={}, description="C programs by the name of the file made")
    tools: dict[Name, Tool] = Field(description="command-line tools")
    images: dict[Name, Image] = Field(description="images")

    @model_validator(mode="after")
    def _names_resolve(self) -> Self:
        makers: dict[str, str] = {}
        for where, names in self._made().items():
            for name in names:
                if name in makers:
                    raise ValueError(f"{name!r} is made by both {makers[name]} and {where}")
                makers[name] = where
        for where, name in self._mentioned():
            if name not in makers:
                raise ValueError(f"{where} names {name!r}, which no entry makes")
        self._no_circles()
        if self.toolchain.bootstrap not in self.wheels:
            raise ValueError(
                f"toolchain.bootstrap names {self.toolchain.bootstrap!r}, which is not in wheels"
            )
        return self

    def _made(self) -> dict[str, list[str]]:
        made = {f"go.{name}": [*group.binaries, *group.files] for name, group in self.go.items()}
        made |= {f"wheels.{name}": list(wheel.files) for name, wheel in self.wheels.items()}
        return made | {"c": list(self.c)}

    def _mentioned(self) -> list[tuple[str, str]]:
        found: list[tuple[str, str]] = []
        for name, tool in self.tools.items():
            found += [(f"tools.{name}", item) for item in (tool.binary, *tool.beside)]
        for name, image in self.images.items():
            for path, item in image.recipe.context.items():
                if item.binary or item.files:
                    found.append((f"images.{name}.recipe.context.{path}", item.binary or item.files or ""))
        return found

    def _no_circles(self) -> None:
        for start in self.images:
            self._walk(start, ())

    def _walk(self, name: str, above: tuple[str, ...]) -> None:
        if name in above:
            raise ValueError(f"images are built on one another in a circle: {' on '.join((*above, name))}")
        recipe = self.images[name].recipe
        for other in (*((recipe.on,) if recipe.on else ()), *recipe.holds):
            if other in self.images:
                self._walk(other, (*above, name))
            elif other in recipe.holds or other not in self.bases:
                raise ValueError(f"images.{name} names {other!r}, which is neither an image nor a base")
