"""What doctor looks at: each check is one function that gets the facts and returns what it found."""

from __future__ import annotations

from collections.abc import Callable

from tidegate.host.checks import engine, kernel, network, ports, resources, system, tools
from tidegate.host.facts import Facts
from tidegate.host.report import Check

CheckFunction = Callable[[Facts], Check | list[Check]]

CHECKS: tuple[CheckFunction, ...] = (
    system.platform_check,
    system.python_check,
    system.access_check,
    engine.engine_check,
    engine.privileged_check,
    engine.storage_check,
    kernel.cgroup_check,
    kernel.inotify_check,
    kernel.overlay_check,
    kernel.iptables_check,
    kernel.bridge_filter_check,
    kernel.netem_check,
    resources.cpu_check,
    resources.memory_check,
    resources.disk_check,
    ports.gateway_port_check,
    ports.api_port_check,
    tools.tool_checks,
    tools.plugin_check,
    network.image_registry_check,
    network.package_checks,
)
