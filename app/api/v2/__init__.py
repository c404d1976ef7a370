"""The second version: an order is accepted at once and decided by a worker."""
