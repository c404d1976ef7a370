"""Where the kit keeps what outlives a checkout.

The cache can be deleted at any time and costs only a rebuild; the state (clusters, engine, stacks,
passphrase) must be removed by `tidegate down`, which knows what else belongs to it.
"""

from __future__ import annotations

import os
from pathlib import Path

from tidegate.errors import TidegateError


def _folder(variable: str, xdg: str, fallback: str) -> Path:
    explicit = os.environ.get(variable)
    if explicit:
        return Path(explicit).expanduser().resolve()
    base = os.environ.get(xdg)
    return (Path(base) if base else Path.home() / fallback) / "tidegate"


def cache_dir() -> Path:
    """Built tools, images and downloads, keyed by content. `TIDEGATE_CACHE` overrides it."""
    return _folder("TIDEGATE_CACHE", "XDG_CACHE_HOME", ".cache")


def state_dir() -> Path:
    """Stacks, kubeconfigs, the engine's data. `TIDEGATE_STATE` overrides it."""
    return _folder("TIDEGATE_STATE", "XDG_DATA_HOME", ".local/share")


def bin_dir() -> Path:
    """The folder of tool links that `tidegate env` puts first on PATH."""
    return state_dir() / "bin"


def cluster_dir(name: str) -> Path:
    """What belongs to one kind cluster on this machine."""
    return state_dir() / "clusters" / name


def kubeconfig_path(name: str) -> Path:
    """The cluster's own kubeconfig. The user's `~/.kube/config` is never read or written."""
    return cluster_dir(name) / "kubeconfig"


def project_root() -> Path:
    """The checkout that holds `images/`, `charts/`, `infra/` and `loadtests/`.

    Raises:
        TidegateError: the package was installed without the rest of the project.
    """
    for candidate in (Path.cwd(), *Path.cwd().parents, Path(__file__).resolve().parents[2]):
        if (candidate / "images" / "catalogue.yaml").is_file() and (candidate / "charts").is_dir():
            return candidate
    raise TidegateError(
        "the project's folder was not found", where=str(Path.cwd()), cure="run the command inside a clone"
    )
