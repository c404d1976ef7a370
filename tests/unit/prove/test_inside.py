"""Which way a load goes: from this machine, or from pods of the stack's cluster."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any, cast

import pytest
from rich.console import Console
from support.api_server import write_kubeconfig
from support.synthetic_run import SLO

from tidegate.errors import TidegateError
from tidegate.host.engine import Engine
from tidegate.host.paths import project_root
from tidegate.load.drive import LoadResult
from tidegate.models.load import LoadConfig
from tidegate.models.stack import StackConfig
from tidegate.prepare import Site
from tidegate.prove import inside, job

DONE = LoadResult(None, 0, 0, 0, {})


def site(load: LoadConfig) -> Site:
    config = StackConfig(slo=SLO, load=load)
    return Site("local", project_root(), config, cast("Engine", None), dict(os.environ))


@pytest.fixture
def kubeconfig(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    path = write_kubeconfig(tmp_path / "kubeconfig", "http://127.0.0.1:1")
    monkeypatch.setattr(inside, "kubeconfig_path", lambda _: path)  # pyright: ignore


def test_a_stack_without_room_says_how_to_get_it() -> None:
    with pytest.raises(TidegateError, match="in_cluster: true"), inside.inside(site(LoadConfig()), 2):
        pytest.fail("entered")


@pytest.mark.usefixtures("kubeconfig")
def test_the_image_is_the_one_that_the_stack_put_on_its_nodes() -> None:
    with inside.inside(site(LoadConfig(in_cluster=True)), 2) as place:
        assert place.image.startswith("tidegate/load:")
        assert place.workers == 2


@pytest.mark.usefixtures("kubeconfig")
def test_pods_generate_it_only_when_that_is_asked_for(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    ways: list[str] = []

    def here(*_: Any, host: str, **__: Any) -> LoadResult:
        ways.append(host)
        return DONE

    def there(scenario: str, place: Any, **_: Any) -> LoadResult:
        ways.append(f"{scenario} from {place.workers} pods")
        return DONE

    monkeypatch.setattr(job, "run_load", here)
    monkeypatch.setattr(job, "run_in_cluster", there)
    nothing: dict[str, str] = {}
    given = (site(LoadConfig(in_cluster=True)), "spike", nothing, tmp_path, "p", Console())
    load = job._load  # pyright: ignore[reportPrivateUsage]
    assert load(*given, None) is load(*given, 3) is DONE
    assert ways == ["http://127.0.0.1:8080", "spike from 3 pods"]
