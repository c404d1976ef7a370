"""The project's own catalogue: everything it names is there, pinned and consistent."""

from __future__ import annotations

import re

import pytest

from tidegate.host.paths import project_root
from tidegate.images.catalogue import load_catalogue
from tidegate.images.gomod import read_pins
from tidegate.images.keys import Keys
from tidegate.images.model import Catalogue
from tidegate.images.reference import parse

ROOT = project_root()


@pytest.fixture(scope="module")
def catalogue() -> Catalogue:
    return load_catalogue(ROOT)


def test_every_entry_has_its_files_and_a_key_of_its_own(catalogue: Catalogue) -> None:
    keys = Keys(ROOT, catalogue)
    made = {name: keys.made(name) for name in keys.makers}
    images = {name: keys.image(name) for name in catalogue.images}
    assert len(set(made.values())) == len(made)
    assert len(set(images.values())) == len(images)


def test_every_reference_is_exact_and_names_one_image(catalogue: Catalogue) -> None:
    references = [image.reference for image in catalogue.images.values() if image.reference]
    assert len(set(references)) == len(references)
    for reference in references:
        assert str(parse(reference)) == reference
        assert parse(reference).tag != "latest"


def test_every_go_group_pins_what_it_builds(catalogue: Catalogue) -> None:
    for name, group in catalogue.go.items():
        pins = read_pins(ROOT / "images" / "go" / group.folder)
        for binary in group.binaries.values():
            local = binary.package.startswith(".")
            assert local or pins.version_of(binary.package), f"{name}: {binary.package}"
        for item in group.files.values():
            assert pins.pin(item.module).sum.startswith("h1:")


def test_no_go_folder_is_forgotten(catalogue: Catalogue) -> None:
    used = {group.folder for group in catalogue.go.values()}
    assert used == {path.name for path in (ROOT / "images" / "go").iterdir() if path.is_dir()}


def test_versions_in_flags_agree_with_the_pins(catalogue: Catalogue) -> None:
    for group in catalogue.go.values():
        pins = read_pins(ROOT / "images" / "go" / group.folder)
        for binary in group.binaries.values():
            stated = re.search(r"[Vv]ersion=v?(\d+\.\d+\.\d+)", binary.ldflags)
            version = pins.version_of(binary.package)
            if stated and version and not version.startswith("v0."):
                assert stated[1] == version.removeprefix("v"), binary.package


def test_the_plugin_is_the_version_the_program_uses(catalogue: Catalogue) -> None:
    plugin = catalogue.tools["pulumi-resource-kubernetes"].pulumi_plugin
    assert plugin is not None
    version = plugin.rpartition("-v")[2]
    assert f'"pulumi-kubernetes=={version}"' in (ROOT / "pyproject.toml").read_text()


def test_the_whole_stays_within_the_disk_it_promises(catalogue: Catalogue) -> None:
    rest = sum(item.result_mb for group in catalogue.go.values() for item in group.binaries.values())
    rest += sum(wheel.cost.result_mb for wheel in catalogue.wheels.values())
    rest += sum(image.recipe.cost.result_mb for image in catalogue.images.values())
    rest += sum(base.cost.result_mb for base in catalogue.bases.values())
    assert rest / 1000 <= catalogue.disk.rest_gb
    assert rest / 1000 + catalogue.disk.go_work_gb + 5 <= catalogue.disk.peak_gb
