"""The line format of `tidegate hpa decide`: a history of observations in, its decisions out."""

from tidegate.simulate.wire.convert import controller_of, observation_of, seconds_to_ns, spec_of
from tidegate.simulate.wire.history import History

__all__ = ["History", "controller_of", "observation_of", "seconds_to_ns", "spec_of"]
