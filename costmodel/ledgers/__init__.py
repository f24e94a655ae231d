"""Floor 4: an option becomes purchases, purchases become lines, lines become a bill and a ledger.

It imports `choices` and everything below.
"""
