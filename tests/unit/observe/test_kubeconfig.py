from __future__ import annotations

import base64
import json
import ssl
import subprocess
from pathlib import Path
from typing import Any

import pytest

from tidegate.errors import TidegateError
from tidegate.observe.kubeconfig import load_kubeconfig


@pytest.fixture(scope="session")
def pem(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, str]:
    """A self-signed certificate and its key."""
    folder = tmp_path_factory.mktemp("pem")
    subprocess.run(
        [
            *(
                "openssl",
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
                "-nodes",
            ),
            *("-keyout", folder / "key", "-out", folder / "crt", "-subj", "/CN=test", "-days", "2"),
        ],
        check=True,
        capture_output=True,
    )
    return (folder / "crt").read_text(), (folder / "key").read_text()


def b64(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def written(folder: Path, cluster: dict[str, Any], user: dict[str, Any], **top: Any) -> Path:
    path = folder / "kubeconfig"
    config: dict[str, Any] = {
        "apiVersion": "v1",
        "kind": "Config",
        "preferences": {},
        "current-context": "kind-x",
        "clusters": [
            {"name": "other", "cluster": {"server": "https://no"}},
            {"name": "k", "cluster": cluster},
        ],
        "users": [{"name": "u", "user": user}],
        "contexts": [{"name": "kind-x", "context": {"cluster": "k", "user": "u"}}],
        **top,
    }
    path.write_text(json.dumps(config))
    return path


def test_client_certificate_and_authority_given_in_place(tmp_path: Path, pem: tuple[str, str]) -> None:
    certificate, key = pem
    path = written(
        tmp_path,
        {"server": "https://127.0.0.1:6443/", "certificate-authority-data": b64(certificate)},
        {"client-certificate-data": b64(certificate), "client-key-data": b64(key)},
    )
    access = load_kubeconfig(path)
    assert access.server == "https://127.0.0.1:6443"
    assert access.headers == {}
    assert isinstance(access.verify, ssl.SSLContext)
    assert access.verify.verify_mode is ssl.CERT_REQUIRED
    assert access.verify.check_hostname
    assert [dict(part[0] for part in ca["subject"]) for ca in access.verify.get_ca_certs()] == [  # type: ignore[index]
        {"commonName": "test"}
    ]


def test_files_are_relative_to_the_kubeconfig(tmp_path: Path, pem: tuple[str, str]) -> None:
    (tmp_path / "ca.crt").write_text(pem[0])
    (tmp_path / "token").write_text("abc\n")
    path = written(
        tmp_path, {"server": "https://h:1", "certificate-authority": "ca.crt"}, {"tokenFile": "token"}
    )
    assert load_kubeconfig(path).headers == {"Authorization": "Bearer abc"}


def test_plain_http_is_for_this_machine_only(tmp_path: Path) -> None:
    assert load_kubeconfig(written(tmp_path, {"server": "http://127.0.0.1:1"}, {})).verify is False
    with pytest.raises(TidegateError, match="not https"):
        load_kubeconfig(written(tmp_path, {"server": "http://192.0.2.1:1"}, {"token": "t"}))


@pytest.mark.parametrize(
    ("cluster", "user", "message"),
    [
        ({"server": "https://h", "insecure-skip-tls-verify": True}, {}, "not checked"),
        ({"server": "https://h", "proxy-url": "http://p"}, {}, "proxy"),
        ({"server": "https://h"}, {"exec": {"command": "aws"}}, "credential plugins"),
        ({"server": "https://h", "certificate-authority-data": "%%%"}, {}, "certificates do not do"),
        ({"server": "https://h", "certificate-authority-data": b64("junk")}, {}, "certificates do not do"),
        ({"server": "https://h", "certificate-authority": "absent.crt"}, {}, "cannot read"),
        ({}, {}, r"clusters.1.cluster.server"),
    ],
)
def test_what_it_refuses(tmp_path: Path, cluster: dict[str, Any], user: dict[str, Any], message: str) -> None:
    path = written(tmp_path, cluster, user)
    with pytest.raises(TidegateError, match=message) as caught:
        load_kubeconfig(path)
    assert "kubeconfig" in str(caught.value) or "absent.crt" in str(caught.value)
    assert "\n" not in str(caught.value)


def test_an_absent_file_and_a_dangling_context(tmp_path: Path) -> None:
    with pytest.raises(TidegateError, match="tidegate up"):
        load_kubeconfig(tmp_path / "none")
    with pytest.raises(TidegateError, match="'gone'"):
        load_kubeconfig(written(tmp_path, {"server": "https://h"}, {}, **{"current-context": "gone"}))
    (tmp_path / "bad").write_text("a: [")
    with pytest.raises(TidegateError, match="not YAML"):
        load_kubeconfig(tmp_path / "bad")
