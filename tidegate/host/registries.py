"""Whether the places that images and packages come from answer.

No address is written down here: each is read from what this machine or this project is configured with.
"""

from __future__ import annotations

import configparser
import re
import shutil
import ssl
import tomllib
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import cast

import httpx

from tidegate.errors import TidegateError
from tidegate.host.engine import Engine
from tidegate.proc import run

_REFUSALS = (403, 407, 451)


def registry_host(reference: str) -> str | None:
    """The registry an image reference names; None where it leaves that to the engine's default.

    The rule is docker's: the first part is a host if it has a dot or a colon, or is `localhost`
    (github.com/distribution/reference, normalize.go).
    """
    first, slash, _ = reference.partition("/")
    return first if slash and ("." in first or ":" in first or first == "localhost") else None


def registry_answers(references: Sequence[str], engine: Engine | None, *, timeout_s: float) -> bool | None:
    """Whether a registry of these images answers.

    The engine is asked if there is one, because it pulls: it knows mirrors, proxies and certificates that
    this process does not. None if there is nothing to ask for, or no engine and no reference names a host.
    """
    if references and engine is not None:
        return engine.api(timeout_s=timeout_s).registry_answers(references[0])
    host = next((host for each in references if (host := registry_host(each))), None)
    return None if host is None else url_answers(f"https://{host}/v2/", timeout_s=timeout_s)


def url_answers(url: str, *, timeout_s: float) -> bool:
    """Whether a server answers HEAD with anything but a refusal. The system's certificates count."""
    try:
        context = ssl.create_default_context()
        with httpx.Client(timeout=timeout_s, verify=context, follow_redirects=True) as client:
            status = client.head(url).status_code
    except (httpx.HTTPError, httpx.InvalidURL, OSError):
        return False
    return status < 500 and status not in _REFUSALS


def go_proxy(env: Mapping[str, str]) -> str | None:
    """The Go module proxy in use: the first address in GOPROXY; None without Go or without a proxy."""
    value = env.get("GOPROXY", "")
    if not value and shutil.which("go") is not None:
        try:
            value = run(["go", "env", "GOPROXY"], timeout_s=5, check=False, cwd=Path("/")).stdout
        except TidegateError:
            return None
    return first_url(re.split(r"[,|\s]", value))


def python_index(env: Mapping[str, str], *, home: Path, lock: Path | None) -> str | None:
    """The Python package index: from the environment, pip's configuration, or the project's lock file."""
    named = [env.get(key, "") for key in ("UV_DEFAULT_INDEX", "UV_INDEX_URL", "PIP_INDEX_URL")]
    configurations = (home / ".config/pip/pip.conf", home / ".pip/pip.conf", Path("/etc/pip.conf"))
    named.extend(map(_pip_index, configurations))
    if lock is not None:
        named.append(_lock_index(lock))
    return first_url(named)


def debian_archive(root: Path = Path("/")) -> str | None:
    """The release file of the first package archive apt is configured with; None on other systems."""
    folder = root / "etc/apt"
    for path in (folder / "sources.list", *sorted(folder.glob("sources.list.d/*"))):
        try:
            text = path.read_text()
        except OSError:
            continue
        found = deb822_archive(text) if path.suffix == ".sources" else one_line_archive(text)
        if found is not None:
            return found
    return None


def one_line_archive(text: str) -> str | None:
    """The first archive in sources.list(5)'s one-line format."""
    match = re.search(r"^\s*deb\s+(?:\[[^]]*\]\s+)?(https?://\S+)\s+(\S+)", text, re.MULTILINE)
    return None if match is None else _release(match[1], match[2])


def deb822_archive(text: str) -> str | None:
    """The first archive in sources.list(5)'s deb822 format."""
    for stanza in re.split(r"\n\s*\n", text):
        fields = dict(re.findall(r"^(\w[\w-]*):[ \t]*(.*)$", stanza, re.MULTILINE))
        uris, suites = fields.get("URIs", "").split(), fields.get("Suites", "").split()
        if uris and suites and uris[0].startswith("http"):
            return _release(uris[0], suites[0])
    return None


def first_url(values: Iterable[str]) -> str | None:
    """The first address of the web in the values; uv writes `name=address`."""
    return next((match[0] for value in values if (match := re.search(r"https?://\S+", value))), None)


def _release(uri: str, suite: str) -> str:
    return f"{uri.rstrip('/')}/dists/{suite}/InRelease"


def _pip_index(path: Path) -> str:
    parser = configparser.ConfigParser(interpolation=None)
    try:
        parser.read(path)
    except (configparser.Error, UnicodeDecodeError):
        return ""
    return parser.get("global", "index-url", fallback="")


def _lock_index(lock: Path) -> str:
    try:
        document = tomllib.loads(lock.read_text(encoding="utf-8"))
    except (OSError, tomllib.TOMLDecodeError):
        return ""
    for package in cast("list[dict[str, dict[str, str]]]", document.get("package", [])):
        index = package.get("source", {}).get("registry")
        if index:
            return index
    return ""
