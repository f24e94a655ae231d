"""Floor 6: a study as a YAML file, and many of them at once.

It imports `decisions` and everything below.
"""
