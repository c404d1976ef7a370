"""Watch a cluster into a Run: objects as they change, and metrics with their own timestamps.

The observer is a process of its own (`python -m tidegate.observe`), so that neither the load generator's
work nor the command line's can delay what it sees. `drive.Observer` starts and stops it.
"""
