"""One process against several: latency over the offered rate, and where it bends, at equal CPU.

The bound: a closed loop that keeps n connections busy has latency n / throughput. With x times the capacity
latency falls by 1 - 1/x and no further, so "60 % less" needs 2.5 times the capacity, from wherever it comes.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator
from contextlib import ExitStack

from bench import tools
from bench.fleet import LARGE, Fleet
from bench.front import front
from bench.raw import Raw, Sample, cell, table
from bench.spread import Spread, figure
from bench.suite import Context, interleaved

TITLE = "One process or several"
MINUTES = 6
CONNECTIONS = 32
FRACTIONS = (0.5, 0.7, 0.85, 0.95, 1.05)
"""Of what one Uvicorn process can do in a closed loop."""
KNEE_P95_MS = 50.0
KNEE_DONE = 0.98
WITHIN = 0.10

_ONE, _TWO_CORES = "uvicorn", "gunicorn 2 workers, 2 cores"


def measure(context: Context) -> Iterator[Sample]:
    """First each variant's capacity in a closed loop, then its latency over one ladder of offered rates."""
    gunicorn = {"SERVER": "gunicorn", "SERVER_WORKERS": "2"}
    with ExitStack() as running:
        fleet = Fleet(context, running)
        _, one = fleet.start("uvicorn", {})
        _, two = fleet.start("gunicorn-2", gunicorn)
        wide, both = fleet.start(
            "gunicorn-2-cores", gunicorn, cores=[*context.server_core, *context.generator_core]
        )
        pods = [fleet.start(f"pod-{number}", {})[1] for number in (1, 2)]
        urls = {_ONE: one, "gunicorn 2 workers": two}
        sharers: dict[str, list[int]] = {}
        for name, upstreams in (("balancer + 1 pod", pods[:1]), ("balancer + 2 pods", pods)):
            balancer, port = front(
                name.replace(" ", "-"),
                tools.nginx(),
                upstreams,
                cores=context.generator_core,
                folder=context.folder,
            )
            running.enter_context(balancer).wait_http(f"http://127.0.0.1:{port}/readyz")
            urls[name] = port
            sharers[name] = [balancer.pid]
        urls[_TWO_CORES] = both

        def closed(variant: str) -> Sample:
            measured = context.generators.closed(
                f"http://127.0.0.1:{urls[variant]}{LARGE}",
                connections=CONNECTIONS,
                duration_s=context.dose(3),
                sharers=sharers.get(variant, ()),
            )
            return {"loop": "closed", **measured.sample()}

        for variant in urls:
            closed(variant)
        capacities: list[float] = []
        for sample in interleaved(context, list(urls), closed, "capacity"):
            if sample["variant"] == _ONE:
                capacities.append(sample["rps"])
            yield sample
        capacity = statistics.median(capacities)
        wide.stop()

        for fraction in FRACTIONS:
            rate = max(1, round(fraction * capacity))

            def offered(variant: str, fraction: float = fraction, rate: int = rate) -> Sample:
                measured = context.generators.open(
                    [{"url": f"http://127.0.0.1:{urls[variant]}{LARGE}"}],
                    rate=rate,
                    duration_s=context.dose(2.5),
                    timeout_s=5.0,
                    sharers=sharers.get(variant, ()),
                )
                return {"loop": "open", "fraction": fraction, "offered_rps": rate, **measured.sample()}

            same_cpu = [variant for variant in urls if variant != _TWO_CORES]
            yield from interleaved(context, same_cpu, offered, f"offered {rate}/s")


def knee_rps(raw: Raw, variant: str) -> float | None:
    """The highest offered rate that was answered whole with p95 within `KNEE_P95_MS`, by the medians;
    None when not even the lowest was."""
    knee = None
    for fraction in FRACTIONS:
        wanted = {"variant": variant, "loop": "open", "fraction": fraction}
        p95, done = raw.spread("p95_ms", **wanted), raw.spread("rps", **wanted)
        rate, errors = raw.spread("offered_rps", **wanted), raw.spread("errors", **wanted)
        if p95 is None or done is None or rate is None or errors is None:
            continue
        if p95.median > KNEE_P95_MS or done.median < KNEE_DONE * rate.median or errors.median > 0:
            break
        knee = rate.median
    return knee


def bound(raw: Raw) -> tuple[float, float, float] | None:
    """Medians of x (capacity of two cores over one), of the latency saved, and of 1 - 1/x."""
    gains = raw.ratios("rps", _TWO_CORES, _ONE, loop="closed")
    kept = raw.ratios("mean_ms", _TWO_CORES, _ONE, loop="closed")
    if not gains or not kept:
        return None
    gain = statistics.median(gains)
    return gain, 1 - statistics.median(kept), 1 - 1 / gain


def render(raw: Raw) -> str:
    """The section."""
    variants = raw.variants()
    capacity = [
        (
            variant,
            "2, shared with the generator" if variant == _TWO_CORES else "1",
            cell(raw.spread("rps", variant=variant, loop="closed"), 0),
            cell(raw.spread("mean_ms", variant=variant, loop="closed")),
            cell(raw.spread("p99_ms", variant=variant, loop="closed")),
            cell(Spread.of(raw.ratios("rps", variant, _ONE, loop="closed")), 2),
        )
        for variant in variants
    ]
    same_cpu = [variant for variant in variants if variant != _TWO_CORES]
    curve = [
        (
            f"{fraction:.0%}",
            cell(raw.spread("offered_rps", variant=_ONE, loop="open", fraction=fraction), 0).split(" ")[0],
            *(cell(raw.spread("p95_ms", variant=name, loop="open", fraction=fraction)) for name in same_cpu),
        )
        for fraction in FRACTIONS
    ]
    knees = [(variant, knee_rps(raw, variant)) for variant in same_cpu]
    parts = [
        f"`GET {LARGE}` from the response cache. Capacity, {CONNECTIONS} connections kept busy (wrk):\n",
        table(("variant", "cores", "requests/s", "mean ms", "p99 ms", "of one Uvicorn"), capacity),
        "\np95 latency in ms over the offered rate (vegeta, constant rate), all on one core; the rate as a "
        "share of one Uvicorn's capacity. The balancer is NGINX on the generator's core:\n",
        table(("offered", "requests/s", *same_cpu), curve),
        f"\nThe knee, the highest of these rates answered whole with p95 within {KNEE_P95_MS:g} ms:\n",
        table(
            ("variant", "requests/s"),
            [(name, "below the ladder" if knee is None else figure(knee, 0)) for name, knee in knees],
        ),
        "",
        _bound_text(raw),
    ]
    return "\n".join(parts)


def _bound_text(raw: Raw) -> str:
    found = bound(raw)
    if found is None:
        return "The bound 1 - 1/x: no figure."
    gain, saved, most = found
    # Without a gain there is nothing to save, however well the two sides of the formula agree.
    met = gain > 1 and abs(saved - most) <= WITHIN
    return (
        f"Two workers on two cores have {figure(gain)} times the capacity; the mean latency falls by "
        f"{saved:.0%} where 1 - 1/x is {most:.0%}. Goal: at the bound within {WITHIN:.0%}: "
        f"**{'met' if met else 'not met'}**."
    )
