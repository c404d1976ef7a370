"""What a load needs to act as the service's customers."""

from __future__ import annotations

import base64
import binascii
import os
from collections.abc import Mapping

from tidegate.errors import TidegateError
from tidegate.proc import run

NAMESPACE, SECRET, KEY = "tidegate", "tidegate-demo", "password"


def demo_password(environment: Mapping[str, str]) -> str:
    """The password of the seeded accounts, as the deployed service has it.

    Raises:
        TidegateError: the cluster does not give it.
    """
    words = ["kubectl", "get", "secret", SECRET, "-n", NAMESPACE, "-o", f"jsonpath={{.data.{KEY}}}"]
    answer = run(words, env={**os.environ, **environment}, timeout_s=30, check=False)
    try:
        password = base64.b64decode(answer.stdout.strip(), validate=True).decode()
    except (binascii.Error, UnicodeDecodeError):
        password = ""
    if answer.returncode != 0 or not password:
        raise TidegateError(
            "the seeded accounts' password cannot be read",
            where=f"Secret {NAMESPACE}/{SECRET}",
            cure="run `tidegate up`, which makes it",
        )
    return password
