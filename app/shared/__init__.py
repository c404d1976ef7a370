"""What the processes of one deployment share through Redis, and how each does without it."""
