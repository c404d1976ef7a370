"""Routes. Each does three things: take the parameters, call the controller, set the headers."""
