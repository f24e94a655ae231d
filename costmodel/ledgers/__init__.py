"""Floor 4, and the face `cm.ledgers`: purchases become lines, lines a bill.

It imports `choices` and everything below.

To write a technique  Case Line Traffic labour Request Call Segment Cache
When it is bought     once monthly with_demand every path
To read a ledger      evaluate register bibliography by_hand formulas, and `cm.ledger`, `cm.explain`
(book.py)
"""

from costmodel.choices.options import Case
from costmodel.choices.purchases import Line, Traffic, labour
from costmodel.choices.requests import Cache, Call, Request, Segment
from costmodel.choices.schedule import every, monthly, once, path, with_demand
from costmodel.core import absent
from costmodel.ledgers.engine import evaluate
from costmodel.ledgers.live import formulas
from costmodel.ledgers.register import bibliography, by_hand, register

__all__ = [
    "Cache",
    "Call",
    "Case",
    "Line",
    "Request",
    "Segment",
    "Traffic",
    "bibliography",
    "by_hand",
    "evaluate",
    "every",
    "formulas",
    "labour",
    "monthly",
    "once",
    "path",
    "register",
    "with_demand",
]
__getattr__ = absent(__name__, __all__)
