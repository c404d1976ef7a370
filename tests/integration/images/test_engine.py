"""A real engine of our own: base import, images with labels, and what is done a second time."""

from __future__ import annotations

import json
import os
import shutil
from collections.abc import Mapping
from pathlib import Path

import httpx
import pytest
import yaml

from tidegate.errors import TidegateError
from tidegate.images import ensure_images, plan
from tidegate.images.catalogue import load_catalogue
from tidegate.images.clean import clean_cache, clean_images
from tidegate.images.engine import Docker
from tidegate.images.keys import Keys
from tidegate.images.workshop import Workshop
from tidegate.proc import run

pytestmark = pytest.mark.integration

GREETER = "docker.io/tidegate-test/greeter:v1"


def build(engine_env: Mapping[str, str], *names: str) -> dict[str, str]:
    return ensure_images(names, engine_env=engine_env, source="packages")


def image_id(engine_env: Mapping[str, str], reference: str) -> str:
    return Docker(engine_env).ids([reference])[reference]


@pytest.fixture(autouse=True)
def empty_engine(engine_env: dict[str, str]) -> None:
    """Every test begins with an engine that has no images."""
    docker = Docker(engine_env)
    found = docker.call("images", "--all", "--quiet").split()
    if found:
        docker.call("rmi", "--force", *found, check=False)


def test_a_built_image_runs_and_says_what_it_is(root: Path, engine_env: dict[str, str]) -> None:
    assert build(engine_env, "greeter") == {"greeter": GREETER}
    docker = Docker(engine_env)
    said = run(docker.command("run", "--rm", "--network", "none", GREETER), env=docker.env)
    assert said.stderr == "hello-from-flags\n"
    labels = docker.labels([GREETER])[GREETER]
    catalogue = load_catalogue(root)
    assert labels["io.tidegate.source"] == "packages"
    assert labels["io.tidegate.recipe"] == Keys(root, catalogue).image("greeter")
    assert json.loads(labels["io.tidegate.versions"]) == {"go": catalogue.toolchain.version, "greeter": "1"}
    assert docker.built() == ["tidegate-test/greeter:v1"]


def test_a_second_time_there_is_nothing_to_do(
    root: Path, engine_env: dict[str, str], capsys: pytest.CaptureFixture[str]
) -> None:
    build(engine_env, "greeter", "own")
    before = image_id(engine_env, GREETER)
    capsys.readouterr()
    build(engine_env, "greeter", "own")
    assert capsys.readouterr().err == ""
    assert image_id(engine_env, GREETER) == before
    planner = Workshop(source="packages", engine=engine_env).planner()
    assert [planner.image(name) for name in ("greeter", "own")] == [None, None]
    assert planner.jobs() == []


def test_a_changed_recipe_is_built_again_under_the_same_reference(
    root: Path, engine_env: dict[str, str], cache: Path
) -> None:
    build(engine_env, "greeter")
    before = image_id(engine_env, GREETER)
    with (root / "images/greeter/Dockerfile").open("a") as file:
        file.write("ENV MORE=1\n")
    build(engine_env, "greeter")
    assert image_id(engine_env, GREETER) != before
    assert len(list((cache / "bin").iterdir())) == 1


def test_our_own_image_is_tagged_by_its_content(root: Path, engine_env: dict[str, str]) -> None:
    first = build(engine_env, "own")["own"]
    (root / "app/main.py").write_text("print('other')\n")
    second = build(engine_env, "own")["own"]
    assert first != second
    assert first.split(":")[0] == second.split(":")[0] == "tidegate/own"
    assert set(Docker(engine_env).ids([first, second])) == {first, second}


