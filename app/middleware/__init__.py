"""What every request passes through. Plain ASGI: no task, no copy of the body, no buffering."""
