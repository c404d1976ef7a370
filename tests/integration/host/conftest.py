"""What the tests of a real engine need, and the skip where a machine cannot run one."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

NEEDED = ("dockerd", "containerd", "runc", "docker", "ip", "iptables", "iptables-save", "unshare", "gcc")
SEARCH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"


@pytest.fixture(scope="session", autouse=True)
def able_to_start_an_engine() -> None:
    """Root with the daemons installed. In CI their absence is a failure: nothing may go untested unseen."""
    missing = [name for name in NEEDED if shutil.which(name, path=SEARCH) is None]
    if os.geteuid() != 0:
        missing.append("root")
    if missing:
        told = f"needs {', '.join(missing)}"
        if os.environ.get("CI") == "true":
            pytest.fail(told)
        pytest.skip(told)


PROGRAM = r"""
#include <stdio.h>
#include <string.h>
#include <unistd.h>
int main(int count, char **words) {
    char line[512];
    FILE *status;
    if (count > 1 && !strcmp(words[1], "wait")) { for (;;) pause(); }
    status = fopen("/proc/self/status", "r");
    while (fgets(line, sizeof line, status)) if (!strncmp(line, "CapEff", 6)) fputs(line, stdout);
    return 0;
}
"""
"""Prints the capabilities it has, or waits for ever."""


@pytest.fixture(scope="session")
def root_file_system(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A tar file with one static program in it, as an image to import: no registry is needed."""
    import subprocess

    folder = tmp_path_factory.mktemp("image")
    (folder / "program.c").write_text(PROGRAM)
    (folder / "root").mkdir()
    subprocess.run(
        ["gcc", "-static", "-O1", "-o", folder / "root/program", folder / "program.c"],
        check=True,
        timeout=120,
    )
    subprocess.run(
        ["tar", "-C", folder / "root", "-cf", folder / "root.tar", "program"], check=True, timeout=60
    )
    return folder / "root.tar"
