"""What must be on the machine before Pulumi can do anything: packages, an engine, tools and images."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

from rich.console import Console

from tidegate.deploy.environment import check_no_foreign_passphrase, tool_environment
from tidegate.deploy.stack import Stack
from tidegate.errors import TidegateError
from tidegate.host.engine import Engine, find_engine, start_engine
from tidegate.host.packages import install_packages, missing_packages
from tidegate.host.paths import kubeconfig_path, project_root
from tidegate.host.preflight import require_room
from tidegate.images import GATEWAY_CHARTS, ensure
from tidegate.images.controllers import controllers, definitions
from tidegate.images.generators import generators
from tidegate.images.injectors import fault_definitions, injectors
from tidegate.models.stack import StackConfig, load_stack


@dataclass(frozen=True)
class Site:
    """A stack, read from its file, on a machine that can run it."""

    name: str
    root: Path
    config: StackConfig
    engine: Engine
    environment: dict[str, str]

    @property
    def stack(self) -> Stack:
        """The Pulumi stack."""
        return Stack(self.root, self.name, self.environment)

    @property
    def gateway(self) -> str:
        """The service's address as a client on this machine sees it."""
        return f"http://127.0.0.1:{self.config.cluster.gateway_port}"


def stack_config(name: str) -> tuple[Path, StackConfig]:
    """The project's folder and the configuration of one of its stacks.

    Raises:
        TidegateError: no such stack, or its file says something that the models do not know.
    """
    root = project_root()
    return root, load_stack(root / f"Pulumi.{name}.yaml")


def open_engine(*, install: bool) -> Engine:
    """The engine that answers, or one of our own.

    Args:
        install: whether missing packages of the engine may be installed (root on Debian or Ubuntu).
    """
    engine = find_engine()
    if engine is not None:
        return engine
    if os.geteuid() != 0:
        raise TidegateError(
            "no container engine answers",
            cure="start docker, or put yourself in its group; as root `tidegate` starts one of its own",
        )
    if install and missing_packages("engine"):
        install_packages(missing_packages("engine"))
    return start_engine()


def prepare(name: str, *, source: str, install: bool, console: Console) -> Site:
    """Make sure that everything `pulumi up` needs is here; quick when it already is.

    Args:
        name: stack name.
        source: where tools and images come from: `auto`, `registry` or `packages`.
        install: whether missing system packages may be installed.
        console: where progress goes.

    Raises:
        TidegateError: something cannot be had, with its cure.
    """
    root, config = stack_config(name)
    check_no_foreign_passphrase()
    if install and os.geteuid() == 0:
        missing = missing_packages("build")
        if missing:
            install_packages(missing)
    engine = open_engine(install=install)
    console.print(
        f"Engine: {engine.host}, version {engine.version.version}",
        style="dim",
        highlight=False,
        soft_wrap=True,
    )
    cluster = config.cluster
    require_room(cluster_name=cluster.name, gateway_port=cluster.gateway_port, api_port=cluster.api_port)
    ensure(
        tools=None,
        images=None,
        options=controllers(config.policy) + injectors(config.faults) + generators(config.load),
        files=[GATEWAY_CHARTS, *definitions(config.policy), *fault_definitions(config.faults)],
        engine_env=engine.env(),
        source=source,
        console=console,
    )
    environment = tool_environment(engine.env(), cluster=config.cluster.name)
    return Site(name, root, config, engine, environment)


def attach(name: str) -> Site:
    """A stack that is deployed already; nothing is built or started.

    Raises:
        TidegateError: no engine answers, or the stack's cluster is not there.
    """
    root, config = stack_config(name)
    engine = find_engine()
    if engine is None or not kubeconfig_path(config.cluster.name).exists():
        raise TidegateError(f"stack {name} is not deployed", cure=f"run `tidegate up --stack {name}`")
    environment = tool_environment(engine.env(), cluster=config.cluster.name)
    return Site(name, root, config, engine, environment)
