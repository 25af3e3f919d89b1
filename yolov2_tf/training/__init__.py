"""Training runs: what is set, one loop, what a run leaves behind."""
