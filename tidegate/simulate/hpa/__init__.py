"""The HorizontalPodAutoscaler's decision, exactly, as pure functions over frozen state.

`decide` makes one sync from a `Spec`, the `Controller`'s flags, its `Memory` and an `Observation`.
`explain` says why. File and line in docstrings are those of k8s.io/kubernetes v1.36.3,
pkg/controller/podautoscaler, unless another file or version is named.
"""

from tidegate.simulate.hpa.memory import Memory
from tidegate.simulate.hpa.pods import Observation
from tidegate.simulate.hpa.release import RELEASES, Release, release
from tidegate.simulate.hpa.spec import Behavior, Controller, Spec
from tidegate.simulate.hpa.sync import Decision, decide, decide_with

__all__ = [
    "RELEASES",
    "Behavior",
    "Controller",
    "Decision",
    "Memory",
    "Observation",
    "Release",
    "Spec",
    "decide",
    "decide_with",
    "release",
]
