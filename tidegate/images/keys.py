"""The key of each entry: a hash over everything that decides what is made, and over nothing else.

Costs, version labels and the order of entries are not inputs. The machine's architecture is.
"""

from __future__ import annotations

import platform
from collections.abc import Callable
from functools import cached_property
from pathlib import Path

from tidegate.errors import TidegateError
from tidegate.images.digest import of_file, of_json, of_tree
from tidegate.images.gobuild import is_local
from tidegate.images.gomod import GoPins, read_pins
from tidegate.images.model import Catalogue, From, GoGroup, ModuleFile, Pip
from tidegate.images.sbom import NAME
from tidegate.images.wheelhouse import requirements

GO_FORMAT = 1
"""Raise it when the way Go programs are built changes their content."""
BASE_FORMAT = 1
"""Raise it when the way root filesystems are made changes their content."""
IMAGE_FORMAT = 1
"""Raise it when the way images are built changes their content."""


class Keys:
    """Keys of one catalogue's entries, each computed once.

    Args:
        root: the project's folder.
        catalogue: its catalogue.
    """

    def __init__(self, root: Path, catalogue: Catalogue) -> None:
        self._root = root
        self._catalogue = catalogue
        self._known: dict[str, str] = {}
        self._pins: dict[str, GoPins] = {}

    @cached_property
    def makers(self) -> dict[str, tuple[str, str]]:
        """What makes each named file: the kind of entry (go, files, wheel, c) and the entry's name."""
        found: dict[str, tuple[str, str]] = {}
        for group_name, group in self._catalogue.go.items():
            found |= dict.fromkeys(group.binaries, ("go", group_name))
            found |= dict.fromkeys(group.files, ("files", group_name))
        for wheel_name, wheel in self._catalogue.wheels.items():
            found |= dict.fromkeys(wheel.files, ("wheel", wheel_name))
        return found | {name: ("c", name) for name in self._catalogue.c}

    def folder(self, group: GoGroup) -> Path:
        """Return where a Go group's pins lie."""
        return self._root / "images" / "go" / group.folder

    def pins(self, group_name: str) -> GoPins:
        """Return a Go group's pins."""
        if group_name not in self._pins:
            self._pins[group_name] = read_pins(self.folder(self._catalogue.go[group_name]))
        return self._pins[group_name]

    def made(self, name: str) -> str:
        """Return the key of a named file: a Go program, files of a module, a wheel's file or a C program."""
        kind, entry = self.makers[name]
        computed: dict[str, Callable[[], str]] = {
            "go": lambda: self._go(entry, name),
            "files": lambda: self._module_file(entry, self._catalogue.go[entry].files[name]),
            "wheel": lambda: self._wheel(entry, name),
            "c": lambda: of_json(
                ["c", platform.machine(), of_file(self._image_file(self._catalogue.c[name].file))]
            ),
        }
        return self._once(f"made:{name}", computed[kind])

    def base(self, name: str) -> str:
        """Return the key of a root filesystem."""
        base = self._catalogue.bases[name]
        return self._once(
            f"base:{name}", lambda: of_json(["base", BASE_FORMAT, platform.machine(), base.suite])
        )

    def image(self, name: str) -> str:
        """Return the key of an image's recipe, with all it is made from."""
        return self._once(f"image:{name}", lambda: self._image(name))

    def _once(self, name: str, compute: Callable[[], str]) -> str:
        if name not in self._known:
            self._known[name] = compute()
        return self._known[name]

    def _image_file(self, path: str) -> Path:
        file = self._root / "images" / path
        if not file.exists():
            raise TidegateError("the catalogue names a file that is not there", where=str(file))
        return file

    def _go(self, group_name: str, name: str) -> str:
        group = self._catalogue.go[group_name]
        binary = group.binaries[name]
        folder = self.folder(group)
        self.pins(group_name)
        own = of_tree(folder / binary.package) if is_local(binary.package) else ""
        return of_json(
            {
                "format": GO_FORMAT,
                "machine": platform.machine(),
                "toolchain": self._catalogue.toolchain.version,
                "mod": of_file(folder / "go.mod"),
                "sum": of_file(folder / "go.sum"),
                "package": binary.package,
                "own": own,
                "embed": {to: self._module_file(group_name, item) for to, item in binary.embed.items()},
                "flags": [binary.cgo, binary.ldflags, list(binary.tags)],
            }
        )

    def _module_file(self, group_name: str, item: ModuleFile) -> str:
        pin = self.pins(group_name).pin(item.module)
        compiled = ["object"] if item.compile else []  # absent otherwise: no other key may change with it
        return of_json(["module", pin.path, pin.version, pin.sum, item.path, item.json_set, *compiled])

    def _wheel(self, entry: str, name: str) -> str:
        wheel = self._catalogue.wheels[entry]
        checksum = wheel.sha256.get(platform.machine(), "")
        return of_json(["wheel", wheel.package, wheel.version, checksum, wheel.files[name]])

    def _context(self, item: From) -> str:
        if item.wheels is not None:
            return self.wheels(item.wheels)
        if item.project is not None:
            path = self._root / item.project
            if not path.exists():
                raise TidegateError("the catalogue names a file that is not there", where=str(path))
            return of_tree(path)
        return self.made(item.binary or item.files or "")

    def wheels(self, pip: Pip) -> str:
        """Return the key of a dependency group's wheels."""
        return self._once(
            f"wheels:{pip.group}:{pip.python}",
            # The name of the bill beside them: an entry from before there was one is another entry.
            lambda: of_json(["wheels", NAME, platform.machine(), pip.python, requirements(self._root, pip)]),
        )

    def _image(self, name: str) -> str:
        recipe = self._catalogue.images[name].recipe
        folder = self._image_file(recipe.dockerfile)
        if not (folder / "Dockerfile").is_file():
            raise TidegateError("a recipe has no Dockerfile", where=str(folder))
        on = recipe.on
        return of_json(
            {
                "format": IMAGE_FORMAT,
                "machine": platform.machine(),
                "folder": of_tree(folder),
                "on": "" if on is None else self.base(on) if on in self._catalogue.bases else self.image(on),
                "context": {to: self._context(item) for to, item in recipe.context.items()},
                "args": recipe.args,
                "entrypoint": list(recipe.entrypoint),
                "holds": [
                    (self._catalogue.images[other].reference, self.image(other)) for other in recipe.holds
                ],
            }
        )
