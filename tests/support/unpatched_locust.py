"""Import this before anything that imports Locust, where threads must stay threads.

When imported, Locust replaces the standard library's sockets, threads and sleeps by those of gevent. A server
in a thread of the test would then share the loop with the client that is tested.
"""

from __future__ import annotations

import os

_VARIABLE = "LOCUST_SKIP_MONKEY_PATCH"
os.environ[_VARIABLE] = "1"
try:
    import locust as locust
finally:
    del os.environ[_VARIABLE]  # nothing that a test starts may inherit it
