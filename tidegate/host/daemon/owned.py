"""Which processes of this machine belong to an engine of our own, and which to another engine."""

from __future__ import annotations

from dataclasses import dataclass

from tidegate.host.daemon.layout import Layout
from tidegate.host.daemon.processes import Process, matching, namespace


@dataclass(frozen=True)
class Owned:
    """The live processes of one engine.

    They are known by their command lines, which name files below our own folder. A process number from a
    file would prove nothing: after a crash it may be anybody's.
    """

    dockerd: list[Process]
    containerd: list[Process]
    shims: list[Process]

    def __bool__(self) -> bool:
        return bool(self.dockerd or self.containerd or self.shims)


def dockerd_mark(layout: Layout) -> str:
    """The argument by which a dockerd is ours."""
    return f"--config-file={layout.config}"


def containerd_mark(layout: Layout) -> str:
    """The argument by which a containerd is ours."""
    return f"--config={layout.containerd_config}"


def owned(layout: Layout) -> Owned:
    """The engine's processes that run now."""
    address = str(layout.containerd_socket)
    return Owned(
        dockerd=matching("dockerd", lambda words: dockerd_mark(layout) in words),
        containerd=matching("containerd", lambda words: containerd_mark(layout) in words),
        shims=[
            shim
            for name in ("containerd-shim-runc-v2", "containerd-shim-runc-v1", "containerd-shim")
            for shim in matching(name, lambda words: address in words)
        ],
    )


def other_engines(layout: Layout) -> list[Process]:
    """Engines that share this machine's network with ours: they share firewall chains with it too."""
    here = namespace("self", "net")
    others = matching("dockerd", lambda words: dockerd_mark(layout) not in words)
    return [each for each in others if namespace(each.pid, "net") in (here, None)]
