"""A real Go program through the real machinery: pinned, cached, checked, interrupted, without any network."""

from __future__ import annotations

import base64
import hashlib
import os
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path

import pytest
import yaml

from tidegate.errors import TidegateError
from tidegate.images import ensure_files, ensure_programs, ensure_tools, module_files
from tidegate.proc import run

pytestmark = pytest.mark.integration

ENSURE = "from tidegate.images import ensure_tools\nprint(ensure_tools(None, source='packages')['hello'])"


def ensure() -> Path:
    return ensure_tools(None, source="packages")["hello"]


@pytest.fixture
def go_calls(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with one line for every call of `go`, which still does all the work."""
    calls, folder = tmp_path / "calls", tmp_path / "wrap"
    folder.mkdir()
    real = shutil.which("go")
    wrapper = folder / "go"
    wrapper.write_text(f'#!/bin/sh\necho "$@" >> {calls}\nexec {real} "$@"\n')
    wrapper.chmod(0o755)
    calls.write_text("")
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return calls


def builds(calls: Path) -> int:
    return sum(line.startswith("build ") for line in calls.read_text().splitlines())


def test_it_is_built_once_linked_and_kept(go_calls: Path, cache: Path, tmp_path: Path) -> None:
    link = ensure()
    assert link == tmp_path / "state" / "bin" / "hello"
    assert run([link]).stderr == "hello-from-flags\n"
    assert not (cache / "go-work").exists()
    assert [path.name for path in (cache / "making").iterdir()] == []
    assert builds(go_calls) == 1
    before = go_calls.read_text()
    assert ensure() == link
    assert builds(go_calls) == 1
    assert len(go_calls.read_text()) - len(before) <= len("version\n")


def test_a_program_that_is_no_tool_is_found_or_made(root: Path, cache: Path) -> None:
    with pytest.raises(TidegateError, match="not in the cache: hello"):
        ensure_programs(["hello"], make=False)
    path = ensure_programs(["hello"])["hello"]
    assert cache in path.parents
    assert run([path]).stderr.strip() == "hello-from-flags"
    assert ensure_programs(["hello"], make=False) == {"hello": path}


def test_a_spoilt_entry_is_named_and_made_again(root: Path, capsys: pytest.CaptureFixture[str]) -> None:
    program = ensure().resolve()
    good = program.read_bytes()
    program.write_bytes(good[:-1000])
    capsys.readouterr()
    assert run([ensure()]).stderr == "hello-from-flags\n"
    said = " ".join(capsys.readouterr().err.split())
    assert "hello has changed since it was made. Cure: none needed" in said
    assert program.read_bytes() == good


def test_a_change_of_the_source_makes_a_new_one_beside_the_old(root: Path, cache: Path) -> None:
    old = ensure().stat().st_ino
    main = root / "images/go/hello/main.go"
    main.write_text(main.read_text().replace("println(greeting)", 'println(greeting, "again")'))
    new = ensure()
    assert run([new]).stderr == "hello-from-flags again\n"
    assert new.stat().st_ino != old
    assert len(list((cache / "bin").iterdir())) == 2


def test_what_does_not_compile_is_one_line_with_the_compilers_word(root: Path, cache: Path) -> None:
    (root / "images/go/hello/main.go").write_text("package main\n\nfunc main() { missing() }\n")
    with pytest.raises(TidegateError, match=r"go:hello: .*undefined: missing \(.*go-hello\.log\)") as caught:
        ensure()
    assert "\n" not in str(caught.value)
    assert list((cache / "bin").glob("*")) == []
    # What was compiled so far serves the next attempt.
    assert (cache / "go-work").exists()


def children_of(text: str) -> list[int]:
    found: list[int] = []
    for path in Path("/proc").glob("[0-9]*"):
        try:
            words = (path / "cmdline").read_bytes().decode(errors="replace")
        except OSError:
            continue
        if text in words and path.name != str(os.getpid()):
            found.append(int(path.name))
    return found


@pytest.mark.parametrize("sign", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_build_leaves_no_half_entry_and_no_process(
    root: Path, cache: Path, sign: signal.Signals
) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", ENSURE], cwd=root, stderr=subprocess.DEVNULL, stdout=subprocess.DEVNULL
    )
    deadline_s = time.monotonic() + 120
    while not list((cache / "go-work" / "build").glob("*/*")):
        assert process.poll() is None, "it ended before anything was compiled"
        assert time.monotonic() < deadline_s
        time.sleep(0.02)
    process.send_signal(sign)
    assert process.wait(timeout=60) != 0
    assert children_of(str(cache)) == []
    assert list((cache / "bin").glob("*")) == []
    assert run([ensure()]).stderr == "hello-from-flags\n"
    assert not (cache / "go-work").exists()


def test_two_commands_at_once_build_it_once(root: Path, go_calls: Path) -> None:
    both = [
        subprocess.Popen([sys.executable, "-c", ENSURE], cwd=root, stdout=subprocess.PIPE, text=True)
        for _ in range(2)
    ]
    said = [process.communicate(timeout=300)[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    assert said[0] == said[1]
    assert builds(go_calls) == 1


def module_proxy(folder: Path, path: str, version: str, files: dict[str, str]) -> str:
    """Write a module the way a proxy serves it; return its checksum as go.sum has it."""
    place = folder / path / "@v"
    place.mkdir(parents=True)
    files = {"go.mod": f"module {path}\n\ngo 1.21\n", **files}
    (place / f"{version}.mod").write_text(files["go.mod"])
    (place / f"{version}.info").write_text(f'{{"Version": "{version}"}}')
    lines: list[str] = []
    with zipfile.ZipFile(place / f"{version}.zip", "w") as archive:
        for name in sorted(files):
            full = f"{path}@{version}/{name}"
            archive.writestr(full, files[name])
            lines.append(f"{hashlib.sha256(files[name].encode()).hexdigest()}  {full}\n")
    total = hashlib.sha256("".join(sorted(lines)).encode()).digest()
    mod = f"{hashlib.sha256(files['go.mod'].encode()).hexdigest()}  go.mod\n"
    both = base64.b64encode(total).decode(), base64.b64encode(hashlib.sha256(mod.encode()).digest()).decode()
    return f"{path} {version} h1:{both[0]}\n{path} {version}/go.mod h1:{both[1]}\n"


@pytest.fixture
def dependent(root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The project with a dependency that a proxy in a folder serves; returns its go.sum."""
    proxy = tmp_path / "proxy"
    text = module_proxy(
        proxy,
        "example.test/words",
        "v1.0.0",
        {"words.go": 'package words\n\nconst Word = "from a module"\n', "charts/web/values.yaml": "a: 1\n"},
    )
    monkeypatch.setenv("GOPROXY", proxy.as_uri())
    folder = root / "images/go/hello"
    (folder / "go.mod").write_text((folder / "go.mod").read_text() + "\nrequire example.test/words v1.0.0\n")
    (folder / "go.sum").write_text(text)
    (folder / "main.go").write_text(
        'package main\n\nimport "example.test/words"\n\nfunc main() { println(words.Word) }\n'
    )
    file = root / "images/catalogue.yaml"
    document = yaml.safe_load(file.read_text())
    document["go"]["hello"]["files"] = {"web-chart": {"module": "example.test/words", "path": "charts/web"}}
    file.write_text(yaml.safe_dump(document))
    return folder / "go.sum"


def test_a_dependency_is_taken_when_its_checksum_is_the_committed_one(dependent: Path) -> None:
    assert run([ensure()]).stderr == "from a module\n"


def test_a_dependency_with_another_checksum_stops_the_build(dependent: Path, cache: Path) -> None:
    dependent.write_text(spoilt(dependent.read_text()))
    with pytest.raises(TidegateError, match=r"checksum mismatch|SECURITY ERROR|verifying"):
        ensure()
    assert list((cache / "bin").glob("*")) == []


def spoilt(sums: str) -> str:
    """Return go.sum with the first checksum replaced by that of nothing."""
    first, rest = sums.split("\n", 1)
    empty = base64.b64encode(hashlib.sha256(b"").digest()).decode()
    return f"{first.rsplit(' ', 1)[0]} h1:{empty}\n{rest}"


def test_a_dependency_without_a_checksum_stops_the_build(dependent: Path, cache: Path) -> None:
    dependent.write_text("")
    with pytest.raises(TidegateError, match=r"missing go\.sum entry"):
        ensure()
    assert list((cache / "bin").glob("*")) == []


def test_files_of_a_module_keep_their_place_in_it(dependent: Path, cache: Path) -> None:
    assert (ensure_files("web-chart") / "values.yaml").read_text() == "a: 1\n"
    folder = module_files("example.test/words", "v1.0.0")
    assert (folder / "charts/web/values.yaml").is_file()
    assert not (folder / "words.go").exists()
    assert not (cache / "go-work").exists()
    with pytest.raises(TidegateError, match=r"v2\.0\.0 was asked for and v1\.0\.0 is pinned"):
        module_files("example.test/words", "v2.0.0")
