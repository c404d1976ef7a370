"""Many histories at once against one real control plane, then compared."""

from __future__ import annotations

import json
import threading
from collections.abc import Generator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import httpx
from differential.compare import CONTROLLER, GATES, Compared, compare
from differential.control_plane import ControlPlane
from differential.driver import Driven, Driver
from differential.fence import Fence
from differential.generator import CPU_INITIALIZATION_S, DOWNSCALE_S, READINESS_DELAY_S
from differential.metrics_api import APIS, MetricsApi
from differential.witness import Witnessed, witnessed
from support.children import wait_until

from tidegate.simulate.hpa import Controller

SYNC_PERIOD = "400ms"
"""Time between the syncs of one autoscaler. It decides nothing, only how long a test takes."""


@dataclass
class Bench:
    """A running control plane with the script's metrics APIs."""

    plane: ControlPlane
    api: MetricsApi
    fence: Fence
    client: httpx.Client

    def record(self, seeds: Sequence[int], syncs: int, at_once: int) -> Record:
        """Drive one history a seed and stop the controller.

        Raises:
            AssertionError: a history could not be driven to its end.
        """
        stopped, failures = threading.Event(), list[BaseException]()

        def drive(seed: int) -> Driven:
            try:
                driver = Driver(seed, self.client, self.api, self.fence, self.plane.died)
                return driver.run(syncs, stopped)
            except BaseException as error:
                failures.append(error)
                stopped.set()
                raise

        with ThreadPoolExecutor(at_once) as pool:
            try:
                driven = list(pool.map(drive, seeds))
            except BaseException:  # also an interruption of whoever waits here
                stopped.set()
                self.fence.stop()
                pool.shutdown(wait=False, cancel_futures=True)
                if failures:  # the first one tells why; those after it only that there was one
                    raise failures[0] from None
                raise
        self.plane.stop_controller()
        return Record(driven, witnessed(self.plane.audit, self.plane.log("kube-controller-manager")))


@dataclass(frozen=True)
class Record:
    """What was shown to the controller, and what it did."""

    driven: list[Driven]
    witnessed: dict[str, list[Witnessed]]

    def compared(self, controller: Controller = CONTROLLER) -> Compared:
        """Return what comes of deciding every sync anew.

        Raises:
            AssertionError: the record is not whole.
        """
        result = Compared()
        for one in self.driven:
            compare(one, self.witnessed[one.namespace], result, controller)
        return result


@contextmanager
def bench(programs: dict[str, Path], folder: Path, workers: int) -> Generator[Bench]:
    """Run the control plane, the metrics APIs and the fence; stop all of it, whatever happens.

    Args:
        programs: where etcd, kube-apiserver and kube-controller-manager lie.
        folder: for everything they write.
        workers: histories at once; a held sync keeps one of the controller's workers.
    """
    plane = ControlPlane(programs, folder, [f"{name}={str(on).lower()}" for name, on in GATES.items()])
    api = fence = None
    try:
        plane.start()
        api = MetricsApi(plane.certificate, plane.key)
        api.start()
        with plane.client() as client:
            _register(client, api.port)
            plane.start_controller(
                [
                    f"--horizontal-pod-autoscaler-sync-period={SYNC_PERIOD}",
                    f"--horizontal-pod-autoscaler-downscale-stabilization={DOWNSCALE_S}s",
                    f"--horizontal-pod-autoscaler-cpu-initialization-period={CPU_INITIALIZATION_S}s",
                    f"--horizontal-pod-autoscaler-initial-readiness-delay={READINESS_DELAY_S}s",
                    f"--concurrent-horizontal-pod-autoscaler-syncs={workers + 4}",
                ]
            )
            fence = Fence(client, api)
            fence.start()
            yield Bench(plane, api, fence, client)
    finally:
        if fence is not None:
            fence.stop()
        if api is not None:
            api.release()
        plane.stop()
        if api is not None:
            api.stop()


def _register(client: httpx.Client, port: int) -> None:
    """Tell the API server where the metrics APIs are, and wait until it finds them."""
    body = {
        "metadata": {"name": "metrics"},
        # A name instead of an address of the cluster's network: there is no such network.
        "spec": {"type": "ExternalName", "externalName": "127.0.0.1", "ports": [{"port": port}]},
    }
    answer = client.post("/api/v1/namespaces/default/services", json=body)
    assert not answer.is_error, answer.text
    for group, version in APIS.items():
        spec = {
            "service": {"namespace": "default", "name": "metrics", "port": port},
            "group": group,
            "version": version,
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
            "insecureSkipTLSVerify": True,
        }
        made = {"metadata": {"name": f"{version}.{group}"}, "spec": spec}
        answer = client.post("/apis/apiregistration.k8s.io/v1/apiservices", json=made)
        assert not answer.is_error, answer.text

    def found() -> bool:
        answers = [client.get(f"/apis/{group}/{version}") for group, version in APIS.items()]
        return all(one.status_code == 200 and '"resources"' in one.text for one in answers)

    wait_until(found, within_s=120, what="the metrics APIs behind the API server")


def shown(result: Compared) -> str:
    """Return the figures of a comparison as JSON."""
    return json.dumps(
        {
            "syncs": result.syncs,
            "differences": len(result.differences),
            "histories undetermined": result.undetermined,
            "reached": dict(sorted(result.reached.items())),
        },
        indent=1,
    )
