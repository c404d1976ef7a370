"""What the cluster would have done: the autoscaler's own decisions, and a model of the world around them."""
