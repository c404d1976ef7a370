"""A small project with a cache of its own, and a real engine of our own."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest
from support import tiny_project

from tidegate.host.engine import EngineSettings, start_engine, stop_engine
from tidegate.images.gotool import installed_go
from tidegate.proc import run

NEEDED = ("dockerd", "containerd", "runc", "docker", "ip", "iptables")
SEARCH = f"{os.environ.get('PATH', '')}:/usr/sbin:/sbin"
SETTINGS = EngineSettings(iptables=False, bridge="tgimages0", bip="10.213.78.1/24", shutdown_timeout_s=2)
"""No firewall rules and a bridge of its own, so that no other engine on this machine is disturbed."""


def lacking(what: list[str]) -> None:
    """Skip what this machine cannot test; in CI nothing may go untested unseen."""
    if what:
        told = f"needs {', '.join(what)}"
        if os.environ.get("CI") == "true":
            pytest.fail(told)
        pytest.skip(told)


@pytest.fixture
def cache(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The cache and state folders of this test alone, and no network for Go."""
    monkeypatch.setenv("TIDEGATE_CACHE", str(tmp_path / "cache"))
    monkeypatch.setenv("TIDEGATE_STATE", str(tmp_path / "state"))
    monkeypatch.setenv("GOPROXY", "off")
    for name in ("TIDEGATE_SOURCE", "TIDEGATE_REGISTRY_MIRROR", "GONOSUMDB", "GOSUMDB"):
        monkeypatch.delenv(name, raising=False)
    return tmp_path / "cache"


@pytest.fixture
def root(tmp_path: Path, cache: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The small project, asking for the Go release that is installed; the working folder."""
    go = installed_go()
    lacking([] if go else ["go"])
    document = tiny_project.catalogue()
    said = run([str(go), "env", "GOVERSION"], env={**os.environ, "GOTOOLCHAIN": "local"}).stdout
    document["toolchain"]["version"] = said.strip().removeprefix("go").split()[0]
    folder = tiny_project.write(tmp_path / "project", document)
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture(scope="session")
def engine_env(tmp_path_factory: pytest.TempPathFactory) -> Iterator[dict[str, str]]:
    """A running engine with nothing in it, as variables for docker."""
    missing = [name for name in NEEDED if shutil.which(name, path=SEARCH) is None]
    lacking([*missing, *([] if os.geteuid() == 0 else ["root"])])
    state = tmp_path_factory.mktemp("engine")
    engine = start_engine(SETTINGS, state=state)
    try:
        yield dict(engine.env())
    finally:
        stop_engine(state=state, remove_data=True)
