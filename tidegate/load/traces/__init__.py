"""Traces of real load, read into bins or single arrivals, to be replayed."""

from tidegate.load.traces.model import Arrivals, Counts, Trace, Window
from tidegate.load.traces.read import Format, read_trace
from tidegate.load.traces.replay import replay_offsets, replay_phases

__all__ = ["Arrivals", "Counts", "Format", "Trace", "Window", "read_trace", "replay_offsets", "replay_phases"]
