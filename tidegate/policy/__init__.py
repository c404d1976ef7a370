"""Look at a policy, compare two, and explain a field."""
