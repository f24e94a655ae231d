"""The face `cm.finance`: the business case, baselines, units, outcomes and the memo.

Money       npv irr Currency
The case    business_case case_flow npv_tornado cash_flow tco Policy
Baselines   Staff Seats Today baseline
Units       unit_economics per_outcome equal_quality resolve
Change      by_phase waterfall diff changed_inputs broken_limits
Who pays    showback shares_of
The memo    memo Memo people_text numbered traced
"""

from costmodel.choices.servings.baselines import Seats, Staff, Today
from costmodel.core import Currency, absent
from costmodel.laws.agents import resolve
from costmodel.laws.money import irr, npv
from costmodel.ledgers.book import cash_flow
from costmodel.ledgers.register import numbered, traced
from costmodel.studies.business_case import Policy, business_case, case_flow, npv_tornado
from costmodel.studies.changes import by_phase, tco, waterfall
from costmodel.studies.follow_up.difference import broken_limits, changed_inputs, diff
from costmodel.studies.follow_up.showback import shares_of, showback
from costmodel.studies.memo import Memo, baseline, memo, people_text
from costmodel.studies.outcomes import equal_quality, per_outcome, unit_economics

__all__ = [
    "Currency",
    "Memo",
    "Policy",
    "Seats",
    "Staff",
    "Today",
    "baseline",
    "broken_limits",
    "business_case",
    "by_phase",
    "case_flow",
    "cash_flow",
    "changed_inputs",
    "diff",
    "equal_quality",
    "irr",
    "memo",
    "npv",
    "npv_tornado",
    "numbered",
    "people_text",
    "per_outcome",
    "resolve",
    "shares_of",
    "showback",
    "tco",
    "traced",
    "unit_economics",
    "waterfall",
]
__getattr__ = absent(__name__, __all__)
