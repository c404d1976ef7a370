"""The objects of one load: a Job that directs, an indexed Job that generates, and the Secret of both.

Nothing of them outlives a tool that was killed: an agent that nobody asks ends its pod, every Job has a
deadline and is removed some time after its end, and the Secret belongs to the master's Job.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from tidegate.load.handover import PASSWORD_VARIABLE, RUN_VARIABLE
from tidegate.load.pods.names import (
    AGENT_PORT,
    COMPONENT_LABEL,
    GENERATOR_LABELS,
    IMAGE_FOLDER,
    LOAD_LABEL,
    MASTER,
    MASTER_PORT,
    NAMESPACE,
    PASSWORD_KEY,
    RECORD_FOLDER,
    UID,
    WORKER,
)
from tidegate.models.load import LoadConfig
from tidegate.models.node_group import GROUP_LABEL

Manifest = dict[str, Any]

START_S = 120
"""Seconds that the workers may take to come once they were asked for: their images lie on the nodes."""
HAND_OVER_S = 120
"""Seconds that the rest of the record may take to be brought out after the load."""
PATIENCE_S = 90
"""Seconds without a question after which an agent takes it that the tool is gone: longer than the API server
is away when its node is restarted."""
SCENARIOS = f"{IMAGE_FOLDER}/loadtests"
"""Where the image has them."""
KEPT_S = 300
"""Seconds that an ended Job stays, to be looked at."""
GRACE_S = 30
"""Seconds a pod has to end when it is deleted: Locust writes what it has."""

MASTER_RESOURCES: dict[str, dict[str, str]] = {
    "requests": {"cpu": "100m", "memory": "256Mi"},
    "limits": {"cpu": "500m", "memory": "384Mi"},
}
"""It sends no request; of each worker it hears a message a second."""


@dataclass(frozen=True)
class LoadJobs:
    """One load as the cluster is asked for it.

    Args:
        name: of the load, unique in the namespace, a DNS label of at most 40 characters.
        image: image reference.
        scenario: file name in the image's `loadtests/`.
        flags: the scenario's parameters, as Locust's flags.
        target: base URL of the gateway; by address, nothing in the pods resolves names.
        allowed_host: the one host that may be loaded beside the pod itself; that of `target`.
        workers: how many generate.
        config: their size.
        lasts_s: most seconds from the first request to the last answer.
        folder: where the scenarios lie in the image.
    """

    name: str
    image: str
    scenario: str
    flags: tuple[str, ...]
    target: str
    allowed_host: str
    workers: int
    config: LoadConfig
    lasts_s: float
    folder: str = SCENARIOS

    @property
    def master_name(self) -> str:
        """Name of the Job that directs."""
        return f"{self.name}-{MASTER}"

    @property
    def worker_name(self) -> str:
        """Name of the Job whose pods generate."""
        return f"{self.name}-{WORKER}"

    def secret(self, password: str) -> Manifest:
        """Return the Secret that holds the seeded accounts' password for this load."""
        return {
            "apiVersion": "v1",
            "kind": "Secret",
            "metadata": self._meta(self.name),
            "type": "Opaque",
            "stringData": {PASSWORD_KEY: password},
        }

    def master(self) -> Manifest:
        """Return the Job that directs. It is not tried again: a load has one beginning."""
        words = [
            *("--master", "--master-bind-host", "$(POD_IP)", "--master-bind-port", str(MASTER_PORT)),
            *("--expect-workers", str(self.workers), "--expect-workers-max-wait", str(START_S)),
            # Failed requests are the verdict's business; another exit code means the load itself failed.
            *("--enable-rebalancing", "--exit-code-on-error", "0", "--only-summary"),
        ]
        job = self._job(self.master_name, MASTER, words, MASTER_RESOURCES)
        return {**job, "spec": {**job["spec"], "backoffLimit": 0}}

    def worker(self, master_address: str) -> Manifest:
        """Return the Job whose pods generate.

        A pod that is lost is not made anew, and takes no other with it: Locust moves its share to the rest.

        Args:
            master_address: IP address of the master's pod.
        """
        config = self.config
        sizes = {
            "requests": {"cpu": f"{config.worker_cpu_request_m}m", "memory": f"{config.worker_memory_mi}Mi"},
            "limits": {"cpu": f"{config.worker_cpu_limit_m}m", "memory": f"{config.worker_memory_mi}Mi"},
        }
        words = [
            *("--worker", "--master-host", master_address, "--master-port", str(MASTER_PORT)),
            *("--expect-workers", str(self.workers), "--exit-code-on-error", "0"),
        ]
        job = self._job(self.worker_name, WORKER, words, sizes)
        several = {
            "completionMode": "Indexed",
            "completions": self.workers,
            "parallelism": self.workers,
            "backoffLimitPerIndex": 0,
        }
        return {**job, "spec": {**job["spec"], **several}}

    def _meta(self, name: str, component: str = "") -> dict[str, Any]:
        labels = {**GENERATOR_LABELS, LOAD_LABEL: self.name}
        return {
            "name": name,
            "namespace": NAMESPACE,
            "labels": {**labels, COMPONENT_LABEL: component} if component else labels,
        }

    def _job(self, name: str, component: str, words: list[str], sizes: dict[str, Any]) -> Manifest:
        labels = self._meta(name, component)["labels"]
        # Its time counts from its start, and the master's goes on while the workers come.
        deadline_s = 2 * START_S + int(self.lasts_s) + HAND_OVER_S + PATIENCE_S
        return {
            "apiVersion": "batch/v1",
            "kind": "Job",
            "metadata": self._meta(name, component),
            "spec": {
                "activeDeadlineSeconds": deadline_s,
                "ttlSecondsAfterFinished": KEPT_S,
                "podReplacementPolicy": "Failed",
                "template": {
                    "metadata": {
                        "labels": labels,
                        # The cluster-autoscaler would take a node from under the load it is measured with.
                        "annotations": {"cluster-autoscaler.kubernetes.io/safe-to-evict": "false"},
                    },
                    "spec": self._pod(component, words, sizes),
                },
            },
        }

    def _pod(self, component: str, words: list[str], sizes: dict[str, Any]) -> dict[str, Any]:
        spread = {
            "maxSkew": 1,
            "topologyKey": "kubernetes.io/hostname",
            "whenUnsatisfiable": "ScheduleAnyway",
            "labelSelector": {"matchLabels": {LOAD_LABEL: self.name}},
        }
        # Generators are no reason to add a node, nor to keep one.
        steady = {"key": GROUP_LABEL, "operator": "DoesNotExist"}
        terms = [{"matchExpressions": [steady]}]
        return {
            "restartPolicy": "Never",
            "automountServiceAccountToken": False,
            "enableServiceLinks": False,
            "terminationGracePeriodSeconds": GRACE_S,
            "securityContext": {
                "runAsNonRoot": True,
                "runAsUser": UID,
                "runAsGroup": UID,
                "fsGroup": UID,
                "seccompProfile": {"type": "RuntimeDefault"},
            },
            "affinity": {
                "nodeAffinity": {
                    "requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": terms}
                }
            },
            "topologySpreadConstraints": [spread],
            "containers": [self._container(component, words, sizes)],
            "volumes": [
                {"name": "record", "emptyDir": {"sizeLimit": "1Gi"}},
                {"name": "tmp", "emptyDir": {"sizeLimit": "64Mi"}},
            ],
        }

    def _container(self, component: str, words: list[str], sizes: dict[str, Any]) -> dict[str, Any]:
        agent = ["--bind", "$(POD_IP)", "--port", str(AGENT_PORT), "--patience-s", str(PATIENCE_S)]
        common = ["-f", f"{self.folder}/{self.scenario}", "--headless", "--host", self.target]
        mine = [*common, *words, *self.flags, "--allow-host", self.allowed_host]
        password = {"secretKeyRef": {"name": self.name, "key": PASSWORD_KEY}}
        return {
            "name": component,
            "image": self.image,
            "imagePullPolicy": "IfNotPresent",
            "command": ["python3", "-m", "tidegate.load.pods.agent"],
            "args": [*agent, "--", *mine],
            "env": [
                {"name": "POD_IP", "valueFrom": {"fieldRef": {"fieldPath": "status.podIP"}}},
                {"name": RUN_VARIABLE, "value": RECORD_FOLDER},
                {"name": PASSWORD_VARIABLE, "valueFrom": password},
            ],
            "ports": [
                {"name": "record", "containerPort": AGENT_PORT, "protocol": "TCP"},
                *(
                    [{"name": "locust", "containerPort": MASTER_PORT, "protocol": "TCP"}]
                    if component == MASTER
                    else []
                ),
            ],
            "resources": sizes,
            "securityContext": {
                "allowPrivilegeEscalation": False,
                "capabilities": {"drop": ["ALL"]},
                "readOnlyRootFilesystem": True,
            },
            "volumeMounts": [
                {"name": "record", "mountPath": RECORD_FOLDER},
                {"name": "tmp", "mountPath": "/tmp"},  # noqa: S108 - a path in the pod
            ],
        }
