"""Floor 6: one question each, answered in a table: buying, tuning, documents, operations, the business case.

It imports `decisions` and everything below.
"""
