"""The first version: an order is decided before it is answered."""
