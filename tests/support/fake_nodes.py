"""A container engine and a cluster in memory, and workers that work when told to."""

from __future__ import annotations

from collections.abc import Callable
from concurrent.futures import Executor, Future
from typing import Any

from tidegate.errors import TidegateError
from tidegate.models.node_group import NodeGroup
from tidegate.nodes.host import Capacity
from tidegate.nodes.marks import ORDER, Mark, Stage

SMALL = NodeGroup(name="small", max_nodes=3, cpu_m=500, memory_mi=512)
LARGE = NodeGroup(name="large", min_nodes=1, max_nodes=2, cpu_m=1500, memory_mi=2048, dedicated=True)
MACHINE = Capacity(cpu_m=2000, memory_ki=8 * 1024 * 1024, storage_ki=1000, architecture="amd64")


class FakeHost:
    """Keeps marks and containers as the engine would; what is in `failing` fails."""

    def __init__(self) -> None:
        self.volumes: dict[tuple[str, Stage], Mark] = {}
        self.running: dict[str, str] = {}
        self.calls: list[str] = []
        self.failing: dict[str, str] = {}
        self.during_start: Callable[[str], None] = lambda node: None

    def marks(self) -> list[Mark]:
        return list(self.volumes.values())

    def put(self, mark: Mark) -> None:
        self.volumes.setdefault((mark.node, mark.stage), mark)

    def clear(self, node: str) -> None:
        for stage in ORDER:
            self.volumes.pop((node, stage), None)

    def containers(self) -> dict[str, str]:
        return dict(self.running)

    def start(self, node: str, group: NodeGroup) -> None:
        self._do("start", node)
        self.running[node] = group.name
        self.during_start(node)

    def stock(self, node: str, go_on: Callable[[], bool]) -> None:
        if go_on():
            self._do("stock", node)

    def discard(self, node: str) -> None:
        self._do("discard", node)
        self.running.pop(node, None)

    def drain(self, node: str) -> None:
        self._do("drain", node)

    def capacity(self) -> Capacity:
        return MACHINE

    def _do(self, what: str, node: str) -> None:
        self.calls.append(f"{what} {node}")
        if what in self.failing:
            raise TidegateError(self.failing[what])


class Later(Executor):
    """Runs what it was given when `work` is called, in order, on the caller's thread."""

    def __init__(self) -> None:
        self.jobs: list[Callable[[], Any]] = []

    def submit(self, fn: Callable[..., Any], /, *args: Any, **kwargs: Any) -> Future[Any]:
        self.jobs.append(lambda: fn(*args, **kwargs))
        return Future()

    def work(self) -> None:
        while self.jobs:
            self.jobs.pop(0)()
