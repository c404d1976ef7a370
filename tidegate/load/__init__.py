"""Drive Locust into a Run.

The driving side (`drive`) never imports Locust: importing it replaces the standard library's sockets and
threads in the whole process. The driven side (`scenario`, `pacing`) runs only inside a Locust process.
"""
