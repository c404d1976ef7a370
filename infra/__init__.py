"""The Pulumi program: one component a layer, in the order they need each other."""
