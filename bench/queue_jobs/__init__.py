"""The same fraud job on four queues. Each module is run as `python -m ... worker` and `... submit`.

They may import nothing but their queue, the redis client and the standard library: arq's runs in an
environment that has nothing of the service's.
"""
