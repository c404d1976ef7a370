"""Routes. Each does three things: take the parameters, call the controller, set the headers.

Modules with routes or with what they depend on, like those with models of pydantic and with tables, have no
`from __future__ import annotations`: each annotation would be a text that the start compiles and evaluates.
"""
