"""The bounded runtime, run as the engine runs it: a process of its own in front of a recording runc."""

from __future__ import annotations

import json
import os
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from tidegate.host import bounded_runtime
from tidegate.host.daemon.config import runtime_shim

CAPABILITIES = ["CAP_CHOWN", "CAP_SYS_RESOURCE", "CAP_SYS_ADMIN"]
RECORDER = """#!/bin/sh
printf '%s\\n' "$@" > "$RECORD"
grep SigIgn /proc/self/status > "$RECORD.signals"
exit 7
"""


def oci_process() -> dict[str, object]:
    return {
        "args": ["/bin/true"],
        "env": ["NAME=ä"],
        "capabilities": {"bounding": CAPABILITIES, "effective": CAPABILITIES, "ambient": None},
        "rlimits": [{"type": "RLIMIT_NOFILE", "hard": 18446744073709551615, "soft": 1024}],
        "oomScoreAdj": -500,
        "noNewPrivileges": False,
    }


class Runtime:
    """The shim with a runc behind it that notes its arguments and exits with 7."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.record = folder / "record"
        self.search = folder / "bin"
        self.search.mkdir()
        self.place_runc(RECORDER)
        self.shim = folder / "tidegate-runc"
        script = Path(bounded_runtime.__file__)
        self.shim.write_text(runtime_shim(Path(sys.executable).resolve(), script))
        self.shim.chmod(0o755)

    def place_runc(self, text: str) -> None:
        runc = self.search / "runc"
        runc.write_text(text)
        runc.chmod(0o755)

    def __call__(self, *arguments: str, cwd: Path | None = None) -> subprocess.CompletedProcess[str]:
        env = {"PATH": f"{self.search}:/usr/bin:/bin", "RECORD": str(self.record)}
        return subprocess.run(
            [str(self.shim), *arguments],
            env=env,
            cwd=cwd or self.folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )

    def seen(self) -> list[str]:
        return self.record.read_text().splitlines()


@pytest.fixture
def runtime(tmp_path: Path) -> Runtime:
    return Runtime(tmp_path)


@pytest.fixture
def bundle(tmp_path: Path) -> Path:
    folder = tmp_path / "bundle"
    folder.mkdir()
    (folder / "config.json").write_text(json.dumps({"ociVersion": "1.0.2", "process": oci_process()}))
    return folder


def assert_bounded(process: dict[str, object]) -> None:
    assert process["capabilities"] == {
        "bounding": ["CAP_CHOWN", "CAP_SYS_ADMIN"],
        "effective": ["CAP_CHOWN", "CAP_SYS_ADMIN"],
        "ambient": None,
    }
    assert "rlimits" not in process
    assert "oomScoreAdj" not in process
    assert process["noNewPrivileges"] is False
    assert process["env"] == ["NAME=ä"]


GLOBALS = ["--root", "/run/create", "--log", "/x/log.json", "--log-format", "json", "--systemd-cgroup"]


@pytest.mark.parametrize("command", ["create", "run"])
@pytest.mark.parametrize(
    "form",
    [
        ["--bundle", "{b}", "--pid-file", "/x/pid", "name"],
        ["--bundle={b}", "name"],
        ["-bundle={b}", "name"],
        ["-b", "{b}", "name"],
        ["--console-socket", "--bundle", "-b={b}", "name"],
        ["name", "--bundle", "{b}"],
    ],
)
def test_bounds_the_bundle_and_passes_arguments_on(
    runtime: Runtime, bundle: Path, command: str, form: list[str]
) -> None:
    arguments = [*GLOBALS, command, *(word.format(b=bundle) for word in form)]
    done = runtime(*arguments)
    assert done.returncode == 7
    assert runtime.seen() == arguments
    assert_bounded(json.loads((bundle / "config.json").read_text())["process"])


def test_bundle_is_the_working_folder_by_default(runtime: Runtime, bundle: Path) -> None:
    runtime("create", "name", cwd=bundle)
    assert_bounded(json.loads((bundle / "config.json").read_text())["process"])


@pytest.mark.parametrize("form", [["--process", "{p}"], ["--process={p}"], ["-p", "{p}"], ["-p={p}"]])
def test_exec_bounds_the_process_file(runtime: Runtime, tmp_path: Path, form: list[str]) -> None:
    path = tmp_path / "process.json"
    path.write_text(json.dumps(oci_process()))
    arguments = ["--root=/run/exec", "exec", "--cwd", "/", *(w.format(p=path) for w in form), "-d", "name"]
    runtime(*arguments)
    assert runtime.seen() == arguments
    assert_bounded(json.loads(path.read_text()))


def test_flags_of_the_containers_own_command_are_not_ours(runtime: Runtime, tmp_path: Path) -> None:
    path = tmp_path / "process.json"
    before = json.dumps(oci_process())
    path.write_text(before)
    runtime("exec", "name", "tool", "--process", str(path))
    assert path.read_text() == before


@pytest.mark.parametrize("arguments", [["--version"], ["state", "create"], ["delete", "--force", "run"], []])
def test_other_commands_change_nothing(runtime: Runtime, bundle: Path, arguments: list[str]) -> None:
    before = (bundle / "config.json").read_text()
    assert runtime(*arguments, cwd=bundle).returncode == 7
    assert runtime.seen() == (arguments or [""])
    assert (bundle / "config.json").read_text() == before


def test_a_global_value_is_not_taken_for_the_command(runtime: Runtime, bundle: Path) -> None:
    before = (bundle / "config.json").read_text()
    runtime("--root", "create", "--log=run", "state", "name", cwd=bundle)
    assert (bundle / "config.json").read_text() == before


def test_the_file_is_replaced_whole_and_keeps_its_mode(runtime: Runtime, bundle: Path) -> None:
    config = bundle / "config.json"
    config.chmod(0o640)
    inode = config.stat().st_ino
    runtime("create", "--bundle", str(bundle), "name")
    assert config.stat().st_ino != inode
    assert stat.S_IMODE(config.stat().st_mode) == 0o640
    assert [each.name for each in bundle.iterdir()] == ["config.json"]


def test_what_asks_for_nothing_is_not_written(runtime: Runtime, bundle: Path) -> None:
    config = bundle / "config.json"
    config.write_text('{"process": {"args": ["x"], "capabilities": {"bounding": ["CAP_CHOWN"]}}}')
    inode = config.stat().st_ino
    runtime("create", "--bundle", str(bundle), "name")
    assert config.stat().st_ino == inode


@pytest.mark.parametrize("text", ["{torn", '{"process": null}', "[]", '{"linux": {}}'])
def test_what_cannot_be_understood_is_left_to_runc(runtime: Runtime, bundle: Path, text: str) -> None:
    (bundle / "config.json").write_text(text)
    done = runtime("create", "--bundle", str(bundle), "name")
    assert done.returncode == 7
    assert "left as it is" in done.stderr
    assert (bundle / "config.json").read_text() == text


def test_the_interpreters_ignored_signals_are_not_inherited(runtime: Runtime) -> None:
    runtime("state", "name")
    ignored = int(Path(f"{runtime.record}.signals").read_text().split()[1], 16)
    assert ignored & (1 << 12) == 0, "SIGPIPE stays ignored"


def test_a_runc_that_is_this_program_again_is_passed_over(runtime: Runtime, tmp_path: Path) -> None:
    first = tmp_path / "first"
    first.mkdir()
    (first / "runc").symlink_to(runtime.shim)
    env = {"PATH": f"{first}:{runtime.search}:/usr/bin:/bin", "RECORD": str(runtime.record)}
    done = subprocess.run([str(runtime.shim), "list"], env=env, timeout=60, check=False)
    assert done.returncode == 7
    assert runtime.seen() == ["list"]


def test_a_loop_through_another_script_ends(runtime: Runtime) -> None:
    copy = runtime.folder / "copy.py"
    copy.write_text(Path(bounded_runtime.__file__).read_text())
    runtime.place_runc(f'#!/bin/sh\nexec {sys.executable} -I -S {copy} "$@"\n')
    done = runtime("list")
    assert done.returncode == 1
    assert "itself" in done.stderr


def test_no_runc_is_one_line(monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(bounded_runtime, "FALLBACK_PATH", "")
    monkeypatch.setenv("PATH", "/nowhere")
    assert bounded_runtime.main(["list"]) == 1
    assert capfd.readouterr().err == "tidegate bounded runtime: no runc on PATH\n"


def test_needs_only_the_standard_library() -> None:
    script = Path(bounded_runtime.__file__)
    code = (
        "import sys; before = set(sys.modules)\n"
        f"exec(open({str(script)!r}).read(), {{'__name__': 'looked_at'}})\n"
        "print(*sorted(set(sys.modules) - before))"
    )
    done = subprocess.run(
        [sys.executable, "-I", "-S", "-c", code],
        capture_output=True,
        text=True,
        env=dict(os.environ),
        check=True,
    )
    loaded = set(done.stdout.split())
    assert "typing" not in loaded
    assert "pathlib" not in loaded
    assert {name.partition(".")[0] for name in loaded} <= set(sys.stdlib_module_names)
