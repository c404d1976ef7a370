"""Load from pods inside the cluster: one directs, several generate, and their record is one Run.

Outside, on the machine that runs `tidegate`: `conduct` makes the Jobs and follows them, `collect` brings out
what they record. Inside, in every pod: `agent` starts Locust and gives out what it writes. The inside never
imports the outside.
"""
