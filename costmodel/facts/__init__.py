"""Floor 1: the rows of `data/` become records, and published prices become price cards.

It imports `core`.
"""
