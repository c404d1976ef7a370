"""Random autoscalers and what their controller sees, as state."""

from __future__ import annotations

from hypothesis import strategies as st

from tidegate.simulate.hpa import RELEASES, Behavior, Controller, Observation, Spec
from tidegate.simulate.hpa.pods import Container, ContainerUsage, Fault, Pod, PodUsage, Ready
from tidegate.simulate.hpa.spec import (
    NANOS,
    ExternalMetric,
    Metric,
    ObjectMetric,
    PodsMetric,
    RatePolicy,
    ResourceMetric,
    Rules,
)

FAULTS: list[Fault | None] = [*[None] * 6, "InvalidSelector", "FailedGetScale", "FailedUpdateScale"]

percents = st.integers(1, 200)
amounts = st.integers(1, 10**6)


@st.composite
def rules(draw: st.DrawFn) -> Rules:
    policy = st.builds(
        RatePolicy, st.sampled_from(["Pods", "Percent"]), st.integers(1, 300), st.integers(1, 120)
    )
    return Rules(
        select=draw(st.sampled_from(["Max", "Min", "Disabled"])),
        policies=tuple(draw(st.lists(policy, min_size=1, max_size=3))),
        window_s=draw(st.integers(0, 300)),
        tolerance=draw(st.none() | st.sampled_from([0.0, 0.05, 0.5])),
    )


metrics: st.SearchStrategy[Metric] = st.one_of(
    st.builds(ResourceMetric, st.sampled_from(["cpu", "memory"]), utilization_percent=percents),
    st.builds(
        ResourceMetric, st.just("cpu"), average_milli=amounts, container=st.sampled_from([None, "app"])
    ),
    st.builds(PodsMetric, st.just("rps"), amounts),
    st.builds(ObjectMetric, st.just("hits"), value_milli=amounts),
    st.builds(ObjectMetric, st.just("hits"), average_milli=amounts),
    st.builds(ExternalMetric, st.just("queue"), value_milli=amounts),
    st.builds(ExternalMetric, st.just("queue"), average_milli=amounts),
)


@st.composite
def specs(draw: st.DrawFn) -> Spec:
    least = draw(st.integers(0, 10))
    return Spec(
        max_replicas=draw(st.integers(max(1, least), 60)),
        min_replicas=least,
        metrics=tuple(draw(st.lists(metrics, min_size=1, max_size=3))),
        behavior=draw(st.none() | st.builds(Behavior, rules(), rules())),
    )


controllers = st.builds(
    Controller,
    tolerance=st.sampled_from([0.0, 0.1, 0.3]),
    downscale_stabilization_ns=st.sampled_from([0, 60, 300]).map(lambda seconds: seconds * NANOS),
    release=st.sampled_from(list(RELEASES.values())),
)


@st.composite
def pods(draw: st.DrawFn, name: str, now_s: int) -> Pod:
    started_s = now_s - draw(st.integers(0, 900))
    window_s = draw(st.sampled_from([10, 15, 30]))
    usage = draw(st.none() | st.tuples(st.integers(0, 2000), st.integers(0, 10**12), st.integers(0, 90)))
    return Pod(
        name=name,
        phase=draw(st.sampled_from(["Running", "Running", "Running", "Pending", "Failed", "Succeeded"])),
        ready=draw(st.sampled_from(list(Ready))),
        ready_since_ns=draw(st.integers(started_s, now_s)) * NANOS,
        started_ns=draw(st.none() | st.just(started_s * NANOS)),
        deleting=draw(st.integers(0, 9)) == 0,
        containers=(Container("app", {"cpu": draw(st.integers(1, 1000)), "memory": 10**11}),),
        usage=None
        if usage is None
        else PodUsage(
            (now_s - usage[2]) * NANOS,
            window_s * NANOS,
            (ContainerUsage("app", {"cpu": usage[0], "memory": usage[1]}),),
        ),
    )


@st.composite
def observations(draw: st.DrawFn, now_s: int = 1000) -> Observation:
    count = draw(st.integers(0, 7))
    listed = tuple(draw(pods(f"p{number}", now_s)) for number in range(count))
    custom = st.dictionaries(st.sampled_from([pod.name for pod in listed] or ["p0"]), st.integers(0, 10**7))
    return Observation(
        t_ns=now_s * NANOS,
        spec_replicas=draw(st.integers(0, 70)),
        status_replicas=draw(st.integers(0, 70)),
        pods=listed,
        pod_metrics=draw(st.sampled_from([{}, {"rps": draw(custom)}])),
        object_metrics=draw(st.sampled_from([{}, {"hits": draw(st.integers(0, 10**7))}])),
        external_metrics=draw(
            st.sampled_from([{}, {"queue": tuple(draw(st.lists(st.integers(0, 10**7), max_size=3)))}])
        ),
        fault=draw(st.sampled_from(FAULTS)),
    )
