"""Experiments are read strictly: one that never ends or reaches too far is refused before it is applied."""

from __future__ import annotations

from typing import Any

import pytest
import yaml

from tidegate.chaos.catalogue import available, load_experiments
from tidegate.chaos.duration import duration_s
from tidegate.chaos.experiment import TARGET_NAMESPACE, read_experiment
from tidegate.errors import TidegateError
from tidegate.models.hypothesis import HYPOTHESIS, Hypothesis
from tidegate.models.schema import json_schemas


def test_the_project_has_every_experiment_it_promises() -> None:
    kinds = {(fault.kind, fault.action) for e in load_experiments(available()) for fault in e.faults}
    assert kinds >= {
        ("PodChaos", "pod-kill"),
        ("PodChaos", "pod-failure"),
        ("PodChaos", "container-kill"),
        ("StressChaos", "stress"),
        ("NetworkChaos", "partition"),
        ("NetworkChaos", "delay"),
        ("NetworkChaos", "loss"),
        ("DNSChaos", "error"),
        ("TimeChaos", "time"),
        ("IOChaos", "latency"),
        ("HTTPChaos", "http"),
        ("HostFault", "stop-node"),
        ("HostFault", "replace-pod"),
        ("HostFault", "drain-node"),
    }
    assert {e.kind for e in load_experiments(available())} >= {"Schedule", "Workflow"}


@pytest.mark.parametrize("name", available())
def test_each_file_is_one_object_that_ends(name: str) -> None:
    (experiment,) = load_experiments([name])
    assert experiment.manifest["metadata"]["namespace"] == TARGET_NAMESPACE
    assert 0 < experiment.expires_s <= 600
    assert all(0 < fault.duration_s <= experiment.expires_s for fault in experiment.faults)
    assert experiment.hypothesis.evidence


def test_a_misspelt_name_is_answered_with_the_nearest() -> None:
    with pytest.raises(TidegateError, match="pod-kill"):
        load_experiments(["pod-kil"])


def _drop_duration(manifest: dict[str, Any]) -> None:
    del manifest["spec"]["duration"]


def _too_long(manifest: dict[str, Any]) -> None:
    manifest["spec"]["duration"] = "11m"


def _other_namespace(manifest: dict[str, Any]) -> None:
    manifest["metadata"]["namespace"] = "kube-system"


def _other_selector(manifest: dict[str, Any]) -> None:
    manifest["spec"]["selector"]["namespaces"] = ["tidegate", "data"]


def _no_labels(manifest: dict[str, Any]) -> None:
    del manifest["spec"]["selector"]["labelSelectors"]


def _no_hypothesis(manifest: dict[str, Any]) -> None:
    del manifest["metadata"]["annotations"]


def _unknown_kind(manifest: dict[str, Any]) -> None:
    manifest["kind"] = "KernelChaos"


def _schedule_for_ever(manifest: dict[str, Any]) -> None:
    manifest["kind"] = "Schedule"
    manifest["spec"] = {"type": "PodChaos", "schedule": "@every 30s", "podChaos": manifest["spec"]}


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (_drop_duration, "without an end"),
        (_too_long, "lasts 660 s"),
        (_other_namespace, "metadata.namespace"),
        (_other_selector, "selector.namespaces"),
        (_no_labels, "no label"),
        (_no_hypothesis, "statement"),
        (_unknown_kind, "KernelChaos"),
        (_schedule_for_ever, "tidegate/lasts"),
    ],
)
def test_what_is_not_safe_is_refused(write: Any, change: Any, said: str) -> None:
    with pytest.raises(TidegateError, match=said):
        read_experiment(write(change))


def test_a_file_is_named_as_its_object(write: Any) -> None:
    with pytest.raises(TidegateError, match=r"metadata\.name"):
        read_experiment(write(name="other"))


def test_a_sign_has_the_amount_it_needs() -> None:
    written = yaml.safe_load(
        load_experiments(["cpu-stress"])[0].manifest["metadata"]["annotations"][HYPOTHESIS]
    )
    del written["evidence"][0]["at_least"]
    with pytest.raises(ValueError, match="at_least"):
        Hypothesis.model_validate(written)


def test_the_hypothesis_has_a_schema() -> None:
    assert json_schemas()["hypothesis"]["properties"]["evidence"]["minItems"] == 1


@pytest.mark.parametrize(
    ("text", "seconds"), [("60s", 60), ("1m30s", 90), ("250ms", 0.25), ("-1h", -3600), ("1.5m", 90)]
)
def test_durations_are_go_s(text: str, seconds: float) -> None:
    assert duration_s(text) == seconds


@pytest.mark.parametrize("text", ["", "60", "s", "1x", "1m 30s", "60s!"])
def test_what_is_no_duration_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match="no duration"):
        duration_s(text)
