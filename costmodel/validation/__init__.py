"""Floor 7: our predictions beside published measurements.

It imports `studies` and everything below, never `pages`.
"""
