"""One change of the schema a file."""
