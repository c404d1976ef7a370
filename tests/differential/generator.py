"""Random autoscalers, and what happens to their pods and metrics from one sync to the next."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

from differential.metrics_api import Answers

Object = dict[str, Any]

CPU_INITIALIZATION_S, READINESS_DELAY_S, DOWNSCALE_S = 40, 8, 4
"""The controller's flags: short, so that histories of seconds reach both sides of each."""
_FINALIZER = "tidegate.test/kept"
_MOST_PODS = 9


@dataclass
class PodPlan:
    """One pod as it is to be; times are unix seconds, whole as in the API."""

    name: str
    spec: Object
    deleting: bool = False
    phase: str = "Pending"
    ready: str | None = None
    """Status of the Ready condition; None: there is none."""
    moved_s: int | None = None
    started_s: int | None = None

    def body(self) -> Object:
        """Return the object to create."""
        meta = {"name": self.name, "labels": {"app": "web"}, "finalizers": [_FINALIZER]}
        return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": self.spec}


@dataclass
class Step:
    """What is done before a sync sees the world, in this order."""

    created: list[PodPlan] = field(default_factory=list[PodPlan])
    changed: list[PodPlan] = field(default_factory=list[PodPlan])
    deleted: list[PodPlan] = field(default_factory=list[PodPlan])
    """Told to go; they stay until they are in `removed`."""
    removed: list[PodPlan] = field(default_factory=list[PodPlan])
    answers: Answers = field(default_factory=Answers)
    strays: list[Object] = field(default_factory=list[Object])
    """Items of the answers whose pods are in no list."""


