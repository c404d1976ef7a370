"""What is known of an engine of our own, in one file that survives every crash."""

from __future__ import annotations

import contextlib
import os
from pathlib import Path

from pydantic import BaseModel, ConfigDict, Field, ValidationError

from tidegate.host.daemon.settings import EngineSettings

_BOOT_ID = Path("/proc/sys/kernel/random/boot_id")


class Before(BaseModel):
    """The machine's network before the engine's first start since boot: what must not be removed."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    iptables: str | None = Field(description="iptables-save; None where it was not asked for or cannot run.")
    ip6tables: str | None = Field(description="ip6tables-save; likewise.")
    bridges: tuple[str, ...] = Field(description="Names of the bridges that were there.")
    folders: tuple[str, ...] = Field(description="Folders of the daemons outside ours that were there.")


class Record(BaseModel):
    """`engine.json`. Written before the daemons are started, removed when nothing of them is left."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    schema_version: int = 1
    host: str = Field(description="Address as DOCKER_HOST wants it.")
    boot_id: str = Field(description="The boot it was started in: after another, nothing of it can run.")
    started_s: float = Field(description="Unix time of the start, in seconds.")
    settings: EngineSettings
    bounded: bool = Field(description="Whether the bounded OCI runtime is the default.")
    before: Before
    dockerd_pid: int | None = None
    containerd_pid: int | None = None


def boot_id() -> str:
    """Identity of the running boot."""
    return _BOOT_ID.read_text().strip()


def read_record(path: Path) -> Record | None:
    """The record, or None if there is none or it cannot be understood."""
    try:
        return Record.model_validate_json(path.read_bytes())
    except (OSError, ValidationError):
        return None


def write_atomically(path: Path, text: str, *, mode: int = 0o600) -> None:
    """Write a file that is either the old one or the new one, whenever the machine stops."""
    part = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, mode)
        with os.fdopen(descriptor, "w", encoding="utf-8") as handle:
            handle.write(text)
            handle.flush()
            os.fsync(handle.fileno())
        part.chmod(mode)
        part.replace(path)
    finally:
        with contextlib.suppress(FileNotFoundError):
            part.unlink()


def write_record(path: Path, record: Record) -> None:
    """Write the record atomically."""
    write_atomically(path, record.model_dump_json(indent=2) + "\n")
