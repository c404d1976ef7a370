"""`tidegate hpa decide`: histories in, the controller's decisions out, one line for one line."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from typing import Any, BinaryIO

from pydantic import ValidationError

from tidegate.errors import TidegateError
from tidegate.simulate.hpa.evaluate import Invalid, Valid, kind_of, name_of
from tidegate.simulate.hpa.explain import Reason, explain, limits
from tidegate.simulate.hpa.pod_metrics import PodsProposal
from tidegate.simulate.hpa.sync import Decision, decide
from tidegate.simulate.lines import Line, bounded_lines
from tidegate.simulate.wire.convert import controller_of, memory_of, observation_of, spec_of
from tidegate.simulate.wire.history import History

LONGEST_LINE = 8 << 20
"""Bytes of one line unless more are asked for: about 250 syncs of 100 pods."""
_SYNTAX = re.compile(r"(Invalid JSON: .*) at line 1 column (\d+)", re.DOTALL)


class BadLineError(Exception):
    """A line that is no history; `at` is the place in it."""

    def __init__(self, what: str, at: str = "") -> None:
        super().__init__(what)
        self.what = what
        self.at = at


def decide_lines(stream: BinaryIO, *, longest: int, explained: bool) -> Iterator[tuple[bool, dict[str, Any]]]:
    """Yield, for each line that is not blank, whether it was good and the object to print.

    A bad line gives an object with `error`, `line` (from 1) and `at`, and the rest goes on. Memory depends on
    `longest`, not on the input.
    """
    for line in bounded_lines(stream, longest):
        if line.whole and not line.data.strip():
            continue
        try:
            yield True, {"decisions": [_shown(*one, explained) for one in decisions_of(read_line(line))]}
        except BadLineError as error:
            where = f"line {line.number}" + (f", {error.at}" if error.at else "")
            yield False, {"error": f"{where}: {error.what}", "line": line.number, "at": error.at}


def read_line(line: Line) -> History:
    """Return the history on `line`.

    Raises:
        BadLineError: it is none, or too long.
    """
    if not line.whole:
        raise BadLineError(f"the line has {line.length} bytes, more than --longest-mib allows")
    try:
        return History.model_validate_json(line.data)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        syntax = _SYNTAX.fullmatch(first["msg"])
        if syntax is not None:
            raise BadLineError(syntax[1], f"column {syntax[2]}") from None
        raise BadLineError(_told(first["msg"]), _place(first["loc"])) from None
    except RecursionError:
        raise BadLineError("nested too deeply") from None


def chosen_line(stream: BinaryIO, number: int, longest: int) -> Line:
    """Return line `number` of `stream`.

    Raises:
        TidegateError: there are fewer lines.
    """
    last = 0
    for line in bounded_lines(stream, longest):
        if line.number == number:
            return line
        last = line.number
    raise TidegateError(f"there is no line {number}: the input has {last}")


def decisions_of(history: History) -> Iterator[tuple[float, Decision]]:
    """Yield the time, in seconds as given, and the decision of each sync.

    Raises:
        BadLineError: the version or a feature gate is unknown.
    """
    try:
        controller = controller_of(history.controller)
    except TidegateError as error:
        raise BadLineError(str(error), "controller") from error
    spec, memory = spec_of(history.hpa), memory_of(history.hpa)
    for sync in history.syncs:
        decision, memory = decide(spec, controller, memory, observation_of(sync))
        yield sync.t_s, decision


def dumped(shown: dict[str, Any]) -> str:
    """Return one line of output."""
    return json.dumps(shown, separators=(",", ":"), ensure_ascii=False)


def _shown(t_s: float, decision: Decision, explained: bool) -> dict[str, Any]:
    shown: dict[str, Any] = {
        "t_s": int(t_s) if t_s.is_integer() else t_s,
        "spec_replicas": decision.spec_replicas,
        "desired_replicas": decision.desired_replicas,
        "conditions": {name: str(value) for name, value in sorted(decision.conditions.items())},
        "error": decision.error,
    }
    if explained:
        shown["explain"] = {
            "why": decision.why,
            "metrics": [_metric(metric) for metric in decision.metrics],
            "recommended": decision.recommended,
            "limited_by": [
                {"by": limit.by, "before": limit.before, "after": limit.after} for limit in limits(decision)
            ],
            "tree": _tree(explain(decision, t_s)),
        }
    return shown


def _metric(metric: Valid | Invalid) -> dict[str, Any]:
    shown: dict[str, Any] = {"type": kind_of(metric.metric), "name": name_of(metric.metric)}
    if isinstance(metric, Invalid):
        return {**shown, "replicas": None, "reason": metric.reason, "error": metric.error}
    proposal = metric.proposal
    shown |= {
        "replicas": proposal.replicas,
        "value": proposal.value,
        "target": proposal.target,
        "ratio": _finite(proposal.ratio),
        "because": proposal.because,
    }
    if isinstance(proposal, PodsProposal):
        census = proposal.census
        shown["filled_ratio"] = None if proposal.filled_ratio is None else _finite(proposal.filled_ratio)
        shown["pods"] = {
            "counted": census.ready,
            "unready": census.unready,
            "missing": census.missing,
            "ignored": census.ignored,
        }
    return shown


def _finite(ratio: float) -> float | None:
    """Return the ratio where JSON can hold it."""
    return ratio if abs(ratio) < float("inf") else None


def _tree(reason: Reason) -> dict[str, Any]:
    return {"text": reason.text, "parts": [_tree(part) for part in reason.parts]}


def _told(message: str) -> str:
    return " ".join(message.removeprefix("Value error, ").split())[:500]


def _place(location: tuple[int | str, ...]) -> str:
    """Return the path of an error, for example `syncs[3].pods[0].phase`."""
    path = ""
    for step in location:
        path += f"[{step}]" if isinstance(step, int) else f".{step[:80]}"
    return path.removeprefix(".")
