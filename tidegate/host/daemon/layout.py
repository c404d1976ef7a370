"""Where an engine of our own keeps its files."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from tidegate.host.paths import state_dir

UNIX_PATH_MAX = 107
"""Longest path of a Unix socket in bytes: 108 with the closing zero, unix(7)."""

_LONGEST_BELOW = "exec/libnetwork/0123456789ab.sock"
"""The longest socket path the daemons make below the run folder."""


@dataclass(frozen=True)
class Layout:
    """The paths of one engine. One state folder has at most one engine.

    `root` lasts; `run` holds the sockets and the state of running containers. They are the same folder
    unless a socket's path would be too long for the kernel; then `run` is a short one below /run.
    """

    root: Path
    run: Path

    @classmethod
    def of(cls, state: Path | None = None, *, run_base: Path = Path("/run")) -> Layout:
        """The layout below a state folder, by default the user's own."""
        root = (state or state_dir()).resolve() / "engine"
        if len(str(root / _LONGEST_BELOW).encode()) <= UNIX_PATH_MAX:
            return cls(root=root, run=root)
        digest = hashlib.sha256(str(root).encode()).hexdigest()[:12]
        return cls(root=root, run=run_base / f"tidegate-{digest}")

    @property
    def data(self) -> Path:
        """Images, containers, volumes: what `remove_data` deletes."""
        return self.root / "data"

    @property
    def exec_root(self) -> Path:
        """State of running containers; worthless after a reboot."""
        return self.run / "exec"

    @property
    def socket(self) -> Path:
        """Where the engine answers."""
        return self.run / "docker.sock"

    @property
    def host(self) -> str:
        """The engine's address as DOCKER_HOST wants it."""
        return f"unix://{self.socket}"

    @property
    def containerd_socket(self) -> Path:
        """Where the engine's own containerd answers. The system's containerd, if any, is not used."""
        return self.run / "containerd.sock"

    @property
    def pid_file(self) -> Path:
        """Written by dockerd."""
        return self.root / "docker.pid"

    @property
    def config(self) -> Path:
        """dockerd's configuration; its path on the command line is how we know a process for ours."""
        return self.root / "daemon.json"

    @property
    def containerd_config(self) -> Path:
        """containerd's configuration; likewise our mark on the process."""
        return self.root / "containerd.toml"

    @property
    def log(self) -> Path:
        """What dockerd writes."""
        return self.root / "dockerd.log"

    @property
    def containerd_log(self) -> Path:
        """What containerd and its shims write."""
        return self.root / "containerd.log"

    @property
    def record(self) -> Path:
        """What we know of the engine: see `record.Record`."""
        return self.root / "engine.json"

    @property
    def runtime_shim(self) -> Path:
        """The generated program that starts the bounded OCI runtime."""
        return self.root / "tidegate-runc"

    @property
    def runtime_script(self) -> Path:
        """A copy of the bounded runtime, so that running containers outlive a moved checkout."""
        return self.root / "bounded_runtime.py"
