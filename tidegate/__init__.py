"""Tidegate: deploy, load, break and tune the autoscaling of a Python service on Kubernetes."""
