"""Measurements of the service and of the simulation, separate from the tests: `make bench`.

Core 0 (the first this process may use) carries what is measured; the last one carries the load generator,
the databases and this program. Variants that are compared run in turn (A B A B), so that a drift of the
machine meets both. Raw figures are kept as JSON; `python -m bench report` makes docs/benchmarks.md of them.
"""
