"""Which salt a stack's configuration is handed to Pulumi with."""

from __future__ import annotations

import json
import subprocess

import pytest

from tidegate.deploy.salt import salt_of, state_salt, with_salt
from tidegate.host.paths import project_root


def test_a_salt_is_found_and_its_absence_too() -> None:
    assert salt_of("config: {}\nencryptionsalt: v1:a:v1:b\n") == "v1:a:v1:b"
    assert salt_of("config:\n  x:encryptionsalt: 1\n") is None
    assert salt_of("encryptionsalt:\n") is None


def test_the_right_salt_takes_the_place_of_a_foreign_one() -> None:
    text = "encryptionsalt: v1:foreign\nconfig:\n  a: 1\n"
    assert with_salt(text, "v1:own") == "config:\n  a: 1\nencryptionsalt: v1:own\n"
    assert with_salt("config: {}", "v1:own") == "config: {}\nencryptionsalt: v1:own\n"
    assert with_salt(text, None) == text


def test_the_state_says_with_which_salt_it_was_encrypted() -> None:
    deployment = {"secrets_providers": {"type": "passphrase", "state": {"salt": "v1:own"}}}
    assert state_salt(json.dumps({"version": 3, "deployment": deployment})) == "v1:own"


@pytest.mark.parametrize(
    "exported",
    [
        "",
        "no JSON",
        "[]",
        '{"deployment": null}',
        '{"deployment": {"secrets_providers": {"type": "cloud", "state": {"url": "x"}}}}',
        '{"deployment": {"secrets_providers": "x"}}',
    ],
)
def test_a_state_without_a_salt_has_none(exported: str) -> None:
    assert state_salt(exported) is None


def test_no_salt_is_committed() -> None:
    root = project_root()
    if not (root / ".git").exists():
        pytest.skip("not a checkout: there is no commit to look into")
    words = ["git", "grep", "--cached", "-l", "^encryptionsalt", "--", "Pulumi.*.yaml"]
    found = subprocess.run(words, cwd=root, capture_output=True, text=True, check=False)
    assert (found.returncode, found.stdout) == (1, "")
