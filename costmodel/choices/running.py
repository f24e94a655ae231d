"""What techniques that keep a service running share: judges, losses, stores, a share in a mix.

Losses are expected values, lines of the phase "failures": what a bad answer costs
(`usd_per_failure`) times how many more of them nobody has seen yet.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from costmodel.choices.options import Case
from costmodel.choices.purchases import Line
from costmodel.choices.quality.tasks import OTHER, constants
from costmodel.choices.requests import Call, Segment
from costmodel.choices.schedule import Schedule, with_demand
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload
from costmodel.core import DAYS_PER_MONTH, MINUTES_PER_HOUR, assumed, check, check_known, middle
from costmodel.facts.catalog import practice
from costmodel.laws.experiments import expected_loss

RUBRIC_TOKENS = assumed(300, 500, 1_000, "the judge's instructions and rubric")
VERDICT_TOKENS = assumed(50, 120, 300, "the judge's verdict with its reason")
AGREEMENT = practice("judge.agreement")
ACCEPTED_BEFORE = assumed(
    0.6,
    0.8,
    0.95,
    "share accepted before a fall; it only sets how many answers show the fall",
    name="accepted.before",
)
LEAST_SHARE = 0.01


def listed(owner: Any, name: str, word: str, known: tuple[str, ...], mark: str) -> tuple[str, ...]:
    """The words of a field that are joined by a mark; "none" is no word.

    What is not known, or stands there twice, is refused.
    """
    given, field = getattr(owner, name), f"{type(owner).__name__}.{name}"
    check(
        isinstance(given, str),
        f"{field} is {given!r}, allowed are {', '.join(known)}, joined by {mark!r}, or 'none'",
    )
    words = () if given in ("", "none") else tuple(map(str.strip, given.split(mark)))
    for one in words:
        check_known(word, one, known if len(words) > 1 else ("none", *known), f"{field} {given!r}")
    once = f"{field} is {given!r}, each {word} may stand in it once"
    check(len(set(words)) == len(words), once)
    return words


def judging_usd(work: Workload, terms: Terms) -> tuple[float, float]:
    """Price of an item with its reference answer, and of one judgement [USD].

    Minutes by the task, at the wage of an expert.
    """
    known = constants()
    task = work.task.family if f"{work.task.family}.minutes_per_item" in known else OTHER
    minutes = (known[f"{task}.minutes_per_{what}"] for what in ("item", "judgement"))
    expert, item, judgement = middle((terms.people.expert, *minutes))
    usd_per_minute = expert.usd_per_hour / MINUTES_PER_HOUR
    return round(item * usd_per_minute, 2), round(judgement * usd_per_minute, 2)


def judge_call(case: Case, technique: Any, answers: int = 1) -> Call:
    """The call of a judge: it reads rubric, question and one or two answers, writes a verdict."""
    rubric = Segment("rubric", technique.rubric_tokens, stable=True)
    question = Segment("question", case.work.input_tokens)
    answer = Segment("answer", answers * case.work.output_tokens)
    return Call((rubric, question, answer), technique.verdict_tokens)


def loss(
    item: str,
    case: Case,
    times_per_month: Any,
    days: Any,
    drop: Any,
    basis: str,
    cites: tuple[str, ...] = (),
) -> Line:
    """What a fall of the accepted share costs a month until it is seen; it rises with pay."""
    number = expected_loss(times_per_month, days, requests_per_day(case), drop, 1.0)
    return Line(
        item,
        "failures",
        number,
        "answer",
        case.work.usd_per_failure,
        with_demand(),
        "labour",  # somebody repairs it
        basis=basis + " x requests a day x {drop} x {usd_per_failure} a failure",
        cites=cites,
    )


def paid_as(role: Any, case: Case) -> Any:
    """Who is paid for a role: the person of the terms where they name it, else the role itself."""
    return getattr(case.terms.people, role.id, role)


def requests_served(case: Case) -> Any:
    """Requests of users a month; what a cascade answers twice counts once."""
    return np.minimum(case.requests_per_month, case.work.requests_per_month)


def requests_per_day(case: Case) -> Any:
    """Requests of users a day."""
    return requests_served(case) / DAYS_PER_MONTH


def bought_together(case: Case) -> Iterator[tuple[Case, Any]]:
    """The case, and the cases of other parts of a mix that share its technique, with their
    requests.
    """
    others = sum((part.requests_per_month for part in case.together), 0.0)
    yield case, case.requests_per_month - others
    yield from ((part, part.requests_per_month) for part in case.together)


def stored(
    item: str,
    phase: str,
    gb_per_month: Any,
    technique: Any,
    basis: str,
    cites: tuple[str, ...] = (),
    when: Schedule | None = None,
) -> Line:
    """A store that holds what came in over `retention_days`; that it fills up first is left out."""
    return Line(
        item,
        phase,
        gb_per_month * technique.retention_days / DAYS_PER_MONTH,
        "GB-month",
        technique.usd_per_gb_month,
        when or with_demand(),
        basis=basis + " kept for {retention_days} days",
        cites=("usd_per_gb_month", *cites),
    )
