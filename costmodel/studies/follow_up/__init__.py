"""After a decision: what changed since, whether the limits hold, and which team pays what.

It imports `decisions` and everything below, and its sister modules in `studies`.
"""
