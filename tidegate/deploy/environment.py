"""The environment in which Pulumi, kind and kubectl find the kit's own tools, engine and state.

`tidegate env` prints it for a shell, so that plain `pulumi up` works by hand; the kit's own commands
use the same mapping.
"""

from __future__ import annotations

import contextlib
import os
import secrets
import shlex
import sys
from collections.abc import Mapping
from pathlib import Path

from tidegate.errors import TidegateError
from tidegate.host.paths import bin_dir, kubeconfig_path, state_dir


def passphrase_file() -> Path:
    """The passphrase that encrypts the secrets in Pulumi's state, made once for this machine.

    There is no default passphrase: 32 random bytes, readable by their owner only.
    """
    path = state_dir() / "pulumi" / "passphrase"
    if not path.exists():
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_suffix(f".{os.getpid()}")
        descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_urlsafe(32) + "\n")
        with contextlib.suppress(FileExistsError):
            path.hardlink_to(draft)  # unlike a rename, it never replaces one made at the same moment
        draft.unlink()
    return path


def backend_url() -> str:
    """Pulumi's state store: a folder of this machine, unless the user chose another backend."""
    chosen = os.environ.get("PULUMI_BACKEND_URL")
    if chosen:
        return chosen
    folder = state_dir() / "pulumi" / "state"
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    return f"file://{folder}"


def tool_environment(engine: Mapping[str, str], *, cluster: str) -> dict[str, str]:
    """What to add to a child's environment so that it uses the kit's tools and nothing else's cluster.

    Args:
        engine: the container engine's own variables (`DOCKER_HOST`).
        cluster: name of the kind cluster whose kubeconfig `kubectl` and `helm` shall use.
    """
    python = Path(sys.executable).parent
    return {
        **engine,
        "PATH": os.pathsep.join([str(bin_dir()), str(python), os.environ.get("PATH", os.defpath)]),
        "KUBECONFIG": str(kubeconfig_path(cluster)),
        "PULUMI_HOME": str(state_dir() / "pulumi" / "home"),
        "PULUMI_BACKEND_URL": backend_url(),
        "PULUMI_CONFIG_PASSPHRASE_FILE": str(passphrase_file()),
        "PULUMI_SKIP_UPDATE_CHECK": "true",
        "PULUMI_PYTHON_CMD": sys.executable,
    }


def shell_exports(environment: Mapping[str, str]) -> str:
    """The same as lines for `eval "$(tidegate env)"`."""
    return "\n".join(f"export {name}={shlex.quote(value)}" for name, value in environment.items())


def check_no_foreign_passphrase() -> None:
    """Refuse a passphrase variable that would shadow the stack's own.

    Raises:
        TidegateError: `PULUMI_CONFIG_PASSPHRASE` is set, which Pulumi prefers to the file.
    """
    if os.environ.get("PULUMI_CONFIG_PASSPHRASE"):
        raise TidegateError(
            "PULUMI_CONFIG_PASSPHRASE is set and would not open this machine's stacks",
            cure="unset it; `tidegate env` names the passphrase file",
        )
