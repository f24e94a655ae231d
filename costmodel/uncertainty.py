"""The face `cm.uncertainty`: draws, what moves the answer, and what is worth measuring.

Draws       middle sample pin drive
What moves  tornado swings sobol sobol_indices
How sure    fan p_cheaper regret
Information Measurement measurements value_of_information
"""

from costmodel.core import absent, drive, middle, pin, sample
from costmodel.decisions.information import Measurement, measurements, value_of_information
from costmodel.decisions.sensitivity import sobol, sobol_indices
from costmodel.decisions.uncertainty import fan, p_cheaper, regret, swings, tornado

__all__ = [
    "Measurement",
    "drive",
    "fan",
    "measurements",
    "middle",
    "p_cheaper",
    "pin",
    "regret",
    "sample",
    "sobol",
    "sobol_indices",
    "swings",
    "tornado",
    "value_of_information",
]
__getattr__ = absent(__name__, __all__)
