"""Between the wire and the services: bodies in, bodies out, no rules."""
