"""The daemon's `nsexec` in the mount namespace of something like a container: with a read-only root."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from collections.abc import Generator
from dataclasses import dataclass
from pathlib import Path

import pytest
from support.children import stop, wait_until
from support.own_engine import lacking

from tidegate.host.paths import project_root

pytestmark = pytest.mark.integration

NSEXEC = project_root() / "images" / "chaos-daemon" / "nsexec"
RESOLV = "/etc/resolv.conf"
BEFORE = "search data.svc.cluster.local\nnameserver 10.96.0.10\n"
BOX = f"""
set -e
mount --make-rprivate /
mount --bind "$1/root" "$1/root"
mount --bind /usr "$1/root/usr"
mount --bind /proc "$1/root/proc"
mount --bind "$1/resolv" "$1/root{RESOLV}"
mount -o remount,bind,ro,nosuid,nodev "$1/root{RESOLV}"
cd "$1/root"
pivot_root . old
umount -l /old
mount -o remount,bind,ro /
exec sleep 600
"""


@dataclass(frozen=True)
class Box:
    """The running process and what it has."""

    pid: int
    folder: Path

    def run(self, script: str, *, mounts: bool = True) -> subprocess.CompletedProcess[str]:
        """Run a script as the daemon does, in the mount namespace unless told otherwise."""
        within = ["-m", f"/proc/{self.pid}/ns/mnt"] if mounts else ["-l", "-n", f"/proc/{self.pid}/ns/net"]
        words = ["sh", str(NSEXEC), *within, "--", "sh", "-c", script]
        return subprocess.run(words, capture_output=True, text=True, timeout=60, check=False)

    def resolv(self) -> str:
        """The file, which belongs to the pod and is mounted."""
        return (self.folder / "resolv").read_text()

    def mounts(self) -> dict[str, str]:
        """Options by place, as the process has them."""
        lines = Path(f"/proc/{self.pid}/mountinfo").read_text().splitlines()
        return {each.split()[4]: each.split()[5] for each in lines}


@pytest.fixture
def box(tmp_path: Path) -> Generator[Box]:
    programs = [
        each for each in ("unshare", "nsenter", "setpriv", "pivot_root") if shutil.which(each) is None
    ]
    lacking([*programs, *([] if os.geteuid() == 0 else ["root"])])
    root = tmp_path / "root"
    for each in ("usr", "etc", "proc", "old"):
        (root / each).mkdir(parents=True)
    for each in ("bin", "sbin", "lib", "lib64"):
        (root / each).symlink_to(f"usr/{each}")
    (root / RESOLV[1:]).touch()
    (tmp_path / "resolv").write_text(BEFORE)
    process = subprocess.Popen(["unshare", "--mount", "sh", "-c", BOX, "sh", str(tmp_path)])
    made = Box(process.pid, tmp_path)
    try:
        wait_until(lambda: made.mounts().get("/", "").startswith("ro"), what="the read-only root")
        yield made
    finally:
        stop(process, signal.SIGKILL, within_s=60)


def test_resolv_conf_is_edited_with_a_copy_beside_it_and_all_is_read_only_again(box: Box) -> None:
    before = box.mounts()
    edit = f"cp {RESOLV} {RESOLV}.bak && sed s/10.96.0.10/10.96.0.77/ {RESOLV}.bak > {RESOLV}"
    assert box.run(edit).returncode == 0
    assert box.resolv() == BEFORE.replace("10.96.0.10", "10.96.0.77")
    assert box.mounts() == before
    assert {"ro", "nosuid", "nodev"} <= set(before[RESOLV].split(","))
    assert box.run(f"cat {RESOLV}.bak > {RESOLV}").returncode == 0
    assert box.resolv() == BEFORE
    assert box.mounts() == before


def test_what_fails_fails_with_its_own_status_and_leaves_nothing_open(box: Box) -> None:
    before = box.mounts()
    assert box.run(f"test -s {RESOLV} && exit 7").returncode == 7
    assert box.mounts() == before


def test_no_other_program_may_write(box: Box) -> None:
    done = box.run("echo x > /etc/other")
    assert done.returncode != 0
    assert "Read-only file system" in done.stderr


def test_without_a_mount_namespace_the_daemon_keeps_its_own_files(box: Box) -> None:
    assert box.run(f"cat {RESOLV}", mounts=False).stdout == Path(RESOLV).read_text()


def test_an_unknown_option_is_refused(box: Box) -> None:
    done = subprocess.run(
        ["sh", str(NSEXEC), "-x", "--", "true"], capture_output=True, text=True, check=False
    )
    assert (done.returncode, done.stderr) == (2, "nsexec: -x is not known\n")
