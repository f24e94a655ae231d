"""Floor 3: what a user can choose: a workload, terms, a serving, techniques, options and studies of them.

It imports `laws` and everything below.
"""
