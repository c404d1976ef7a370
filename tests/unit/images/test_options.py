"""Images that only some deployments run."""

from __future__ import annotations

from tidegate.host.paths import project_root
from tidegate.images.catalogue import load_catalogue
from tidegate.images.planner import wanted_images


def test_an_option_is_made_only_when_it_is_named() -> None:
    catalogue = load_catalogue(project_root())
    assert catalogue.images["nginx"].role == "option"
    assert "nginx" not in wanted_images(catalogue, None)
    assert wanted_images(catalogue, ["nginx"]) == ["nginx"]


def test_the_chart_alone_runs_the_same_image() -> None:
    values = (project_root() / "charts/tidegate-service/values.yaml").read_text()
    assert f"image: {load_catalogue(project_root()).images['nginx'].reference}\n" in values
