"""The face `cm.uncertainty`: draws, what moves the answer, and what is worth measuring.

Draws       middle sample pin drive calibrate
What moves  tornado swings rank_correlation sobol sobol_indices
How sure    fan p_cheaper regret
Information Measurement measurements value_of_information
"""

from costmodel.core import absent, drive, middle, pin, sample
from costmodel.decisions.information import Measurement, measurements, value_of_information
from costmodel.decisions.sensitivity import sobol, sobol_indices
from costmodel.decisions.uncertainty import (
    calibrate,
    fan,
    p_cheaper,
    rank_correlation,
    regret,
    swings,
    tornado,
)

__all__ = [
    "Measurement",
    "calibrate",
    "drive",
    "fan",
    "measurements",
    "middle",
    "p_cheaper",
    "pin",
    "rank_correlation",
    "regret",
    "sample",
    "sobol",
    "sobol_indices",
    "swings",
    "tornado",
    "value_of_information",
]
__getattr__ = absent(__name__, __all__)
