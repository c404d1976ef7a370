"""Queries, and nothing but queries: no rules, no HTTP, no commits."""
