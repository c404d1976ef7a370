from __future__ import annotations

from pathlib import Path

import pytest

from tidegate.errors import TidegateError
from tidegate.load.catalogue import available_scenarios, plan_scenario

LOADTESTS = Path(__file__).parents[3] / "loadtests"


def test_each_file_is_a_scenario_except_what_they_share(tmp_path: Path) -> None:
    for name in ("wave.py", "calm.py", "_users.py", "notes.txt"):
        (tmp_path / name).touch()
    assert available_scenarios(tmp_path) == ["calm", "wave"]
    assert {"spike", "steady"} <= set(available_scenarios(LOADTESTS))


def test_an_unknown_scenario_names_the_nearest() -> None:
    with pytest.raises(TidegateError, match=r"no scenario 'spke'.*did you mean spike"):
        plan_scenario("spke", {}, folder=LOADTESTS)
    with pytest.raises(TidegateError, match=r"choose from .*spike"):
        plan_scenario("qqqq", {}, folder=LOADTESTS)


def test_a_scenario_tells_all_its_parameters_and_its_duration() -> None:
    plan = plan_scenario("spike", {"spike-users": "9", "cool_s": "5"}, folder=LOADTESTS)
    assert plan.flags == ["--spike-users=9", "--cool-s=5"]
    assert plan.parameters["spike_users"] == "9"
    assert plan.parameters["base_users"] == "4"
    assert plan.duration_s == 30 + 120 + 5


@pytest.mark.parametrize(
    ("parameters", "message"),
    [
        ({"spike_user": "9"}, "no parameter of spike 'spike_user'.*did you mean spike_users"),
        ({"spike_users": "0"}, "--spike-users 0: .*greater than or equal to 1"),
        ({"spike_users": "many"}, "invalid int value: 'many'"),
        ({"arrivals": "bursty"}, "invalid choice: 'bursty'"),
        ({"processes": "0"}, "processes 0: give a whole number from 1 to 64"),
        ({"processes": "two"}, "processes two: give a whole number"),
    ],
)
def test_what_a_scenario_does_not_take(parameters: dict[str, str], message: str) -> None:
    with pytest.raises(TidegateError, match=message) as caught:
        plan_scenario("spike", parameters, folder=LOADTESTS)
    assert "\n" not in str(caught.value)


def test_several_processes_are_asked_for_like_a_parameter() -> None:
    plan = plan_scenario("spike", {"processes": "3"}, folder=LOADTESTS)
    assert (plan.processes, plan.parameters["processes"], plan.flags) == (3, "3", [])


def test_a_plain_locust_file_is_a_scenario_of_unknown_length(tmp_path: Path) -> None:
    (tmp_path / "plain.py").write_text(
        "from locust import HttpUser, events, task\n"
        "@events.init_command_line_parser.add_listener\n"
        "def _(parser): parser.add_argument('--colour', default='red')\n"
        "class User(HttpUser):\n    @task\n    def get(self): self.client.get('/')\n"
    )
    plan = plan_scenario("plain", {"colour": "blue"}, folder=tmp_path)
    assert plan.parameters == {"colour": "blue"}
    assert plan.duration_s is None


def test_a_broken_file_is_an_error_of_one_line(tmp_path: Path) -> None:
    (tmp_path / "broken.py").write_text("import nothing_of_that_name\n")
    with pytest.raises(TidegateError, match="No module named 'nothing_of_that_name'"):
        plan_scenario("broken", {}, folder=tmp_path)
