"""The world around the autoscaler: load, pods that serve it, and the pipeline that measures them.

`simulate` runs a policy against arrivals and tells a recorder what happened, in the terms of a Run.
"""

from tidegate.simulate.world.parameters import World
from tidegate.simulate.world.recorder import Recorder
from tidegate.simulate.world.simulation import simulate

__all__ = ["Recorder", "World", "simulate"]
