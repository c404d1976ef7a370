"""Break a deployed service on purpose, and record it into a Run: experiments in `chaos/`, one a file."""
