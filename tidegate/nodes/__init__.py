"""A cloud for the cluster-autoscaler whose machines are kind nodes.

The autoscaler asks over gRPC (`service`); `fleet` decides what to add and remove and does it in the
background; `host` is the small interface to the container engine and the cluster behind it, `kind` its real
half. Nothing is remembered in this process: `marks` says how the engine keeps it.
"""
