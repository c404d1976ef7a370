"""C sources of a Go module that become objects beside our own main."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tidegate.errors import TidegateError
from tidegate.host.paths import project_root
from tidegate.images.catalogue import load_catalogue
from tidegate.images.keys import Keys
from tidegate.images.model import ModuleFile
from tidegate.images.modules import place

pytestmark = pytest.mark.skipif(shutil.which("cc") is None, reason="no C compiler")


def test_it_is_compiled_and_not_linked(tmp_path: Path) -> None:
    (tmp_path / "clock.c").write_text("int answer(void) { return 42; }\n")
    item = ModuleFile(module="example.com/m", path="clock.c", compile=True)
    place(item, tmp_path, tmp_path / "out" / "clock.o")
    head = (tmp_path / "out" / "clock.o").read_bytes()[:20]
    relocatable = 1  # e_type ET_REL, ELF specification
    assert head[:4] == b"\x7fELF"
    assert int.from_bytes(head[16:18], "little") == relocatable


def test_what_does_not_compile_is_named(tmp_path: Path) -> None:
    (tmp_path / "clock.c").write_text("int answer(void) { return }\n")
    item = ModuleFile(module="example.com/m", path="clock.c", compile=True)
    with pytest.raises(TidegateError, match="cc"):
        place(item, tmp_path, tmp_path / "clock.o")


def test_whether_it_is_compiled_decides_the_key_and_changes_no_other() -> None:
    root = project_root()
    catalogue = load_catalogue(root)
    keys = Keys(root, catalogue)
    daemon = catalogue.go["chaos-daemon"].binaries["chaos-daemon"]
    copied = {to: item.model_copy(update={"compile": False}) for to, item in daemon.embed.items()}
    binaries = {"chaos-daemon": daemon.model_copy(update={"embed": copied})}
    group = catalogue.go["chaos-daemon"].model_copy(update={"binaries": binaries})
    other = Keys(root, catalogue.model_copy(update={"go": {**catalogue.go, "chaos-daemon": group}}))
    assert keys.made("chaos-daemon") != other.made("chaos-daemon")
    assert keys.made("pulumi-resource-kubernetes") == other.made("pulumi-resource-kubernetes")
