"""Floor 3, and the face `cm.choices`: what a user can choose.

It imports `laws` and everything below.

Terms       People Trends SpendCommitment
Over time   Seasons
Lengths     PromptLengths
Presets     quick with_quality with_usual not_offered MODELS
Quality     Task Signal
Students    Readiness
Prices      repriced
"""

from costmodel.choices.lengths import PromptLengths
from costmodel.choices.mixes import Signal
from costmodel.choices.options import repriced
from costmodel.choices.presets import MODELS, not_offered, quick, with_quality, with_usual
from costmodel.choices.quality.task import Task
from costmodel.choices.seasons import Seasons
from costmodel.choices.terms import People, SpendCommitment, Trends
from costmodel.choices.tunes.readiness import Readiness
from costmodel.core import absent

__all__ = """
    MODELS People PromptLengths Readiness Seasons Signal SpendCommitment Task Trends not_offered
    quick repriced with_quality with_usual
""".split()
__getattr__ = absent(__name__, __all__)
