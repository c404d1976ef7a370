"""Read one kubeconfig file that was named; the user's own is never looked for."""

from __future__ import annotations

import base64
import binascii
import ssl
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar
from urllib.parse import urlsplit

import yaml
from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tidegate.errors import TidegateError
from tidegate.run.objects import text

_LOOPBACK = frozenset({"127.0.0.1", "localhost", "::1"})


class _Part(BaseModel):
    """A part of a kubeconfig. Keys that are not read are let be: the file's format is not ours."""

    model_config = ConfigDict(frozen=True, extra="ignore", populate_by_name=True)


class Cluster(_Part):
    """Where the API server is, and who vouches for it."""

    server: str
    ca_data: str = Field(default="", alias="certificate-authority-data")
    ca_file: str = Field(default="", alias="certificate-authority")
    insecure: bool = Field(default=False, alias="insecure-skip-tls-verify")
    proxy_url: str = Field(default="", alias="proxy-url")
    tls_server_name: str = Field(default="", alias="tls-server-name")


class User(_Part):
    """How to say who we are: a client certificate or a bearer token."""

    certificate_data: str = Field(default="", alias="client-certificate-data")
    certificate_file: str = Field(default="", alias="client-certificate")
    key_data: str = Field(default="", alias="client-key-data")
    key_file: str = Field(default="", alias="client-key")
    token: str = ""
    token_file: str = Field(default="", alias="tokenFile")
    exec: dict[str, Any] | None = None
    auth_provider: dict[str, Any] | None = Field(default=None, alias="auth-provider")


class Context(_Part):
    """Which user at which cluster."""

    cluster: str
    user: str


class _NamedCluster(_Part):
    name: str
    cluster: Cluster


class _NamedUser(_Part):
    name: str
    user: User


class _NamedContext(_Part):
    name: str
    context: Context


class Kubeconfig(_Part):
    """The parts of a kubeconfig that are used."""

    current_context: str = Field(alias="current-context")
    clusters: tuple[_NamedCluster, ...]
    users: tuple[_NamedUser, ...]
    contexts: tuple[_NamedContext, ...]


@dataclass(frozen=True)
class ApiAccess:
    """How to reach an API server."""

    server: str
    """Its address, such as `https://127.0.0.1:6443`."""
    verify: ssl.SSLContext | bool
    """What to check its certificate with; False only where there is no TLS at all, on this machine."""
    headers: dict[str, str]


_NamedT = TypeVar("_NamedT", _NamedCluster, _NamedUser, _NamedContext)


def load_kubeconfig(path: Path, context_name: str = "") -> ApiAccess:
    """Return the access that a context of the file describes, the current one unless another is named.

    Raises:
        TidegateError: the file is absent, incomplete, or asks for something that is not supported:
            credential plugins, a proxy, or a server whose certificate is not to be checked.
    """
    try:
        config = Kubeconfig.model_validate(yaml.safe_load(path.read_text()))
    except FileNotFoundError as error:
        raise TidegateError("there is no kubeconfig", where=str(path), cure="run `tidegate up`") from error
    except OSError as error:
        raise TidegateError(f"cannot read the kubeconfig: {error.strerror}", where=str(path)) from error
    except (yaml.YAMLError, UnicodeDecodeError) as error:
        raise TidegateError("the kubeconfig is not YAML", where=str(path)) from error
    except ValidationError as error:
        first = error.errors()[0]
        place = ".".join(str(step) for step in first["loc"])
        raise TidegateError(
            f"the kubeconfig's {place or 'content'}: {first['msg']}", where=str(path)
        ) from error
    context = _named(config.contexts, context_name or config.current_context, path).context
    cluster = _named(config.clusters, context.cluster, path).cluster
    user = _named(config.users, context.user, path).user
    return _access(cluster, user, path)


def current_context(path: Path) -> str:
    """Return the name of the file's current context; empty where there is no such file, or none."""
    try:
        found: object = yaml.safe_load(path.read_text())
    except (OSError, yaml.YAMLError, UnicodeDecodeError):
        return ""
    return text(found, "current-context")


def _named(parts: tuple[_NamedT, ...], name: str, path: Path) -> _NamedT:
    for part in parts:
        if part.name == name:
            return part
    raise TidegateError(f"the kubeconfig names {name!r} and does not say what it is", where=str(path))


def _access(cluster: Cluster, user: User, path: Path) -> ApiAccess:
    for asked, what in (
        (user.exec or user.auth_provider, "credential plugins"),
        (cluster.proxy_url, "a proxy to the API server"),
        (cluster.tls_server_name, "tls-server-name"),
        (cluster.insecure, "an API server whose certificate is not checked"),
    ):
        if asked:
            raise TidegateError(f"{what} in a kubeconfig: not supported", where=str(path))
    address = urlsplit(cluster.server)
    headers: dict[str, str] = {}
    token = user.token or (_text(path.parent / user.token_file).strip() if user.token_file else "")
    if token:
        headers["Authorization"] = f"Bearer {token}"
    if address.scheme == "http" and address.hostname in _LOOPBACK:
        return ApiAccess(cluster.server.rstrip("/"), verify=False, headers=headers)
    if address.scheme != "https":
        raise TidegateError(f"the API server's address is {cluster.server!r}, not https", where=str(path))
    return ApiAccess(cluster.server.rstrip("/"), _tls(cluster, user, path), headers)


def _tls(cluster: Cluster, user: User, path: Path) -> ssl.SSLContext:
    try:
        authority = _material(cluster.ca_data, cluster.ca_file, path)
        context = ssl.create_default_context(cadata=authority or None)
        certificate = _material(user.certificate_data, user.certificate_file, path)
        key = _material(user.key_data, user.key_file, path)
        if certificate or key:
            _load_client_certificate(context, certificate, key)
    except (ssl.SSLError, binascii.Error, UnicodeDecodeError, OSError) as error:
        raise TidegateError(f"the kubeconfig's certificates do not do: {error}", where=str(path)) from error
    return context


def _load_client_certificate(context: ssl.SSLContext, certificate: str, key: str) -> None:
    # OpenSSL takes a client's key from files only. The folder is ours alone (mode 0700) and gone at once.
    with tempfile.TemporaryDirectory() as folder:
        certificate_file, key_file = Path(folder, "certificate"), Path(folder, "key")
        certificate_file.write_text(certificate)
        key_file.write_text(key)
        context.load_cert_chain(certificate_file, key_file)


def _material(data: str, file: str, path: Path) -> str:
    """Return PEM text given in place (base64) or by file name, relative to the kubeconfig."""
    if data:
        return base64.b64decode(data, validate=True).decode()
    return _text(path.parent / file) if file else ""


def _text(path: Path) -> str:
    try:
        return path.read_text()
    except OSError as error:
        raise TidegateError(f"cannot read: {error.strerror}", where=str(path)) from error
