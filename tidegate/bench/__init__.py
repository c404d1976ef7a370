"""Measurements that are repeated until their spread is known; tests are elsewhere and assert no times."""
