"""The files an engine of our own is started with."""

from __future__ import annotations

import json
import shlex
import sys
from pathlib import Path

from tidegate.host import bounded_runtime
from tidegate.host.daemon.layout import Layout
from tidegate.host.daemon.record import write_atomically
from tidegate.host.daemon.settings import EngineSettings

BOUNDED = "tidegate-bounded"
"""Name under which the engine knows the bounded OCI runtime."""


def dockerd_config(layout: Layout, settings: EngineSettings, *, bounded: bool) -> dict[str, object]:
    """dockerd's configuration: only keys that every version from 20.10 on knows, as it refuses others.

    The socket belongs to root alone: whoever can write to it is root on this machine.
    """
    config: dict[str, object] = {
        "hosts": [layout.host],
        "group": "root",
        "data-root": str(layout.data),
        "exec-root": str(layout.exec_root),
        "pidfile": str(layout.pid_file),
        "containerd": str(layout.containerd_socket),
        "shutdown-timeout": settings.shutdown_timeout_s,
        "log-driver": "json-file",
        "log-opts": {"max-size": "10m", "max-file": "3"},
        "iptables": settings.iptables,
    }
    if not settings.iptables:
        config["ip6tables"] = False
        config["ip-masq"] = False
    if settings.bridge is not None:
        config["bridge"] = settings.bridge
    elif settings.bip is not None:
        config["bip"] = settings.bip
    if bounded:
        config["default-runtime"] = BOUNDED
        config["runtimes"] = {BOUNDED: {"path": str(layout.runtime_shim)}}
    return config


def containerd_config(layout: Layout) -> str:
    """containerd's configuration (format 2, read by 1.4 and everything later).

    A containerd of our own keeps a system's own untouched: dockerd would otherwise use whichever listens at
    the usual place, with the same namespace as any other engine. The interface for kubelets is off, and so
    is the plugin that makes a folder in /opt.
    """
    quoted = {
        "root": json.dumps(str(layout.data / "containerd")),
        "state": json.dumps(str(layout.exec_root / "containerd")),
        "address": json.dumps(str(layout.containerd_socket)),
    }
    return (
        "version = 2\n"
        f"root = {quoted['root']}\n"
        f"state = {quoted['state']}\n"
        'disabled_plugins = ["io.containerd.grpc.v1.cri", "io.containerd.internal.v1.opt"]\n'
        "\n[grpc]\n"
        f"address = {quoted['address']}\n"
    )


def runtime_shim(interpreter: Path, script: Path) -> str:
    """The program that starts the bounded runtime: a shell script, because a `#!` line cannot hold it all."""
    words = shlex.join([str(interpreter), "-I", "-S", str(script)])
    return f'#!/bin/sh\nexec {words} "$@"\n'


def write_config(layout: Layout, settings: EngineSettings, *, bounded: bool) -> None:
    """Write all files the daemons read at their start."""
    config = dockerd_config(layout, settings, bounded=bounded)
    write_atomically(layout.config, json.dumps(config, indent=2) + "\n")
    write_atomically(layout.containerd_config, containerd_config(layout))
    if bounded:
        source = Path(bounded_runtime.__file__).read_text(encoding="utf-8")
        write_atomically(layout.runtime_script, source, mode=0o644)
        # Not the virtual environment's link: that one can vanish while containers run.
        interpreter = Path(sys.executable).resolve()
        write_atomically(layout.runtime_shim, runtime_shim(interpreter, layout.runtime_script), mode=0o755)
