from __future__ import annotations

import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest

from infra.data.postgres import postgres
from infra.data.redis import redis
from infra.manifests import Manifest
from infra.policy import check


def of_kind(objects: list[Manifest], kind: str) -> Manifest:
    (found,) = [each for each in objects if each["kind"] == kind]
    return found


def made(name: str) -> list[Manifest]:
    if name == "postgres":
        return postgres("example/postgres:15", "a", "b")
    return redis("example/redis:7", "a")


both = pytest.mark.parametrize("name", ["postgres", "redis"])


@both
def test_every_rule_holds(name: str) -> None:
    assert check(made(name)) == []


@both
def test_only_the_services_pods_get_in_and_nothing_gets_out(name: str) -> None:
    spec = of_kind(made(name), "NetworkPolicy")["spec"]
    assert "egress" not in spec
    (rule,) = spec["ingress"]
    assert rule["from"] == [
        {
            "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "tidegate"}},
            "podSelector": {"matchLabels": {"app.kubernetes.io/name": "tidegate"}},
        }
    ]


@both
def test_data_is_on_a_volume_of_its_own(name: str) -> None:
    (claim,) = of_kind(made(name), "StatefulSet")["spec"]["volumeClaimTemplates"]
    assert claim["spec"]["storageClassName"] == "standard"
    assert claim["spec"]["accessModes"] == ["ReadWriteOnce"]


@both
def test_databases_are_put_side_by_side(name: str) -> None:
    pod = of_kind(made(name), "StatefulSet")["spec"]["template"]
    (wish,) = pod["spec"]["affinity"]["podAffinity"]["preferredDuringSchedulingIgnoredDuringExecution"]
    (wanted,) = wish["podAffinityTerm"]["labelSelector"]["matchExpressions"]
    assert wish["podAffinityTerm"]["topologyKey"] == "kubernetes.io/hostname"
    for other in ("postgres", "redis"):
        labels = of_kind(made(other), "StatefulSet")["spec"]["template"]["metadata"]["labels"]
        assert labels[wanted["key"]] in wanted["values"]


@both
def test_no_password_is_on_a_command_line_or_in_the_environment(name: str) -> None:
    spec = of_kind(made(name), "StatefulSet")["spec"]["template"]["spec"]
    (container,) = spec["containers"]
    words: list[Any] = [*container["command"], *container.get("args", []), *container.get("env", [])]
    assert not any("password" in str(word).lower() and "encryption" not in str(word) for word in words)


def script() -> str:
    return of_kind(made("postgres"), "ConfigMap")["data"]["start.sh"]


def test_the_start_script_is_valid_for_a_plain_shell(tmp_path: Path) -> None:
    shell = shutil.which("sh")
    assert shell is not None
    path = tmp_path / "start.sh"
    path.write_text(script())
    assert subprocess.run([shell, "-n", str(path)], check=False).returncode == 0


def test_a_half_made_database_never_has_the_final_name() -> None:
    text = script()
    assert text.index('initdb --pgdata="$draft"') < text.index('mv "$draft" "$PGDATA"')
    assert text.index("CREATE DATABASE") < text.index('mv "$draft" "$PGDATA"')


def test_the_queue_is_written_to_disk_and_never_evicted() -> None:
    # An output: looked at through the settings that go into it.
    from infra.data import redis as module

    settings = dict(line.split(" ", 1) for line in module.SETTINGS.splitlines())
    assert settings["appendonly"] == "yes"
    assert settings["maxmemory-policy"] == "noeviction"
