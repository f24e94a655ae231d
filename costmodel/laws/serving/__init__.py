"""Serving: what fits on GPUs, how fast it answers and the cheapest fleet that keeps a promise."""
