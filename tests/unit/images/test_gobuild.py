"""How Go is asked to build, and how its pins are read."""

from __future__ import annotations

from pathlib import Path

import pytest

from tidegate.errors import TidegateError
from tidegate.images.gobuild import batches, build_command, executable_name, made_by
from tidegate.images.gomod import read_pins
from tidegate.images.gotool import go_env, work_dir
from tidegate.images.model import GoBinary, ModuleFile
from tidegate.images.modules import place


@pytest.mark.parametrize(
    ("package", "name"),
    [
        ("k8s.io/kubernetes/cmd/kubectl", "kubectl"),
        ("go.etcd.io/etcd/server/v3", "server"),
        ("sigs.k8s.io/kind", "kind"),
        ("example.test/v2", "example.test"),
    ],
)
def test_the_name_go_gives_a_program(package: str, name: str) -> None:
    assert executable_name(package) == name


def test_programs_with_the_same_settings_are_built_at_once() -> None:
    binaries = {
        "one": GoBinary(package="example.test/cmd/one", ldflags="-X a.b=1"),
        "two": GoBinary(package="example.test/cmd/two"),
        "tagged": GoBinary(package="example.test/cmd/tagged", tags=("netgo", "small")),
        "c": GoBinary(package="example.test/cmd/c", cgo=True),
        "twin": GoBinary(package="example.test/other/one"),
        "own": GoBinary(package="./own"),
    }
    found = [list(batch) for batch in batches(binaries)]
    assert found == [["one", "two"], ["tagged"], ["c"], ["twin"], ["own"]]


def test_each_program_of_a_batch_keeps_its_own_linker_flags() -> None:
    batch = {
        "one": GoBinary(package="example.test/cmd/one", ldflags="-X a.b=1"),
        "two-renamed": GoBinary(package="example.test/cmd/two"),
    }
    command = build_command(Path("go"), Path("/out"), batch)
    assert "-ldflags=example.test/cmd/one=-s -w -X a.b=1" in command
    assert "-ldflags=example.test/cmd/two=-s -w" in command
    assert command[command.index("-o") + 1] == "/out/"
    assert command[-2:] == ["example.test/cmd/one", "example.test/cmd/two"]
    assert made_by(Path("/out"), batch) == {"one": Path("/out/one"), "two-renamed": Path("/out/two")}


def test_a_single_program_gets_its_name_at_once() -> None:
    batch = {"etcd": GoBinary(package="go.etcd.io/etcd/server/v3", tags=("a", "b"))}
    command = build_command(Path("go"), Path("/out"), batch)
    assert command[command.index("-o") + 1] == "/out/etcd"
    assert command[command.index("-tags") + 1] == "a,b"
    assert made_by(Path("/out"), batch) == {"etcd": Path("/out/etcd")}


def test_a_build_takes_nothing_of_the_users_go_settings_but_its_network(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("GOFLAGS", "-mod=mod -race")
    monkeypatch.setenv("GOOS", "plan9")
    monkeypatch.setenv("GOPROXY", "https://proxy.example")
    monkeypatch.setenv("GONOSUMDB", "corp.example/*")
    env = go_env("1.26.8", nosumdb=("example.test/a",))
    assert "-mod=readonly" in env["GOFLAGS"]
    assert "-race" not in env["GOFLAGS"]
    assert "GOOS" not in env
    assert env["GOPROXY"] == "https://proxy.example"
    assert env["GONOSUMDB"] == "corp.example/*,example.test/a"
    assert env["GOTOOLCHAIN"] == "go1.26.8"
    assert env["CGO_ENABLED"] == "0"
    assert go_env("1.26.8", cgo=True)["CGO_ENABLED"] == "1"
    assert Path(env["GOCACHE"]).is_relative_to(work_dir())
    assert Path(env["GOMODCACHE"]).is_relative_to(work_dir())


GO_MOD = """module tidegate.invalid/images

go 1.26.0

require example.test/single v1.0.0 // a comment

require (
	example.test/block v2.0.0
	example.test/block/sub v0.1.0 // indirect
)

replace example.test/single => example.test/fork v1.0.1
replace (
	example.test/block/sub v0.1.0 => example.test/block/sub v0.2.0
)
"""
GO_SUM = """example.test/fork v1.0.1 h1:fork=
example.test/fork v1.0.1/go.mod h1:forkmod=
example.test/block v2.0.0/go.mod h1:blockmod=
example.test/block/sub v0.2.0 h1:sub=
"""


def test_pins_follow_replacements_and_need_a_checksum(tmp_path: Path) -> None:
    (tmp_path / "go.mod").write_text(GO_MOD)
    (tmp_path / "go.sum").write_text(GO_SUM)
    pins = read_pins(tmp_path)
    single = pins.pin("example.test/single")
    assert (single.path, single.version, single.sum) == ("example.test/fork", "v1.0.1", "h1:fork=")
    assert pins.pin("example.test/block/sub").version == "v0.2.0"
    with pytest.raises(TidegateError, match=r"block v2\.0\.0 has no checksum \(.*go\.sum\)"):
        pins.pin("example.test/block")
    with pytest.raises(TidegateError, match=r"example\.test/none is not required"):
        pins.pin("example.test/none")
    assert pins.version_of("example.test/block/sub/cmd/x") == "v0.2.0"
    assert pins.version_of("example.test/block/cmd/x") == "v2.0.0"
    assert pins.version_of("./own") is None


def test_files_of_a_module_are_copied_writable(tmp_path: Path) -> None:
    module = tmp_path / "module"
    (module / "charts" / "deep").mkdir(parents=True)
    (module / "charts" / "deep" / "a.yaml").write_text("a: 1\n")
    (module / "run").write_text("#!/bin/sh\n")
    (module / "schema.json").write_text('{\n "version": "0", "é": [1, 2]\n}\n')
    for file in module.rglob("*"):
        file.chmod(0o555 if file.is_dir() else 0o444)
    place(ModuleFile(module="m", path="charts"), module, tmp_path / "to" / "charts")
    copy = tmp_path / "to" / "charts" / "deep" / "a.yaml"
    assert copy.read_text() == "a: 1\n"
    assert copy.stat().st_mode & 0o200
    place(ModuleFile(module="m", path="run"), module, tmp_path / "to" / "run")
    assert (tmp_path / "to" / "run").stat().st_mode & 0o111
    wanted = ModuleFile(module="m", path="schema.json", json_set={"version": "4.25.0"})
    place(wanted, module, tmp_path / "to" / "schema.json")
    assert (tmp_path / "to" / "schema.json").read_text() == '{"version":"4.25.0","é":[1,2]}'
    with pytest.raises(TidegateError, match="has no gone"):
        place(ModuleFile(module="m", path="gone"), module, tmp_path / "to" / "gone")
