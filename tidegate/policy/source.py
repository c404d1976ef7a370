"""Where a policy can be read from."""

from __future__ import annotations

from pathlib import Path

from tidegate.errors import TidegateError
from tidegate.models import Policy, load_stack
from tidegate.run.format import PLAN_FILE
from tidegate.run.reader import RunReader

DEFAULT = "default"


def read_policy(source: str, root: Path) -> Policy:
    """The policy that `source` names.

    Args:
        source: `default` for the models' own values, a Run's folder, a stack's file, or a stack's name.
        root: the project's folder, where the stacks' files are.

    Raises:
        TidegateError: it is none of these, or what is there is no policy.
    """
    if source == DEFAULT:
        return Policy()
    path = Path(source)
    if (path / PLAN_FILE).is_file():
        return RunReader(path).plan.policy
    if path.is_file():
        return load_stack(path).policy
    named = root / f"Pulumi.{source}.yaml"
    if path.name != source or not named.is_file():
        known = sorted(each.name.split(".")[1] for each in root.glob("Pulumi.*.yaml"))
        raise TidegateError(
            f"{source!r} is no stack, no Run and no stack's file",
            where=str(root),
            cure=f"name one of {', '.join([DEFAULT, *known])}, or a Run's folder",
        )
    return load_stack(named).policy
