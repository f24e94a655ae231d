"""Floor 6: one question each, answered in a table: buying, tuning, operations, the case.

It imports `decisions` and everything below.
"""
