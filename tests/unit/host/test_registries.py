from __future__ import annotations

import threading
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest

from tidegate.host.registries import (
    deb822_archive,
    debian_archive,
    first_url,
    go_proxy,
    one_line_archive,
    python_index,
    registry_answers,
    registry_host,
    url_answers,
)


@pytest.mark.parametrize(
    ("reference", "host"),
    [
        ("busybox:1.36", None),
        ("library/busybox", None),
        ("registry.example/team/app:1", "registry.example"),
        ("localhost/app", "localhost"),
        ("mirror:5000/app@sha256:00", "mirror:5000"),
        ("registry.example", None),
    ],
)
def test_finds_the_host_in_a_reference(reference: str, host: str | None) -> None:
    assert registry_host(reference) == host


class Server(BaseHTTPRequestHandler):
    """Answers HEAD with the status its path names; `/to/<path>` redirects there."""

    def do_HEAD(self) -> None:
        if self.path.startswith("/to/"):
            self.send_response(302)
            self.send_header("Location", self.path.removeprefix("/to"))
        else:
            self.send_response(int(self.path.strip("/")))
        self.end_headers()

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the base class's own name
        del format, args


@pytest.fixture
def server(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.delenv(name, raising=False)
    with HTTPServer(("127.0.0.1", 0), Server) as running:
        thread = threading.Thread(target=running.serve_forever, daemon=True)
        thread.start()
        yield f"http://127.0.0.1:{running.server_port}"
        running.shutdown()
        thread.join()


@pytest.mark.parametrize(
    ("path", "answers"),
    [
        ("200", True),
        ("401", True),
        ("404", True),
        ("to/200", True),
        ("403", False),
        ("407", False),
        ("502", False),
    ],
)
def test_a_refusal_is_no_answer(server: str, path: str, answers: bool) -> None:
    assert url_answers(f"{server}/{path}", timeout_s=10) is answers


def test_nobody_there_is_no_answer() -> None:
    assert not url_answers("http://127.0.0.1:1/", timeout_s=5)
    assert not url_answers("http://no-such-host.invalid/", timeout_s=5)
    assert not url_answers("no address", timeout_s=5)


def test_without_engine_and_host_there_is_nobody_to_ask() -> None:
    assert registry_answers(["busybox"], None, timeout_s=1) is None
    assert registry_answers([], None, timeout_s=1) is None
    assert registry_answers(["busybox", "127.0.0.1:1/app"], None, timeout_s=1) is False


def test_the_go_proxy_is_the_first_address() -> None:
    assert go_proxy({"GOPROXY": "https://one.example|https://two.example,direct"}) == "https://one.example"
    assert go_proxy({"GOPROXY": "off"}) is None


LOCK = """
version = 1
[[package]]
name = "own"
source = { editable = "." }
[[package]]
name = "a"
source = { registry = "https://lock.example/simple" }
"""


def test_the_python_index_by_precedence(tmp_path: Path) -> None:
    lock = tmp_path / "uv.lock"
    lock.write_text(LOCK)
    pip = tmp_path / ".config/pip/pip.conf"
    pip.parent.mkdir(parents=True)
    env = {"UV_DEFAULT_INDEX": "company=https://env.example/simple", "PIP_INDEX_URL": "https://pip.example"}
    assert python_index({}, home=tmp_path, lock=lock) == "https://lock.example/simple"
    pip.write_text("[global]\nindex-url = https://conf.example/%simple\n")
    assert python_index({}, home=tmp_path, lock=lock) == "https://conf.example/%simple"
    assert python_index(env, home=tmp_path, lock=lock) == "https://env.example/simple"
    pip.write_text("no section\n")
    lock.write_text("torn = [")
    assert python_index({}, home=tmp_path, lock=lock) is None
    assert python_index({}, home=tmp_path, lock=None) is None


def test_reads_both_formats_of_apts_sources() -> None:
    one_line = "# deb http://no.example x main\ndeb-src http://src.example x main\n"
    assert one_line_archive(one_line) is None
    one_line += "deb [arch=amd64 signed-by=/k.gpg] http://deb.example/debian/ trixie main\n"
    assert one_line_archive(one_line) == "http://deb.example/debian/dists/trixie/InRelease"
    stanzas = ["Types: deb\nURIs: cdrom:x\nSuites: x\n"]
    stanzas += ["# comment\nTypes: deb\nURIs: http://a.example/d http://b.example\nSuites: one two\n"]
    assert deb822_archive("\n".join(stanzas)) == "http://a.example/d/dists/one/InRelease"
    assert deb822_archive("Types: deb\n") is None


def test_the_first_archive_that_is_configured(tmp_path: Path) -> None:
    assert debian_archive(tmp_path) is None
    folder = tmp_path / "etc/apt/sources.list.d"
    folder.mkdir(parents=True)
    (folder / "b.sources").write_text("Types: deb\nURIs: http://b.example\nSuites: s\n")
    assert debian_archive(tmp_path) == "http://b.example/dists/s/InRelease"
    (folder.parent / "sources.list").write_text("deb http://a.example s main\n")
    assert debian_archive(tmp_path) == "http://a.example/dists/s/InRelease"


def test_an_address_inside_a_value() -> None:
    assert first_url(["", "name=https://x.example/a?b=c", "http://y"]) == "https://x.example/a?b=c"
    assert first_url(["direct", ""]) is None
