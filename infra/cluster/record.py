"""The mark of ownership: a file that says which containers are ours.

kind cannot put a label of ours on its containers, and a cluster with the right name may be somebody
else's. So the record holds a random token that is also a label on the cluster's own network, from before
the first container exists; containers on that network, or with a recorded id, are ours.
"""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field, replace
from pathlib import Path
from typing import Any, Self, cast

from tidegate.errors import TidegateError
from tidegate.host.paths import cluster_dir

FILE_NAME = "record.json"


@dataclass(frozen=True)
class Record:
    """What is known of a cluster that we made, or began to make.

    Args:
        owner: the stack it belongs to.
        token: random; also the label on the network and the Pulumi resource's id.
        config: the kind configuration that was asked for.
        containers: container name to id; empty while the cluster is being made.
    """

    owner: str
    token: str
    config: str
    containers: dict[str, str] = field(default_factory=dict[str, str])

    def finished(self, containers: dict[str, str]) -> Self:
        """Return the record of a cluster that came up with `containers`."""
        return replace(self, containers=dict(containers))

    def save(self, name: str) -> None:
        """Write the record for the cluster `name`, replacing an older one at once."""
        path = _path(name)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_suffix(".new")
        draft.write_text(json.dumps(asdict(self), indent=1), encoding="utf-8")
        draft.replace(path)


def load(name: str) -> Record | None:
    """Return the record of the cluster `name`; None if we have none.

    Raises:
        TidegateError: there is a file, but not one that we wrote.
    """
    path = _path(name)
    try:
        fields = cast("dict[str, Any]", json.loads(path.read_text(encoding="utf-8")))
        return Record(**fields)
    except FileNotFoundError:
        return None
    except (TypeError, ValueError) as error:
        raise TidegateError(
            "the cluster's record cannot be read",
            where=str(path),
            cure=f"kind delete cluster --name {name}, rm {path}",
        ) from error


def _path(name: str) -> Path:
    return cluster_dir(name) / FILE_NAME
