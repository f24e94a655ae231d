"""What share of its answers an option has accepted: by part, by month, and over the horizon."""

from __future__ import annotations

from typing import Any

import numpy as np

from costmodel.choices.mixes import Mix
from costmodel.choices.options import Case, Option
from costmodel.choices.quality.accepted import SURE
from costmodel.choices.schedule import Stages, staged, steady, summed_up
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload
from costmodel.core import same
from costmodel.laws.escalation import cascade_right
from costmodel.laws.quality import at_odds, shift, shift_to

Cases = list[tuple[Option, Case, Any]]


def cases(option: Option | Mix, work: Workload, terms: Terms) -> Cases:
    """Every part of an option with its finished case and the share of requests that it answers."""
    return [(part, part.case(work, terms, sees), answers) for part, sees, answers in option.parts()]


def accepted(option: Option | Mix, parts: Cases) -> Any:
    """Share of all answers that is accepted, or None when it is unknown for a part.

    Where models are replaced, it is the mean over the horizon, weighted by demand."""
    case = parts[0][1]
    return over_the_horizon(accepted_by_month(option, parts), case.work, case.terms)


def accepted_by_month(option: Option | Mix, parts: Cases) -> Any:
    """Share of all answers that is accepted: steady, or in months 0..H; None when unknown."""
    return _share(option, parts)


def _share(option: Option | Mix, parts: Cases) -> Any:
    """That of an option, or of one inside it."""
    if isinstance(option, Mix):
        if option.quality is not None:
            return _at_successors(option.quality, *_own(option.parts()[0][0], parts))
        shares = [_share(part.option, parts) for part in option.mix]
        return None if any(share is None for share in shares) else _mixed(option, shares)
    part, case = _own(option, parts)
    share = before_people(part, case)
    for technique in part.techniques if share is not None else ():
        if hasattr(technique, "repaired"):
            share = staged(technique.repaired, share)
    return share


def _own(option: Option, parts: Cases) -> tuple[Option, Case]:
    """The part that is this option, with its case."""
    return next((part, case) for part, case, _ in parts if same(part, option))


def before_people(part: Option, case: Case) -> Any:
    """The share by month of the model's own answers, before people check and redo them."""
    return _at_successors(part.accepted(case), part, case)


def _at_successors(share: Any, part: Option, case: Case) -> Any:
    """The share by month where later models take over."""
    for technique in part.techniques if share is not None else ():
        if hasattr(technique, "odds_path"):
            share = staged(at_odds, share, technique.odds_path(case))
    return share


def _mixed(mix: Mix, shares: list[Any]) -> Any:
    """The mean of the parts, and what the signal adds to it by the qualities of the first month."""
    answers = mix.answers()
    total = staged(lambda *x: sum(a * b for a, b in zip(answers, x, strict=True)), *shares)
    if mix.signal is None:
        return total
    small, large = (np.clip(_first(share), SURE, 1 - SURE) for share in shares)
    told = cascade_right(small, large, answers[1], mix.signal.signal_auc, mix.signal.correlation)
    gain = shift_to(answers[0] * small + answers[1] * large, told)
    return staged(lambda share: shift(share, gain), total)


def _first(share: Any) -> Any:
    """The share of the first month."""
    share = share.values if isinstance(share, Stages) else share
    return share if steady(share) else share[..., :1]


def over_the_horizon(share: Any, work: Workload, terms: Terms) -> Any:
    """The mean over the horizon, weighted by demand; what is steady stays as it is."""
    if share is None or steady(share):
        return share
    demand = work.demand(terms.months, terms.start)
    changes = isinstance(share, Stages)
    same = np.ones(terms.months + 1)  # price and discount of each month
    total = share.sum(summed_up(demand, same, same)[0]) if changes else (demand * share).sum(-1)
    mean = total / demand.sum(-1)
    return mean[:, None] if mean.ndim else mean
