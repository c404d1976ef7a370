"""The background half: publishing what is owed, deciding it, and measuring how much waits."""