class Script:
    """One history's chances: the same seed gives the same autoscaler and, with the same replicas, the same
    changes."""

    def __init__(self, seed: int) -> None:
        self.rng = Random(f"{seed}-differential")
        self.seed = seed
        self.pods = dict[str, PodPlan]()
        self._born = 0
        self.hpa_spec = self._hpa_spec()
        self.replicas = self.rng.randint(1, 8)
        self.containers = self._containers()

    @property
    def metrics(self) -> list[Object]:
        """The metrics of the specification."""
        return self.hpa_spec["metrics"]

    def _hpa_spec(self) -> Object:
        rng = self.rng
        metrics = [self._metric() for _ in range(rng.choice([1, 1, 1, 2, 3]))]
        outside = any(one["type"] in {"Object", "External"} for one in metrics)
        least = rng.choice([0, 1] if outside else [1, 1, 2, 3])
        spec: Object = {
            "scaleTargetRef": {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"},
            "minReplicas": least,
            "maxReplicas": max(1, least) + rng.choice([0, 3, 6, 12, 40]),
            "metrics": metrics,
        }
        if rng.random() < 0.65:
            spec["behavior"] = {
                name: self._rules() for name in ("scaleUp", "scaleDown") if rng.random() < 0.85
            }
        return spec

    def _rules(self) -> Object:
        rng, rules = self.rng, Object()
        if rng.random() < 0.7:
            rules["stabilizationWindowSeconds"] = rng.choice([0, 0, 1, 2, 3, 6])
        if rng.random() < 0.6:
            rules["selectPolicy"] = rng.choice(["Max", "Max", "Min", "Min", "Disabled"])
        if rng.random() < 0.7:
            rules["policies"] = [
                {
                    "type": kind,
                    "value": rng.randint(1, 4) if kind == "Pods" else rng.choice([10, 34, 50, 100, 150]),
                    "periodSeconds": rng.choice([1, 2, 3, 5, 30]),
                }
                for kind in rng.choices(["Pods", "Percent"], k=rng.randint(1, 3))
            ]
        if rng.random() < 0.3:
            rules["tolerance"] = rng.choice(["0", "50m", "0.25", "0.5"])
        return rules

    def _metric(self) -> Object:
        rng = self.rng
        kind = rng.choice(["Resource", "Resource", "ContainerResource", "Pods", "Object", "External"])
        percent = {"type": "Utilization", "averageUtilization": rng.choice([30, 50, 75, 80, 100, 130])}
        if kind in {"Resource", "ContainerResource"}:
            name = rng.choice(["cpu", "cpu", "memory"])
            amount = f"{rng.randint(40, 400)}m" if name == "cpu" else f"{rng.randint(16, 200)}Mi"
            average = {"type": "AverageValue", "averageValue": amount}
            source: Object = {"name": name, "target": rng.choice([percent, average])}
            if kind == "Resource":
                return {"type": kind, "resource": source}
            source["container"] = rng.choice(["app", "app", "app", "side"])
            return {"type": kind, "containerResource": source}
        amount = f"{rng.randint(1, 400) * 250}m"
        average = {"type": "AverageValue", "averageValue": amount}
        value = {"type": "Value", "value": amount}
        named = {"name": f"{kind.lower()}-{rng.randint(1, 3)}"}
        if kind == "Pods":
            return {"type": kind, "pods": {"metric": named, "target": average}}
        target = rng.choice([average, value])
        if kind == "External":
            return {"type": kind, "external": {"metric": named, "target": target}}
        described = {"apiVersion": "apps/v1", "kind": "Deployment", "name": "web"}
        return {"type": kind, "object": {"describedObject": described, "metric": named, "target": target}}

    def _containers(self) -> Object:
        """Return the pods' common specification; one pod in some histories differs from it."""
        rng = self.rng

        def part(name: str) -> Object:
            requests = {"cpu": f"{rng.randint(50, 400)}m", "memory": f"{rng.randint(16, 200)}Mi"}
            if rng.random() < 0.06:
                requests.pop(rng.choice(["cpu", "memory"]))
            return {"name": name, "image": "none", "resources": {"requests": requests}}

        spec: Object = {"containers": [part("app")], "terminationGracePeriodSeconds": 0}
        if rng.random() < 0.4:
            spec["containers"].append(part("side"))
        if rng.random() < 0.2:
            spec["initContainers"] = [part("helper") | {"restartPolicy": "Always"}]
        if rng.random() < 0.15:
            spec["initContainers"] = [*spec.get("initContainers", []), part("once")]
        if rng.random() < 0.2:
            spec["resources"] = {"requests": {"cpu": f"{rng.randint(1300, 2000)}m"}}
        return spec

    # What happens

    def step(self, replicas: int, now_s: int) -> Step:
        """Return what happens before the next sync, when `replicas` are asked for."""
        rng, step = self.rng, Step()
        for pod in [one for one in self.pods.values() if one.deleting and rng.random() < 0.4]:
            step.removed.append(self.pods.pop(pod.name))
        staying = [one for one in self.pods.values() if not one.deleting]
        wanted = min(replicas, _MOST_PODS)
        for pod in rng.sample(staying, min(max(0, len(staying) - wanted), 2)):
            pod.deleting = True
            step.deleted.append(pod)
        for _ in range(min(max(0, wanted - len(staying)), 3 if self._born else _MOST_PODS)):
            step.created.append(self._new(now_s))
        present = [one for one in self.pods.values() if one not in step.created]
        for pod in rng.sample(present, min(len(present), rng.choice([0, 0, 1, 1, 2]))):
            self._live_on(pod, now_s)
            step.changed.append(pod)
        self._answer(step, now_s)
        return step

    def _new(self, now_s: int) -> PodPlan:
        rng = self.rng
        self._born += 1
        pod = PodPlan(f"web-{self._born}", self.containers)
        self.pods[pod.name] = pod
        if rng.random() < 0.75:
            pod.phase, pod.ready = "Running", "True"
            # Most are past their start, some within it, some near its end.
            pod.started_s = now_s - rng.choice([300, 300, 90, CPU_INITIALIZATION_S, 38, 20, 5])
            pod.moved_s = min(now_s, pod.started_s + rng.choice([1, 4, 15]))
        return pod

    def _live_on(self, pod: PodPlan, now_s: int) -> None:
        rng = self.rng
        pod.phase = rng.choices(
            ["Running", "Pending", "Failed", "Succeeded", "Unknown"], [8, 1, 1, 0.4, 0.3]
        )[0]
        if rng.random() < 0.85:
            if pod.started_s is None or rng.random() < 0.2:
                pod.started_s = now_s - rng.choice([0, 5, 20, CPU_INITIALIZATION_S - 1, 200])
            pod.ready = rng.choices(["True", "False", "Unknown", None], [8, 3, 0.5, 0.5])[0]
            pod.moved_s = None
            if pod.ready is not None:
                since = rng.choice([0, 3, 7, READINESS_DELAY_S, 9, 30])
                pod.moved_s = min(now_s, pod.started_s + since)
        else:
            pod.started_s = pod.ready = pod.moved_s = None

    # What is measured

    def _answer(self, step: Step, now_s: int) -> None:
        rng = self.rng
        pressure = rng.choice([0.0, 0.3, 0.7, 0.88, 0.95, 1.0, 1.05, 1.12, 1.5, 2.4, 6.0])
        missing = rng.choice([0.0, 0.0, 0.0, 0.15, 0.5, 1.0 if rng.random() < 0.2 else 0.0])
        unknown = [PodPlan("gone-1", self.containers)] if rng.random() < 0.1 else []
        for pod in [*self.pods.values(), *unknown]:
            if rng.random() < missing:
                continue
            item = self._pod_item(pod, pressure, now_s)
            step.answers.pods.append(item)
            if pod in unknown:
                step.strays.append(item)
        for metric in self.metrics:
            if rng.random() < 0.07:
                continue
            source = metric.get(metric["type"].lower(), {})
            name = source.get("metric", {}).get("name")
            if metric["type"] == "Pods":
                target = _quarters(source["target"]["averageValue"])
                step.answers.pod_metrics[name] = {
                    pod.name: _amount(self._near(target * pressure))
                    for pod in self.pods.values()
                    if rng.random() >= missing
                }
            elif metric["type"] in {"Object", "External"}:
                target = source["target"]
                share = _quarters(target.get("averageValue") or target["value"])
                whole = share * (rng.randint(0, 10) if "averageValue" in target else 1) * max(pressure, 0.01)
                if metric["type"] == "Object":
                    step.answers.object_metrics[name] = _amount(self._near(whole))
                else:
                    parts = rng.choice([0, 1, 1, 1, 2, 3])
                    series = [_amount(self._near(whole / parts)) for _ in range(parts)]
                    step.answers.external_metrics[name] = series

    def _near(self, quarters: float) -> int:
        return round(quarters * self.rng.choice([1.0, 1.0, self.rng.uniform(0.9, 1.1)]))

    def _pod_item(self, pod: PodPlan, pressure: float, now_s: int) -> Object:
        rng, parts = self.rng, list[Object]()
        aim = self._aim()
        for part in [*pod.spec["containers"], *pod.spec.get("initContainers", [])]:
            if part["name"] == "once":
                continue
            requests = part["resources"]["requests"]
            cpu = int(requests.get("cpu", "100m")[:-1]) * pressure * aim * rng.uniform(0.9, 1.1)
            memory = int(requests.get("memory", "64Mi")[:-2]) * pressure * aim * rng.uniform(0.9, 1.1)
            usage = {"cpu": f"{round(cpu * 1e6)}n", "memory": f"{round(memory * 1024)}Ki"}
            if rng.random() < 0.03:
                usage.pop(rng.choice(["cpu", "memory"]))
            parts.append({"name": part["name"], "usage": usage})
        end_s = now_s - rng.choice([0, 3, 8, 20])
        return {
            "metadata": {"name": pod.name, "namespace": f"h-{self.seed}"},
            "timestamp": stamp(end_s),
            "window": f"{rng.choice([10, 15, 30])}s",
            "containers": parts,
        }

    def _aim(self) -> float:
        """Return the share of the requests at which the first resource metric is at its target."""
        for metric in self.metrics:
            source = metric.get("resource") or metric.get("containerResource")
            if source and "averageUtilization" in source["target"]:
                return source["target"]["averageUtilization"] / 100
        return 1.0


def stamp(t_s: int) -> str:
    """Return a time as the API has it."""
    import time

    return time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime(t_s))


def _quarters(amount: str) -> int:
    """Return an amount such as `1250m` in quarters: halves of halves are exact in binary."""
    return int(amount[:-1]) // 250


def _amount(quarters: int) -> str:
    return f"{quarters * 250}m"
