"""Messages as they go over the wire, compiled by `make stubs`; edit the .proto files, not these."""
