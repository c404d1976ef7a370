"""docs/benchmarks.md, made of raw figures and of nothing else."""

from __future__ import annotations

import time
from collections.abc import Mapping

from bench.raw import Raw, table
from bench.suite import NAMES, benchmark

_HEAD = """# Benchmarks

Made by `python -m bench report` from the raw figures that `make bench` keeps in `bench/results/`; not to be
edited.

The first core carries what is measured, the last one the load generator, the databases and, where it stands
for another machine, the balancer. Compared variants run in turn within one run. Figures are
`median (least to greatest)` over the repetitions. A run in which the generator used 90 % of its core or more
does not count. PostgreSQL syncs to disk. Goals are **met** or **not met** by the median.
"""

_QUICK = "**A trial in small doses: it shows that the benchmark works, and measures nothing.**\n"


def page(found: Mapping[str, Raw]) -> str:
    """The whole page; benchmarks without figures say so."""
    parts = [_HEAD, *_machine(found)]
    for name in NAMES:
        module = benchmark(name)
        parts.append(f"## {module.TITLE}\n")
        raw = found.get(name)
        if raw is None:
            parts.append(f"Not measured yet (`python -m bench {name}`).\n")
            continue
        if raw.quick:
            parts.append(_QUICK)
        parts.append(module.render(raw).strip() + "\n")
        parts += [f"- {note}" for note in raw.notes]
        if raw.notes:
            parts.append("")
        parts.append(_foot(raw))
    return "\n".join(parts)


def _machine(found: Mapping[str, Raw]) -> list[str]:
    """The facts of each machine, once."""
    machines: dict[tuple[tuple[str, str], ...], list[str]] = {}
    for name, raw in found.items():
        machines.setdefault(tuple(raw.machine.items()), []).append(name)
    parts: list[str] = []
    for facts, names in machines.items():
        of = "" if len(machines) == 1 else f" of {', '.join(names)}"
        parts.append(f"## Machine{of}\n")
        parts.append(table(("", ""), facts) + "\n")
    return parts


def _foot(raw: Raw) -> str:
    when = time.strftime("%Y-%m-%d %H:%M UTC", time.gmtime(raw.began_at))
    stolen = 100 * raw.stolen_s / raw.took_s if raw.took_s else 0.0
    discarded = raw.discarded()
    return (
        f"{when}, {raw.repetitions} repetitions, {raw.took_s:.0f} s, host steal {stolen:.1f} % of one core, "
        f"{discarded} of {len(raw.samples)} runs discarded.\n"
    )
