"""The real NGINX with the configuration that the chart renders, in front of a service on this machine."""

from __future__ import annotations

import shutil
import signal
import subprocess
from pathlib import Path
from typing import Any

from support.children import answers, find_program, free_port, missing, stop, wait_until

from infra import helm
from infra.cluster.docker import tool_env

CHART = Path(__file__).resolve().parents[2] / "charts" / "tidegate-service"


def rendered(web: dict[str, Any] | None = None) -> str:
    """The file as a pod gets it, for values of the chart's `web`."""
    if shutil.which("helm", path=tool_env()["PATH"]) is None:
        missing("helm")
    values = {"web": {**(web or {}), "nginx": {"enabled": True}}}
    objects = helm.template(CHART, "tidegate", "tidegate", values)
    (found,) = [each for each in objects if each["kind"] == "ConfigMap"]
    return found["data"]["nginx.conf"]


class NginxServer:
    """One NGINX on a free port; of the chart's file only addresses and the writable folder are changed."""

    def __init__(self, folder: Path, app_port: int, *, web: dict[str, Any] | None = None) -> None:
        program = find_program("nginx", Path("/usr/sbin"))
        if program is None:
            missing("nginx")
        self.port = free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        text = rendered(web)
        for here, there in {
            "listen 8080": f"listen 127.0.0.1:{self.port}",
            "server 127.0.0.1:8000": f"server 127.0.0.1:{app_port}",
            " /tmp/": f" {folder}/",
        }.items():
            assert here in text, f"the configuration does not hold {here!r}"
            text = text.replace(here, there)
        folder.mkdir(parents=True, exist_ok=True)
        configuration = folder / "nginx.conf"
        configuration.write_text(text)
        self._log = folder / "nginx.log"
        with self._log.open("wb") as log:
            command = [str(program), "-e", "stderr", "-c", str(configuration)]
            self._process = subprocess.Popen(command, stdout=log, stderr=log)
        wait_until(lambda: answers(self.port) or self._process.poll() is not None, what="NGINX")
        assert self._process.poll() is None, self._log.read_text()

    def quit(self) -> None:
        """Ask it to end as the kubelet does with this image: what is in flight may finish."""
        self._process.send_signal(signal.SIGQUIT)

    def wait(self, *, within_s: float = 40) -> int:
        """The exit status, once it has ended by itself."""
        return self._process.wait(within_s)

    def close(self) -> None:
        """End it now."""
        stop(self._process, signal.SIGTERM, within_s=10)
