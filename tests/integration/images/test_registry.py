"""A real registry on the loopback, as the mirror of all others: push, lose, pull, fall back."""

from __future__ import annotations

import os
import socket
import subprocess
import time
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

from tidegate.errors import TidegateError
from tidegate.images import ensure_images, ensure_tools
from tidegate.images.engine import Docker
from tidegate.images.reference import parse
from tidegate.images.registry import answers, reachable

pytestmark = pytest.mark.integration

GREETER = "docker.io/tidegate-test/greeter:v1"


@dataclass
class Registry:
    """A running registry, and its address."""

    host: str


@pytest.fixture(scope="session")
def registry_program() -> Path:
    """The registry from the project's own catalogue, in the user's cache: built once for all runs."""
    try:
        return ensure_tools(["registry"])["registry"]
    except TidegateError as error:
        if os.environ.get("CI") == "true":
            raise
        pytest.skip(f"no registry can be built: {error}")


@pytest.fixture
def registry(registry_program: Path, tmp_path: Path) -> Iterator[Registry]:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        host = f"127.0.0.1:{free.getsockname()[1]}"
    config = tmp_path / "registry.yaml"
    config.write_text(
        f"version: 0.1\nstorage: {{filesystem: {{rootdirectory: {tmp_path}/registry}}}}\n"
        f"http: {{addr: '{host}'}}\nlog: {{level: error}}\n"
    )
    with (tmp_path / "registry.log").open("w") as log:
        process = subprocess.Popen([registry_program, "serve", config], stdout=log, stderr=log)
    try:
        deadline_s = time.monotonic() + 30
        while not answers(host, timeout_s=1):
            assert process.poll() is None, (tmp_path / "registry.log").read_text()
            assert time.monotonic() < deadline_s
            time.sleep(0.05)
        yield Registry(host)
    finally:
        process.terminate()
        process.wait(timeout=30)


@pytest.fixture
def mirror(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> str:
    """The registry as the mirror setting."""
    monkeypatch.setenv("TIDEGATE_REGISTRY_MIRROR", registry.host)
    return registry.host


def publish(engine_env: Mapping[str, str], mirror: str, tmp_path: Path) -> None:
    """Put an image into the registry as upstream would have it, without labels of ours; keep no copy."""
    folder = tmp_path / "upstream"
    folder.mkdir()
    (folder / "note").write_text("from upstream")
    archive = tmp_path / "upstream.tar"
    subprocess.run(["tar", "-C", folder, "-cf", archive, "note"], check=True, timeout=60)
    docker = Docker(engine_env)
    there = parse(GREETER).on_mirror(mirror)
    docker.call("import", str(archive), there)
    docker.call("push", there)
    docker.call("rmi", "--force", there)


@pytest.fixture(autouse=True)
def empty_engine(engine_env: dict[str, str]) -> None:
    """Every test begins with an engine that has no images."""
    docker = Docker(engine_env)
    found = docker.call("images", "--all", "--quiet").split()
    if found:
        docker.call("rmi", "--force", *found, check=False)


def labels(engine_env: Mapping[str, str]) -> dict[str, str] | None:
    return Docker(engine_env).labels([GREETER]).get(GREETER)


@pytest.mark.parametrize("source", ["registry", "auto"])
def test_a_published_image_is_pulled_under_its_own_name(
    root: Path, engine_env: dict[str, str], mirror: str, tmp_path: Path, cache: Path, source: str
) -> None:
    publish(engine_env, mirror, tmp_path)
    assert labels(engine_env) is None
    assert ensure_images(["greeter"], engine_env=engine_env, source=source) == {"greeter": GREETER}
    assert labels(engine_env) == {}
    # Only upstream's name is left, and nothing was built.
    assert Docker(engine_env).call("images", "--format", "{{.Repository}}").split() == [
        "tidegate-test/greeter"
    ]
    assert not (cache / "bin").exists()


def test_packages_replace_a_pulled_image_and_the_registry_replaces_a_built_one(
    root: Path, engine_env: dict[str, str], mirror: str, tmp_path: Path
) -> None:
    publish(engine_env, mirror, tmp_path)
    ensure_images(["greeter"], engine_env=engine_env, source="registry")
    ensure_images(["greeter"], engine_env=engine_env, source="packages")
    assert (labels(engine_env) or {}).get("io.tidegate.source") == "packages"
    ensure_images(["greeter"], engine_env=engine_env, source="auto")
    assert (labels(engine_env) or {}).get("io.tidegate.source") == "packages"
    ensure_images(["greeter"], engine_env=engine_env, source="registry")
    assert labels(engine_env) == {}


def test_auto_builds_what_the_registry_does_not_have(
    root: Path, engine_env: dict[str, str], mirror: str, capsys: pytest.CaptureFixture[str]
) -> None:
    ensure_images(["greeter"], engine_env=engine_env, source="auto")
    assert (labels(engine_env) or {}).get("io.tidegate.source") == "packages"
    assert "not pulled: greeter; built instead" in capsys.readouterr().err


def test_the_registry_source_does_not_build_what_is_missing(
    root: Path, engine_env: dict[str, str], mirror: str, cache: Path
) -> None:
    with pytest.raises(TidegateError, match=r"pull:greeter: .*\(.*pull-greeter\.log\)") as caught:
        ensure_images(["greeter"], engine_env=engine_env, source="registry")
    assert "\n" not in str(caught.value)
    assert labels(engine_env) is None
    assert not (cache / "bin").exists()


def test_auto_builds_where_no_registry_answers(
    root: Path, engine_env: dict[str, str], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket() as taken:
        # Bound and not listening: nothing answers there, and nothing else can.
        taken.bind(("127.0.0.1", 0))
        nowhere = f"127.0.0.1:{taken.getsockname()[1]}"
        monkeypatch.setenv("TIDEGATE_REGISTRY_MIRROR", nowhere)
        assert not answers(nowhere)
        ensure_images(["greeter"], engine_env=engine_env, source="auto")
    assert (labels(engine_env) or {}).get("io.tidegate.source") == "packages"


def test_a_mirror_stands_for_every_registry(registry: Registry) -> None:
    wanted = [parse("docker.io/library/redis:7"), parse("registry.k8s.io/pause:3.10")]
    assert reachable(wanted, registry.host) == {"docker.io", "registry.k8s.io"}
    assert reachable([], registry.host) == set()
