"""What the server is told when it starts: one file beside the cluster's others."""

from __future__ import annotations

from pathlib import Path

from pydantic import Field, ValidationError

from tidegate.errors import TidegateError
from tidegate.host.paths import cluster_dir
from tidegate.models.base import Model
from tidegate.models.node_group import NodeGroup

FILE_NAME = "nodes.json"


class ServerSettings(Model):
    """The server of one cluster."""

    cluster: str = Field(description="Name of the kind cluster.")
    address: str = Field(description="IP address and port it listens at, on the cluster's own network.")
    groups: tuple[NodeGroup, ...] = Field(description="The node groups.")
    authority: str = Field(description="Certificate of the authority that signed the client's, PEM text.")
    certificate: str = Field(description="The server's certificate, PEM text.")
    key: str = Field(description="The server's private key, PEM text.")

    def save(self) -> None:
        """Write the file, readable by the user alone, replacing an older one at once."""
        path = settings_path(self.cluster)
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        draft = path.with_suffix(".new")
        draft.unlink(missing_ok=True)
        draft.touch(mode=0o600)
        draft.write_text(self.model_dump_json(), encoding="utf-8")
        draft.replace(path)


def settings_path(cluster: str) -> Path:
    """Return where the settings of the cluster's server lie."""
    return cluster_dir(cluster) / FILE_NAME


def load_settings(cluster: str) -> ServerSettings:
    """Return the settings of the server of `cluster`.

    Raises:
        TidegateError: there are none, or not what we wrote.
    """
    path = settings_path(cluster)
    try:
        return ServerSettings.model_validate_json(path.read_bytes())
    except FileNotFoundError as error:
        raise TidegateError(
            f"the cluster {cluster} has no node server",
            where=str(path),
            cure="give its policy node_groups and run `tidegate up`",
        ) from error
    except ValidationError as error:
        raise TidegateError("the settings of the node server cannot be read", where=str(path)) from error
