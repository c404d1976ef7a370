"""Tables and the way to them."""
