"""The load generator's Dockerfile, and that its context holds all that a generator imports."""

from __future__ import annotations

import re
import subprocess
import sys

from packaging.requirements import Requirement

from tidegate.host.paths import project_root
from tidegate.images.catalogue import load_catalogue
from tidegate.images.wheelhouse import requirements
from tidegate.load.pods.names import AGENT_PORT, IMAGE_FOLDER, MASTER_PORT, UID

ROOT = project_root()
TEXT = (ROOT / "images/load/Dockerfile").read_text()
STAGES = re.split(r"^FROM ", TEXT, flags=re.MULTILINE)[1:]
CONTEXT = load_catalogue(ROOT).images["load"].recipe.context

LOOK = """
import sys
from pathlib import Path
from locust.util.load_locustfile import load_locustfile
import tidegate.load.pods.agent
sys.path.insert(0, "loadtests")
for path in sorted(Path("loadtests").glob("[!_]*.py")):
    load_locustfile(str(path))
files = {Path(module.__file__) for module in list(sys.modules.values()) if getattr(module, "__file__", None)}
print(*sorted(str(path) for path in files), sep="\\n")
"""


def test_it_is_built_as_the_services_image_is() -> None:
    service = (ROOT / "images/service/Dockerfile").read_text()
    assert len(STAGES) == 2
    assert "RUN" not in STAGES[-1], "what builds stays in the first stage"
    for line in ("--no-index --no-deps", "unchecked-hash", "--date=@315532800", "PYTHONHASHSEED=0"):
        assert line in STAGES[0]
        assert TEXT.count(line) == service.count(line)
    assert not re.search(r"apt-get|curl|wget|gcc", TEXT)


def test_it_is_what_the_jobs_take_it_for() -> None:
    assert f"USER {UID}:{UID}" in STAGES[-1]
    assert f"COPY --from=build {IMAGE_FOLDER}/ {IMAGE_FOLDER}/" in STAGES[-1]
    assert f"EXPOSE {MASTER_PORT} {AGENT_PORT}" in STAGES[-1]


def test_everything_a_generator_imports_is_in_it() -> None:
    done = subprocess.run(
        [sys.executable, "-c", LOOK], cwd=ROOT, capture_output=True, text=True, check=True, timeout=300
    )
    held = [ROOT / item.project for item in CONTEXT.values() if item.project]
    files = done.stdout.splitlines()
    own = [path for path in files if path.startswith(f"{ROOT}/") and "site-packages" not in path]
    assert len(own) > 20
    assert [path for path in own if not any(f"{path}/".startswith(f"{each}/") for each in held)] == []
    # Of packages, what is imported by its name in the lock.
    wheels = next(item.wheels for item in CONTEXT.values() if item.wheels)
    names = {
        Requirement(line.split(" --hash")[0]).name.lower().replace("-", "_")
        for line in requirements(ROOT, wheels)
    }
    for name in ("locust", "gevent", "geventhttpclient", "polars", "pydantic", "psutil", "pyyaml"):
        assert name in names
    assert not {"pulumi", "fastapi", "typer"} & names
