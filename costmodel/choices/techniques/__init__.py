"""How a model is made to answer well: one frozen dataclass a technique, its fields are its numbers.

A technique has what it needs of `adapt`, `shape`, `buys` and `quality` (see `choices/options.py`).
"""
