"""What the kernel offers: control groups, watches, overlay, firewall, traffic shaping.

Where the engine runs in a virtual machine of its own (macOS) there is no `/proc` to read, and these
checks say nothing.
"""

from __future__ import annotations

import gzip
import os
import platform
import re
import shutil
from pathlib import Path

from tidegate.host.facts import Facts
from tidegate.host.report import Check, Outcome
from tidegate.proc import run

NEEDED_CONTROLLERS = ("cpu", "cpuset", "memory", "pids")
INOTIFY_INSTANCES = 512
INOTIFY_WATCHES = 524_288
"""What kind asks for: https://kind.sigs.k8s.io/docs/user/known-issues/, "too many open files"."""


def _check(name: str, outcome: Outcome, found: str, cure: str = "") -> Check:
    return Check(group="kernel", name=name, outcome=outcome, found=found, cure=cure)


def cgroup_controllers(mountinfo: str, unified: str) -> tuple[int, set[str]]:
    """Version and controllers of the control groups.

    Args:
        mountinfo: text of `/proc/self/mountinfo`.
        unified: text of `cgroup.controllers` in the root of version 2, empty if there is none.
    """
    first: set[str] = set()
    versions: set[int] = set()
    for line in mountinfo.splitlines():
        before, _, after = line.partition(" - ")
        fields = after.split(" ")
        if fields[0] == "cgroup2":
            versions.add(2)
        elif fields[0] == "cgroup" and len(fields) > 2:
            versions.add(1)
            first |= set(fields[2].split(",")) & set(NEEDED_CONTROLLERS)
        del before
    if 1 in versions and first:
        return 1, first
    return (2, set(unified.split())) if 2 in versions else (0, set())


def judge_cgroup(version: int, controllers: set[str]) -> Check:
    """Version 2 with all controllers is what a cluster on real machines has."""
    missing = [name for name in NEEDED_CONTROLLERS if name not in controllers]
    if version == 0 or missing:
        told = f"version {version} without {', '.join(missing)}" if version else "none is mounted"
        cure = "boot with systemd, or mount the controllers below /sys/fs/cgroup"
        return _check("control groups", Outcome.FAIL, told, cure)
    if version == 1:
        return _check(
            "control groups",
            Outcome.WARN,
            "version 1; the kubelet only runs with an exception, which the cluster's configuration makes",
            "nothing must be done; version 2 is what clusters in production have",
        )
    return _check("control groups", Outcome.OK, "version 2")


def cgroup_check(facts: Facts) -> list[Check]:
    """Version of the control groups, and the controllers pods need."""
    mountinfo = facts.proc / "self/mountinfo"
    if not mountinfo.is_file():
        return []
    unified = Path("/sys/fs/cgroup/cgroup.controllers")
    text = unified.read_text() if unified.is_file() else ""
    return [judge_cgroup(*cgroup_controllers(mountinfo.read_text(), text))]


def judge_inotify(instances: int, watches: int) -> Check:
    """Every node runs many programs that watch files; with few instances the third node fails to start."""
    found = f"{instances} instances, {watches} watches"
    if instances >= INOTIFY_INSTANCES and watches >= INOTIFY_WATCHES:
        return _check("file watches", Outcome.OK, found)
    wanted = (
        f"fs.inotify.max_user_instances={max(instances, INOTIFY_INSTANCES)} "
        f"fs.inotify.max_user_watches={max(watches, INOTIFY_WATCHES)}"
    )
    cure = f"run `sudo sysctl {wanted}`"
    return _check("file watches", Outcome.WARN, f"{found}: few for more than two nodes", cure)


def inotify_check(facts: Facts) -> list[Check]:
    """Limits of inotify, which containers share."""
    folder = facts.proc / "sys/fs/inotify"
    try:
        instances = int((folder / "max_user_instances").read_text())
        watches = int((folder / "max_user_watches").read_text())
    except (OSError, ValueError):
        return []
    return [judge_inotify(instances, watches)]


