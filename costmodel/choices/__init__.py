"""Floor 3, and the face `cm.choices`: what a user can choose.

It imports `laws` and everything below.

Terms       People Trends
Seasons     Seasons
Presets     quick with_quality MODELS
Prices      repriced
"""

from costmodel.choices.options import repriced
from costmodel.choices.presets import MODELS, quick, with_quality
from costmodel.choices.seasons import Seasons
from costmodel.choices.terms import People, Trends
from costmodel.core import absent

__all__ = ["MODELS", "People", "Seasons", "Trends", "quick", "repriced", "with_quality"]
__getattr__ = absent(__name__, __all__)
