"""NGINX before one or several processes: as a sidecar on the server's core, or as a balancer on the other."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from bench.processes import Process, free_port
from bench.tools import Program

_CONFIGURATION = """
daemon off;
master_process off;
pid {folder}/nginx.pid;
error_log stderr warn;
events {{ worker_connections 4096; }}
http {{
    access_log off;
    client_body_temp_path {folder}/body;
    proxy_temp_path {folder}/proxy;
    fastcgi_temp_path {folder}/fastcgi;
    uwsgi_temp_path {folder}/uwsgi;
    scgi_temp_path {folder}/scgi;
    keepalive_requests 1000000;
    upstream service {{
        {servers}
        keepalive 256;
        keepalive_requests 1000000;
    }}
    server {{
        listen 127.0.0.1:{port} backlog=2048;
        location / {{
            proxy_pass http://service;
            proxy_http_version 1.1;
            proxy_set_header Connection "";
            proxy_set_header Host $host;
            proxy_set_header X-Forwarded-For $remote_addr;
        }}
    }}
}}
"""


def configuration(folder: Path, port: int, upstreams: Sequence[int]) -> str:
    """NGINX's configuration: kept connections on both sides, one process, all files in `folder`."""
    servers = "\n        ".join(f"server 127.0.0.1:{upstream};" for upstream in upstreams)
    return _CONFIGURATION.format(folder=folder, port=port, servers=servers)


def front(
    name: str, program: Program, upstreams: Sequence[int], *, cores: Sequence[int], folder: Path
) -> tuple[Process, int]:
    """Start NGINX before these ports; the process and its own port."""
    own = folder / name
    own.mkdir()
    port = free_port()
    file = own / "nginx.conf"
    file.write_text(configuration(own, port, upstreams))
    process = Process(
        name,
        [str(program.path), "-p", str(own), "-e", "stderr", "-c", str(file)],
        cores=cores,
        folder=own,
    )
    return process, port