def test_a_broken_recipe_is_one_line_and_the_rest_is_made(
    root: Path, engine_env: dict[str, str], cache: Path
) -> None:
    file = root / "images/catalogue.yaml"
    document = yaml.safe_load(file.read_text())
    document["images"]["broken"] = {
        "recipe": {"dockerfile": "broken", "on": "greeter", "cost": {"seconds": 1}},
    }
    file.write_text(yaml.safe_dump(document))
    (root / "images/broken").mkdir()
    (root / "images/broken/Dockerfile").write_text("ARG BASE\nFROM ${BASE}\nCOPY not-there /\n")
    with pytest.raises(TidegateError, match=r"build:broken: .*not-there.*\(.*build-broken\.log\)") as caught:
        build(engine_env, "broken", "greeter", "own")
    assert "\n" not in str(caught.value)
    assert set(Docker(engine_env).ids([GREETER])) == {GREETER}
    assert list((cache / "making").iterdir()) == []


def test_cleaning_removes_what_was_superseded_and_nothing_else(
    root: Path, engine_env: dict[str, str], cache: Path
) -> None:
    old = build(engine_env, "own", "greeter")["own"]
    kept = set((cache / "bin").iterdir())
    (root / "images/go/hello/main.go").write_text('package main\n\nfunc main() { println("new") }\n')
    assert plan(images=["own"], engine_env=engine_env, source="packages").jobs != ()
    new = build(engine_env, "own", "greeter")["own"]
    assert plan(images=["own"], engine_env=engine_env, source="packages").jobs == ()
    workshop = Workshop(source="packages", engine=engine_env)
    docker = Docker(engine_env)
    assert clean_cache(workshop) > 0
    assert clean_images(workshop, docker) == [old]
    assert set(docker.ids([old, new, GREETER])) == {new, GREETER}
    left = set((cache / "bin").iterdir())
    assert len(left) == 1
    assert not left & kept
    assert clean_cache(workshop) == 0
    assert clean_images(workshop, docker) == []


def test_an_engine_that_does_not_answer_is_one_line(root: Path, tmp_path: Path) -> None:
    with pytest.raises(TidegateError) as caught:
        build({"DOCKER_HOST": f"unix://{tmp_path}/none.sock"}, "greeter")
    assert "\n" not in str(caught.value)


def debian_answers() -> bool:
    try:
        return httpx.head("http://deb.debian.org/debian/dists/bookworm/InRelease", timeout=5).is_success
    except httpx.HTTPError:
        return False


def test_a_base_is_made_by_debootstrap_and_imported_with_labels(
    root: Path, engine_env: dict[str, str], cache: Path
) -> None:
    if os.environ.get("CI") != "true" and (shutil.which("debootstrap") is None or not debian_answers()):
        pytest.skip("needs debootstrap and a Debian mirror")
    file = root / "images/catalogue.yaml"
    document = yaml.safe_load(file.read_text())
    document["images"]["on-debian"] = {
        "recipe": {"dockerfile": "on-debian", "on": "bookworm", "cost": {"seconds": 1}},
    }
    file.write_text(yaml.safe_dump(document))
    (root / "images/on-debian").mkdir()
    (root / "images/on-debian/Dockerfile").write_text("ARG BASE\nFROM ${BASE}\nRUN echo built > /note\n")
    reference = build(engine_env, "on-debian")["on-debian"]
    docker = Docker(engine_env)
    shown = docker.call(
        *("run", "--rm", "--network", "none", reference, "cat", "/etc/debian_version", "/note")
    )
    assert shown.splitlines()[0].startswith("12.")
    assert shown.splitlines()[1] == "built"
    labels = docker.labels([reference])[reference]
    assert json.loads(labels["io.tidegate.versions"]) == {"debian": "bookworm"}
    bases = [name for name in docker.built() if name.startswith("tidegate/base-bookworm:")]
    assert len(bases) == 1
    assert list((cache / "debs").glob("*.deb")) != []
    assert list((cache / "making").iterdir()) == []
    sources = docker.call("run", "--rm", "--network", "none", bases[0], "cat", "/etc/apt/sources.list")
    assert "bookworm-security" in sources
