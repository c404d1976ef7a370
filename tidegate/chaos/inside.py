"""What the probe runs inside a pod, by the interpreter of the service's own image.

It is sent as text to `python -I -S -`: nothing of it is installed there, and it sees what the service sees:
the pod's network, its resolver, its cgroup.
"""

import contextlib
import json
import os
import pathlib
import socket
import time
from email.utils import parsedate_to_datetime

TIMEOUT_S = 0.9  # below the second after which a lost SYN is sent again: a lost one counts as lost
DATABASES = (
    ("redis", "redis.data.svc.cluster.local", 6379),
    ("postgres", "postgres.data.svc.cluster.local", 5432),
)


def read(*names: str) -> str:
    """Return the first of these files that can be read."""
    for name in names:
        try:
            return pathlib.Path("/sys/fs/cgroup", name).read_text()
        except OSError:
            continue
    return ""


def table(text: str) -> dict[str, float]:
    """Return lines of `name number` as a mapping."""
    return {line.split()[0]: float(line.split()[1]) for line in text.splitlines() if len(line.split()) == 2}


found: list[list[object]] = []


def add(name: str, value: float, to: str = "") -> None:
    """Keep one figure."""
    found.append([name, to, value])


def own_cpu_s() -> float:
    """Return the CPU seconds of the service: of its first process, those it started, and those that ended."""
    ticks, parents = dict[int, float](), dict[int, int]()
    for folder in pathlib.Path("/proc").iterdir():
        with contextlib.suppress(OSError, ValueError, IndexError):
            pid = int(folder.name)
            row = (folder / "stat").read_text().rpartition(")")[2].split()
            ticks[pid], parents[pid] = sum(float(each) for each in row[11:15]), int(row[1])
    own = {1}
    while more := {pid for pid, parent in parents.items() if parent in own} - own:
        own |= more
    return sum(ticks.get(pid, 0.0) for pid in own) / os.sysconf("SC_CLK_TCK")


cpu = table(read("cpu.stat", "cpu/cpu.stat", "cpu,cpuacct/cpu.stat"))
throttled_s = cpu.get("throttled_usec", 0) / 1e6 or cpu.get("throttled_time", 0) / 1e9
add("probe_throttled_s", throttled_s)
used = read("cpuacct/cpuacct.usage", "cpu,cpuacct/cpuacct.usage").strip()
used_s = cpu["usage_usec"] / 1e6 if "usage_usec" in cpu else float(used) / 1e9 if used else None
if used_s is not None:
    add("probe_others_cpu_s", used_s - own_cpu_s())
memory = read("memory.current", "memory/memory.usage_in_bytes").strip()
if memory:
    add("probe_memory_bytes", float(memory))

for to, host, port in DATABASES:
    began = time.monotonic()
    address = None
    with contextlib.suppress(OSError):
        address = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)[0][4]
    add("probe_resolve_ok", float(address is not None), to)
    add("probe_resolve_ms", 1000 * (time.monotonic() - began), to)
    if address is None:
        continue
    began = time.monotonic()
    try:
        socket.create_connection((str(address[0]), port), TIMEOUT_S).close()
        add("probe_connect_ms", 1000 * (time.monotonic() - began), to)
        add("probe_connect_ok", 1.0, to)
    except OSError:
        add("probe_connect_ok", 0.0, to)

try:
    # By the pod's own address, so that what is between the network and the process is passed.
    own = socket.gethostbyname(socket.gethostname())
    with socket.create_connection((own, 8000), TIMEOUT_S) as line:
        line.sendall(b"GET /healthz HTTP/1.0\r\nHost: probe\r\n\r\n")
        line.settimeout(TIMEOUT_S)
        answer = b""
        while chunk := line.recv(4096):
            answer += chunk
    head = answer.split(b"\r\n\r\n")[0].decode("latin-1")
    add("probe_answered", float(head.startswith("HTTP/")))
    for row in head.split("\r\n"):
        if row.lower().startswith("date:"):
            said = parsedate_to_datetime(row[5:].strip()).timestamp()
            add("probe_clock_s", said + 0.5 - time.time())  # the header has whole seconds
except OSError:
    add("probe_answered", 0.0)

with contextlib.suppress(OSError):
    began = time.monotonic()
    handle = os.open("/tmp/.probe", os.O_WRONLY | os.O_CREAT, 0o600)  # noqa: S108
    os.write(handle, b"x" * 4096)
    os.fsync(handle)
    os.close(handle)
    add("probe_write_ms", 1000 * (time.monotonic() - began))

print(json.dumps(found))
