"""Rules about one pod: the restricted Pod Security Standard, resources, probes, images, tokens.

https://kubernetes.io/docs/concepts/security/pod-security-standards/ (as of 1.36)
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from infra.manifests import Manifest
from infra.policy.shape import LONG_RUNNING, Section, containers, items, of_kind, section, subject, workloads
from infra.policy.violation import Violation

_VOLUMES = frozenset(
    {
        "configMap",
        "csi",
        "downwardAPI",
        "emptyDir",
        "ephemeral",
        "persistentVolumeClaim",
        "projected",
        "secret",
    }
)
_SYSCTLS = frozenset(
    {
        "kernel.shm_rmid_forced",
        "net.ipv4.ip_local_port_range",
        "net.ipv4.ip_local_reserved_ports",
        "net.ipv4.ip_unprivileged_port_start",
        "net.ipv4.ping_group_range",
        "net.ipv4.tcp_fin_timeout",
        "net.ipv4.tcp_keepalive_intvl",
        "net.ipv4.tcp_keepalive_probes",
        "net.ipv4.tcp_keepalive_time",
        "net.ipv4.tcp_rmem",
        "net.ipv4.tcp_syncookies",
        "net.ipv4.tcp_wmem",
    }
)
_SECCOMP = frozenset({"RuntimeDefault", "Localhost"})


def pod_security(manifests: Sequence[Manifest]) -> Iterator[Violation]:
    """Every pod is admitted under the restricted standard."""
    for each, pod in workloads(manifests):
        problems = [*_pod_problems(pod)]
        for container in containers(pod):
            problems += [
                f"container {container['name']}: {text}" for text in _container_problems(pod, container)
            ]
        yield from (Violation("pod-security", subject(each), text) for text in problems)


def _pod_problems(pod: Section) -> Iterator[str]:
    yield from (f"{key} is set" for key in ("hostNetwork", "hostPID", "hostIPC") if pod.get(key))
    for volume in items(pod, "volumes"):
        kinds = set(volume) - {"name"}
        if kinds - _VOLUMES:
            yield f"volume {volume['name']} is a {', '.join(sorted(kinds - _VOLUMES))}"
    for sysctl in items(section(pod, "securityContext"), "sysctls"):
        if sysctl["name"] not in _SYSCTLS:
            yield f"sysctl {sysctl['name']} is not a safe one"


def _container_problems(pod: Section, container: Section) -> Iterator[str]:
    own, shared = section(container, "securityContext"), section(pod, "securityContext")
    effective = {**shared, **own}
    if own.get("privileged"):
        yield "privileged"
    if own.get("allowPrivilegeEscalation") is not False:
        yield "allowPrivilegeEscalation is not false"
    if effective.get("runAsNonRoot") is not True:
        yield "runAsNonRoot is not true"
    if effective.get("runAsUser") == 0:
        yield "runAsUser is 0"
    if section(effective, "seccompProfile").get("type") not in _SECCOMP:
        yield "no seccomp profile"
    capabilities = section(own, "capabilities")
    if "ALL" not in (capabilities.get("drop") or ()):
        yield "does not drop ALL capabilities"
    added = set(capabilities.get("add") or ()) - {"NET_BIND_SERVICE"}
    if added:
        yield f"adds capabilities {', '.join(sorted(added))}"
    if own.get("procMount", "Default") != "Default":
        yield "procMount is not the default"
    if any(port.get("hostPort") for port in items(container, "ports")):
        yield "uses a host port"


def read_only_root(manifests: Sequence[Manifest]) -> Iterator[Violation]:
    """No container can write to its root file system."""
    for each, pod in workloads(manifests):
        for container in containers(pod):
            if section(container, "securityContext").get("readOnlyRootFilesystem") is not True:
                detail = f"container {container['name']}: the root file system is writable"
                yield Violation("read-only-root", subject(each), detail)


def resources(manifests: Sequence[Manifest]) -> Iterator[Violation]:
    """Every container requests CPU and memory and has a memory limit.

    A CPU limit is a choice: it bounds a neighbour's harm and costs throttling. A missing request is not: the
    autoscaler reports an error for a pod without one.
    """
    wanted = (("requests", "cpu"), ("requests", "memory"), ("limits", "memory"))
    for each, pod in workloads(manifests):
        for container in containers(pod):
            given = section(container, "resources")
            for kind, name in wanted:
                if name not in section(given, kind):
                    yield Violation(
                        "resources", subject(each), f"container {container['name']}: no {kind}.{name}"
                    )


def probes(manifests: Sequence[Manifest]) -> Iterator[Violation]:
    """A container that runs on is restarted when it hangs and gets no traffic before it is ready."""
    for each, pod in workloads(manifests):
        if each["kind"] not in LONG_RUNNING:
            continue
        for container in items(pod, "containers"):
            for probe in ("livenessProbe", "readinessProbe"):
                if not container.get(probe):
                    yield Violation("probes", subject(each), f"container {container['name']}: no {probe}")


def image_tags(manifests: Sequence[Manifest]) -> Iterator[Violation]:
    """An image reference says which version it means."""
    for each, pod in workloads(manifests):
        for container in containers(pod):
            image = str(container["image"])
            tag = image.rpartition("/")[2].partition(":")[2]
            if "@sha256:" not in image and tag in ("", "latest"):
                yield Violation("image-tag", subject(each), f"container {container['name']}: {image}")


def service_account_tokens(manifests: Sequence[Manifest]) -> Iterator[Violation]:
    """A pod gets a token only when some binding gives its account a right to use it for."""
    bound = {
        (person.get("namespace"), person["name"])
        for binding in of_kind(manifests, "RoleBinding", "ClusterRoleBinding")
        for person in items(binding, "subjects")
        if person["kind"] == "ServiceAccount"
    }
    for each, pod in workloads(manifests):
        account = (section(each, "metadata").get("namespace"), pod.get("serviceAccountName"))
        if pod.get("automountServiceAccountToken") is not False and account not in bound:
            detail = f"mounts the token of the account {account[1] or 'default'}, which is given no right"
            yield Violation("service-account-token", subject(each), detail)
