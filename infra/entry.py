"""What happens when Pulumi runs the program."""

from __future__ import annotations

import pulumi

from infra.images import from_catalogue
from infra.program import build, export
from tidegate.errors import TidegateError
from tidegate.host.paths import project_root
from tidegate.images import GATEWAY_CHARTS, ensure_files
from tidegate.images.controllers import definitions
from tidegate.images.injectors import CHAOS_DEFINITIONS
from tidegate.models.stack import load_stack


def main() -> None:
    """Read the stack's configuration, find the images, and declare the layers.

    Raises:
        pulumi.RunError: what a user must mend; Pulumi prints it as one line.
    """
    try:
        root = project_root()
        stack = load_stack(root / f"Pulumi.{pulumi.get_stack()}.yaml")
        images = from_catalogue(
            stack.policy, stack.faults, preview=pulumi.runtime.is_dry_run(), load=stack.load
        )
        build(
            stack,
            images,
            owner=f"{pulumi.get_project()}/{pulumi.get_stack()}",
            gateway_charts=ensure_files(GATEWAY_CHARTS),
            chart=root / "charts" / "tidegate-service",
            definitions={name: ensure_files(name) for name in definitions(stack.policy)},
            fault_definitions=ensure_files(CHAOS_DEFINITIONS) if stack.faults.chaos_mesh else None,
        )
        export(stack, images)
    except TidegateError as error:
        raise pulumi.RunError(str(error)) from error
