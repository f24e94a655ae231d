"""Floor 5: which option is best, how sure that is, and what would change it.

It imports `ledgers` and everything below.
"""
