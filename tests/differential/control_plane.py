"""A real control plane without nodes: etcd, kube-apiserver, and kube-controller-manager with one controller.

All of it is on free ports of 127.0.0.1 and in one folder. The API server writes an audit log in which every
request of the controller is, with what it was answered: the proof of what the controller saw and did.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
from collections.abc import Mapping, Sequence
from pathlib import Path

import httpx
from support.children import free_port, stop, wait_until

PROGRAMS = ("etcd", "kube-apiserver", "kube-controller-manager")
CONTROLLER, TESTER = "autoscaler", "tester"
_START_S = 240.0

_AUDIT = {
    "apiVersion": "audit.k8s.io/v1",
    "kind": "Policy",
    "omitStages": ["RequestReceived"],
    "rules": [
        {
            "level": "RequestResponse",
            "users": [CONTROLLER],
            "verbs": ["get", "update"],
            "resources": [
                {"group": "apps", "resources": ["deployments/scale"]},
                {"group": "autoscaling", "resources": ["horizontalpodautoscalers/status"]},
            ],
        },
        {"level": "None"},
    ],
}


class ControlPlane:
    """Starts and stops the three programs; `folder` holds everything they write."""

    def __init__(self, programs: Mapping[str, Path], folder: Path, gates: Sequence[str] = ()) -> None:
        self.programs, self.folder, self.gates = programs, folder, gates
        self.port = free_port()
        self.audit = folder / "audit.log"
        self.url = f"https://127.0.0.1:{self.port}"
        self.certificate, self.key = folder / "self.crt", folder / "self.key"
        self._started = list[subprocess.Popen[bytes]]()

    def start(self) -> None:
        """Start etcd and the API server and wait until it is ready."""
        self._make_files()
        etcd, peer = free_port(), free_port()
        self._run(
            "etcd",
            f"--data-dir={self.folder / 'etcd'}",
            f"--listen-client-urls=http://127.0.0.1:{etcd}",
            f"--advertise-client-urls=http://127.0.0.1:{etcd}",
            f"--listen-peer-urls=http://127.0.0.1:{peer}",
            f"--initial-advertise-peer-urls=http://127.0.0.1:{peer}",
            f"--initial-cluster=default=http://127.0.0.1:{peer}",
            "--unsafe-no-fsync",
        )
        key, certificate = f"{self.key}", f"{self.certificate}"
        self._run(
            "kube-apiserver",
            f"--etcd-servers=http://127.0.0.1:{etcd}",
            "--bind-address=127.0.0.1",
            "--advertise-address=127.0.0.1",
            f"--secure-port={self.port}",
            f"--tls-cert-file={certificate}",
            f"--tls-private-key-file={key}",
            f"--cert-dir={self.folder / 'certificates'}",
            "--service-account-issuer=https://kubernetes.default.svc",
            f"--service-account-key-file={key}",
            f"--service-account-signing-key-file={key}",
            f"--token-auth-file={self.folder / 'tokens.csv'}",
            "--authorization-mode=AlwaysAllow",
            "--disable-admission-plugins=ServiceAccount",
            "--service-cluster-ip-range=10.96.0.0/24",
            "--endpoint-reconciler-type=none",
            f"--proxy-client-cert-file={certificate}",
            f"--proxy-client-key-file={key}",
            f"--requestheader-client-ca-file={certificate}",
            "--requestheader-username-headers=X-Remote-User",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            f"--audit-policy-file={self.folder / 'audit.json'}",
            f"--audit-log-path={self.audit}",
            "--audit-log-mode=blocking",
            *self._gates(),
        )
        with self.client() as client:
            wait_until(lambda: _ready(client), within_s=_START_S, what="the API server's readiness")

    def start_controller(self, flags: Sequence[str]) -> None:
        """Start the controller manager with the autoscaler alone."""
        self._run(
            "kube-controller-manager",
            f"--kubeconfig={self.folder / 'controller.json'}",
            "--controllers=horizontal-pod-autoscaler-controller",
            "--leader-elect=false",
            "--secure-port=0",
            "--kube-api-qps=2000",
            "--kube-api-burst=4000",
            "-v=4",
            *self._gates(),
            *flags,
        )

    def stop_controller(self) -> None:
        """Stop the controller manager, so that nothing more is written."""
        stop(self._started.pop(), signal.SIGTERM, within_s=60)

    def stop(self) -> None:
        """Stop everything that was started, the last first."""
        while self._started:
            stop(self._started.pop(), signal.SIGTERM, within_s=60)

    def client(self) -> httpx.Client:
        """Return a client of the API server that may do anything."""
        headers = {"Authorization": f"Bearer {TESTER}-token"}
        return httpx.Client(base_url=self.url, headers=headers, verify=False, timeout=60)

    def log(self, program: str) -> Path:
        """Return the file a program's errors are written to."""
        return self.folder / f"{program}.log"

    def died(self) -> str:
        """Return what a program that ended by itself said last; empty while all run."""
        for process in self._started:
            if process.poll() is not None:
                name = Path(str(process.args[0])).name  # pyright: ignore[reportArgumentType, reportIndexIssue, reportUnknownArgumentType, reportUnknownMemberType]
                return f"{name} ended: {self.log(name).read_text(errors='replace')[-2000:]}"
        return ""

    def _gates(self) -> list[str]:
        return [f"--feature-gates={','.join(self.gates)}"] if self.gates else []

    def _run(self, name: str, *flags: str) -> None:
        with self.log(name).open("wb") as log:
            self._started.append(
                # The log's times are read later and name no zone.
                subprocess.Popen(
                    [str(self.programs[name]), *flags],
                    stdout=log,
                    stderr=log,
                    env={**os.environ, "TZ": "UTC"},
                )
            )

    def _make_files(self) -> None:
        self.folder.mkdir(parents=True, exist_ok=True)
        subprocess.run(
            [
                *(
                    "openssl",
                    "req",
                    "-x509",
                    "-newkey",
                    "rsa:2048",
                    "-nodes",
                    "-days",
                    "2",
                    "-subj",
                    "/CN=self",
                ),
                *("-addext", "subjectAltName=IP:127.0.0.1", "-keyout", self.key, "-out", self.certificate),
            ],
            check=True,
            capture_output=True,
        )
        (self.folder / "tokens.csv").write_text(
            "".join(f"{user}-token,{user},{user}\n" for user in (CONTROLLER, TESTER))
        )
        (self.folder / "audit.json").write_text(json.dumps(_AUDIT))
        cluster = {"server": self.url, "insecure-skip-tls-verify": True}
        kubeconfig = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [{"name": "c", "cluster": cluster}],
            "users": [{"name": "u", "user": {"token": f"{CONTROLLER}-token"}}],
            "contexts": [{"name": "x", "context": {"cluster": "c", "user": "u"}}],
            "current-context": "x",
        }
        (self.folder / "controller.json").write_text(json.dumps(kubeconfig))


def _ready(client: httpx.Client) -> bool:
    try:
        return client.get("/readyz").status_code == 200
    except httpx.HTTPError:
        return False