def kernel_option(name: str, module: str, *, proc: Path = Path("/proc")) -> bool | None:
    """Whether the kernel has a feature, built in or as a module; None if nothing tells.

    Asked in turn: loaded modules, the kernel's own configuration, the module lists of the installation.
    """
    if Path("/sys/module", module).is_dir():
        return True
    release = platform.release()
    boot = Path(f"/boot/config-{release}")
    text = ""
    try:
        if (proc / "config.gz").is_file():
            text = gzip.decompress((proc / "config.gz").read_bytes()).decode()
        elif boot.is_file():
            text = boot.read_text()
    except (OSError, EOFError):
        text = ""
    if text:
        return bool(re.search(rf"^{name}=[ym]$", text, re.MULTILINE))
    lists = [Path(f"/lib/modules/{release}/modules.{kind}") for kind in ("dep", "builtin")]
    there = [path.read_text(errors="replace") for path in lists if path.is_file()]
    pattern = re.compile(rf"/{module.replace('_', '[-_]')}\.ko")
    return any(pattern.search(each) for each in there) if there else None


def overlay_check(facts: Facts) -> list[Check]:
    """The overlay file system, which image layers are stacked with."""
    listing = facts.proc / "filesystems"
    if not listing.is_file():
        return []
    there = "\toverlay\n" in listing.read_text() or kernel_option("CONFIG_OVERLAY_FS", "overlay") is True
    if there:
        return [_check("overlay", Outcome.OK, "there")]
    return [
        _check("overlay", Outcome.WARN, "not seen: the engine may copy whole layers", "load module overlay")
    ]


def iptables_check(facts: Facts) -> list[Check]:
    """iptables, which an engine writes its rules with; asked only where we might start one."""
    if platform.system() != "Linux" or facts.engine() is not None:
        return []
    program = shutil.which("iptables") or shutil.which("iptables", path="/usr/sbin:/sbin")
    if program is None:
        cure = "`tidegate up` installs it on Debian, as root"
        return [_check("iptables", Outcome.WARN, "not installed", cure)]
    if os.geteuid() != 0:
        return [_check("iptables", Outcome.OK, f"{program}; only root can try it")]
    done = run([program, "-w", "2", "-t", "nat", "-S"], check=False, timeout_s=5)
    if done.returncode == 0:
        return [_check("iptables", Outcome.OK, f"{program}, rules can be read")]
    reason = (done.stderr.strip().splitlines() or ["it fails"])[-1]
    return [
        _check("iptables", Outcome.FAIL, reason, "try the other kind: update-alternatives --config iptables")
    ]


def bridge_filter_check(facts: Facts) -> list[Check]:
    """Whether traffic between pods on one node passes the firewall, as services on it need."""
    if platform.system() != "Linux":
        return []
    switch = facts.proc / "sys/net/bridge/bridge-nf-call-iptables"
    if switch.is_file() or kernel_option("CONFIG_BRIDGE_NETFILTER", "br_netfilter"):
        return [_check("bridge filter", Outcome.OK, "there")]
    told = "not seen: a pod may not reach itself through its own service"
    return [_check("bridge filter", Outcome.WARN, told, "load module br_netfilter")]


def netem_check(facts: Facts) -> list[Check]:
    """Traffic shaping that delays and drops: some faults need it, nothing else does."""
    del facts
    if platform.system() != "Linux":
        return []
    there = kernel_option("CONFIG_NET_SCH_NETEM", "sch_netem")
    if there is False:
        return [
            _check(
                "netem",
                Outcome.WARN,
                "not in this kernel: network delay and loss cannot be injected, all other faults can",
                "use a kernel with CONFIG_NET_SCH_NETEM for those",
            )
        ]
    return [_check("netem", Outcome.OK, "there" if there else "this kernel does not tell")]
