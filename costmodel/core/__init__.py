"""Floor 0: doubt, units, draws and plain words.

What every other floor speaks in. It imports nothing of the package.
"""
