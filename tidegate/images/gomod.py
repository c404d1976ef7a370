"""Read the pins of a Go module: what `go.mod` selects and what `go.sum` vouches for."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from tidegate.errors import TidegateError


@dataclass(frozen=True)
class Pin:
    """One module as the build uses it.

    Args:
        path: module path, after replacement.
        version: exact version.
        sum: the `h1:` checksum of its content.
    """

    path: str
    version: str
    sum: str


@dataclass(frozen=True)
class GoPins:
    """A `go.mod` and its `go.sum`."""

    file: Path
    required: dict[str, str]
    replaced: dict[str, tuple[str, str]]
    sums: dict[tuple[str, str], str]

    def pin(self, module: str) -> Pin:
        """Return the pin of `module`.

        Raises:
            TidegateError: go.mod does not name it, or go.sum has no checksum of its content.
        """
        path, version = self.replaced.get(module, (module, self.required.get(module, "")))
        if not version:
            raise TidegateError(
                f"module {module} is not required", where=str(self.file), cure="add a require line"
            )
        checksum = self.sums.get((path, version))
        if checksum is None:
            raise TidegateError(
                f"{path} {version} has no checksum",
                where=str(self.file.with_name("go.sum")),
                cure="commit its h1: line",
            )
        return Pin(path, version, checksum)

    def version_of(self, package: str) -> str | None:
        """Return the version of the required module that holds `package`; None when it is our own."""
        holders = [path for path in self.required if package == path or package.startswith(f"{path}/")]
        if not holders:
            return None
        module = max(holders, key=len)
        return self.replaced.get(module, (module, self.required[module]))[1]


def read_pins(folder: Path) -> GoPins:
    """Read `go.mod` and `go.sum` in `folder`.

    Raises:
        TidegateError: one of them is missing.
    """
    mod, sums = folder / "go.mod", folder / "go.sum"
    for file in (mod, sums):
        if not file.is_file():
            raise TidegateError("a Go group has no such file", where=str(file), cure="commit it")
    required: dict[str, str] = {}
    replaced: dict[str, tuple[str, str]] = {}
    block = ""
    for raw in mod.read_text().splitlines():
        line = raw.split("//")[0].strip()
        if line.endswith("("):
            block = line[:-1].strip()
            continue
        if line == ")":
            block = ""
            continue
        words = line.split() if block else line.split()[1:]
        verb = block or (line.split()[0] if line else "")
        if verb == "require" and len(words) == 2:
            required[words[0]] = words[1]
        elif verb == "replace" and "=>" in words:
            arrow = words.index("=>")
            if len(words) == arrow + 3:
                replaced[words[0]] = (words[arrow + 1], words[arrow + 2])
    checks: dict[tuple[str, str], str] = {}
    for raw in sums.read_text().splitlines():
        fields = raw.split()
        if len(fields) == 3 and not fields[1].endswith("/go.mod"):
            checks[fields[0], fields[1]] = fields[2]
    return GoPins(mod, required, replaced, checks)
