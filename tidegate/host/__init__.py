"""The machine the kit runs on: where it keeps things, what it finds there, what it must start."""
