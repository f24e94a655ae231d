"""Floor 5, and the face `cm.decisions`: which option is best, how sure, and what would change it.

It imports `ledgers` and everything below.

The verdict Verdict turns zeros
What flips  breakeven_date frontier goal_seek regions
Quality    quality_bands
Measure first?  pilot pilot_sentence
The price of a wrong answer  wrong_answer_prices wrong_answer_chances wrong_answer_sentence
"""

from costmodel.choices.zeros import zeros
from costmodel.core import absent
from costmodel.decisions.breakeven import breakeven_date
from costmodel.decisions.maps import frontier, regions
from costmodel.decisions.pilots import pilot
from costmodel.decisions.tradeoffs import goal_seek
from costmodel.decisions.uncertainty import quality_bands
from costmodel.decisions.verdict import Verdict, turns
from costmodel.decisions.wording import pilot_sentence
from costmodel.decisions.wrong_answers import (
    wrong_answer_chances,
    wrong_answer_prices,
    wrong_answer_sentence,
)

__all__ = [
    "Verdict",
    "breakeven_date",
    "frontier",
    "goal_seek",
    "pilot",
    "pilot_sentence",
    "quality_bands",
    "regions",
    "turns",
    "wrong_answer_chances",
    "wrong_answer_prices",
    "wrong_answer_sentence",
    "zeros",
]
__getattr__ = absent(__name__, __all__)
