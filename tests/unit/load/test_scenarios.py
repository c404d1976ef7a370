"""Every scenario of the project: what it says of itself, and the load it means."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from support.traces import real_or_made

from tidegate.load.catalogue import available_scenarios

LOADTESTS = Path(__file__).parents[3] / "loadtests"

# A Locust file cannot be imported here, for Locust would replace this process's sockets. One child imports
# them all; the flags of one file must not meet those of the next.
PROGRAM = """
import json, sys
import locust
from pathlib import Path
from tidegate.load.describe import describe
from tidegate.load.parameters import from_options
from tidegate.load.scenario import Scenario
from argparse import ArgumentParser

def told(path, flags):
    said = describe(path, flags)
    module = sys.modules[path.stem]
    scenario = next(value for value in vars(module).values() if isinstance(value, Scenario))
    parser = ArgumentParser()
    scenario.add_flags(parser)
    parameters = from_options(scenario.model, parser.parse_args(flags))
    offsets = list(parameters.arrival_offsets())
    return {
        "loop": parameters.loop, "duration_s": said.duration_s, "strange": said.strange, "helps": said.helps,
        "requests": parameters.profile.requests, "arrivals": len(offsets), "last_s": max(offsets),
        "a_journey": parameters.requests_per_arrival, "max_requests": parameters.max_requests,
        "max_duration_s": parameters.max_duration_s,
        "users": [parameters.users_at(share / 20 * said.duration_s) for share in range(20)],
        "help": parser.format_help(),
    }

for name, flags in json.loads(sys.argv[2]).items():
    locust.events.init_command_line_parser._handlers.clear()
    print(json.dumps([name, told(Path(sys.argv[1], name + ".py"), flags)]))
"""


@pytest.fixture(scope="module")
def told(tmp_path_factory: pytest.TempPathFactory) -> dict[str, dict[str, Any]]:
    trace = real_or_made(tmp_path_factory.mktemp("traces"), "azure")[0]
    flags: dict[str, list[str]] = {name: ["--arrivals=constant"] for name in available_scenarios(LOADTESTS)}
    flags["replay"] += [f"--trace={trace}", "--trace-s=120"]
    done = subprocess.run(
        [sys.executable, "-W", "ignore", "-c", PROGRAM, str(LOADTESTS), json.dumps(flags)],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return dict(json.loads(line) for line in done.stdout.splitlines())


def test_there_is_a_scenario_of_each_kind(told: dict[str, dict[str, Any]]) -> None:
    assert set(told) == {
        "checkout",
        "diurnal",
        "flash_crowd",
        "ramp",
        "replay",
        "soak",
        "spike",
        "steady",
        "step",
    }
    opens = {name for name, said in told.items() if said["loop"] == "open"}
    assert opens == {"diurnal", "flash_crowd", "replay"}


def test_each_is_bounded_in_time_and_count_and_knows_its_length(told: dict[str, dict[str, Any]]) -> None:
    for name, said in told.items():
        assert 0 < said["duration_s"] <= said["max_duration_s"] <= 14_400, name
        assert 0 < said["requests"] <= said["max_requests"] <= 2_000_000, name
        assert said["last_s"] <= said["duration_s"], name
        assert said["strange"] == [], name


def test_both_loops_of_each_mean_the_same_load(told: dict[str, dict[str, Any]]) -> None:
    for name, said in told.items():
        assert said["arrivals"] * said["a_journey"] == pytest.approx(said["requests"], abs=said["a_journey"])
        assert max(said["users"]) > 0, name


def test_each_flag_has_its_help(told: dict[str, dict[str, Any]]) -> None:
    for name, said in told.items():
        for flag, text in said["helps"].items():
            assert text.split(" Default:")[0].endswith("."), (name, flag)
            assert "--" + flag.replace("_", "-") in said["help"]


def test_shapes_are_what_they_are_called(told: dict[str, dict[str, Any]]) -> None:
    users = {name: said["users"] for name, said in told.items()}
    assert users["ramp"] == sorted(users["ramp"])
    assert users["step"] == sorted(users["step"])
    assert len(set(users["step"])) == 5
    assert set(users["steady"]) == {8}
    assert set(users["spike"]) == {4, 36}
    assert users["spike"][0] == users["spike"][-1] == 4
    assert users["soak"][1:] == [8] * 19
    noon = max(range(20), key=lambda index: users["diurnal"][index])
    assert noon == 10
    crowd = users["flash_crowd"]
    height = crowd.index(max(crowd))
    assert crowd[height:] == sorted(crowd[height:], reverse=True)
    assert height < 10
