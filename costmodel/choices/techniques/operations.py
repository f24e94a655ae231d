"""Operations: what happens after the first answer: evaluation and monitoring.

Losses are expected values, lines of the phase "failures": what a bad answer costs
(`usd_per_failure`) times how many more of them nobody has seen yet. Not in them: damage beyond the
single answer, two faults at once, and the faster detection of a traffic that grows.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import numpy as np

from costmodel.choices.options import Case, require_servings
from costmodel.choices.purchases import Line, Purchases, Traffic, every_call, labour, setup
from costmodel.choices.requests import Call, Segment
from costmodel.choices.schedule import monthly, once, with_demand
from costmodel.choices.terms import STEADY
from costmodel.core import (
    DAYS_PER_MONTH,
    GB,
    KB,
    MILLION,
    MINUTES_PER_HOUR,
    MONTHS_PER_YEAR,
    WEEKS_PER_MONTH,
    Number,
    Range,
    assumed,
    frozen,
    validate,
)
from costmodel.facts.catalog import practice
from costmodel.laws.experiments import expected_loss, runs_to_see, samples_per_arm, through_judge

RUBRIC_TOKENS = assumed(300, 500, 1_000, "the judge's instructions and rubric")
VERDICT_TOKENS = assumed(50, 120, 300, "the judge's verdict with its reason")
AGREEMENT = assumed(
    0.70,
    0.85,
    0.95,
    "a judge agrees with people in this share of the cases; measure yours",
    name="judge.agreement",
)
ACCEPTED_BEFORE = assumed(
    0.6,
    0.8,
    0.95,
    "share accepted before a fall; it only sets how many answers show the fall",
    name="accepted.before",
)
LEAST_SHARE = 0.01


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
    """What a fall of the accepted share costs a month until it is seen; no price trend."""
    number = expected_loss(times_per_month, days, requests_per_day(case), drop, 1.0)
    return Line(
        item,
        "failures",
        number,
        "answer",
        case.work.usd_per_failure,
        with_demand(),
        STEADY,
        basis=basis + " x requests a day x {drop} x {usd_per_failure} a failure",
        cites=cites,
    )


def requests_per_day(case: Case) -> Any:
    """Requests of users a day; what a cascade answers twice counts once."""
    return np.minimum(case.requests_per_month, case.work.requests_per_month) / DAYS_PER_MONTH


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
) -> Line:
    """A store that holds what came in over `retention_days`; that it fills up first is left out."""
    return Line(
        item,
        phase,
        gb_per_month * technique.retention_days / DAYS_PER_MONTH,
        "GB-month",
        technique.usd_per_gb_month,
        with_demand(),
        basis=basis + " kept for {retention_days} days",
        cites=("usd_per_gb_month", *cites),
    )


@frozen
class Evals:
    """A golden set, scored again and again: built once, judged by a model, checked by people.

    A part of it (`smoke_items`) is the gate of every change; the whole set runs `runs_per_month`
    times, each case as often as the noise between runs asks for. You buy falls that are seen before
    users see them; you give up speed, because developers wait at the gate.

    Parameters
    ----------
    items, smoke_items : number or Range, at least 0
        Cases of the whole set, and of the gate.
    runs_per_month, changes_per_week : number or Range, at least 0
        How often the whole set and the gate run.
    effect : number or Range, 0 to 1
        The smallest fall of the accepted share that the whole set must show.
    spread : number or Range, 0 to 1
        The best run over the worst of ten of the same version.
    agreement : number or Range, 0.501 to 1
        Share of the cases in which the judge agrees with people.
    repeats_max : number or Range, at least 1
        Most runs of one case: a judge hardly better than a coin would need millions.
    judge : serving or None
        Who judges; None is the option's own serving.
    build_weeks : number or Range, at least 0
        Weeks of an engineer who builds the harness.
    minutes_per_case, wait_minutes : number or Range, at least 0
        Minutes of an expert on one case, and of a developer who waits at the gate.
    rubric_tokens, verdict_tokens : number or Range, at least 0
        Instructions and verdict of the judge [token].
    review_hours_per_month : number or Range, at least 0
        Hours of an expert on disagreements [hour/month].

    Raises
    ------
    ValueError
        When a field is outside its range, or the judge is no serving.

    Examples
    --------
    >>> import costmodel as cm
    >>> float(cm.Evals(spread=0.05, effect=0.05, agreement=1.0, repeats_max=30).repeats)
    2.0
    """

    # -- the golden set
    items: Number = practice("eval.examples")
    runs_per_month: Number = assumed(
        4, 8, 30, "a weekly or nightly run of the whole set, and one for each large change"
    )
    build_weeks: Number = practice("eval.build_weeks")
    minutes_per_case: Number = assumed(
        2, 5, 15, "an expert writes or confirms the reference answer"
    )
    # -- the gate of every change
    smoke_items: Number = practice("smoke.items")
    changes_per_week: Number = assumed(
        1, 3, 15, "changes of prompt, code or retrieval that pass the gate", name="changes_per_week"
    )
    wait_minutes: Number = assumed(
        1, 4, 15, "a developer waits for the gate, or turns to something else and back"
    )
    # -- noise between runs
    effect: Number = assumed(0.02, 0.05, 0.10, "the smallest fall that the whole set must show")
    spread: Number = practice("eval.spread")
    agreement: Number = AGREEMENT
    repeats_max: Number = assumed(
        10, 30, 100, "what noise still hides after so many runs, people read or nobody sees"
    )
    # -- the judge, and people beside it
    judge: Any = None
    rubric_tokens: Number = RUBRIC_TOKENS
    verdict_tokens: Number = VERDICT_TOKENS
    review_hours_per_month: Number = assumed(2, 6, 16, "people look at disagreements")

    def __post_init__(self) -> None:
        validate(self)
        require_servings(self, "judge")

    @property
    def repeats(self) -> Any:
        """Runs of each case in a run of the whole set."""
        needed = runs_to_see(self.effect, self.spread, agreement=self.agreement)
        return np.minimum(needed, np.maximum(1.0, np.floor(self.repeats_max)))

    def buys(self, case: Case) -> Purchases:
        people, changes = case.terms.people, self.changes_per_week * WEEKS_PER_MONTH
        yield setup("build the golden set", self, people.engineer, "evaluation")
        yield labour(
            "write the reference answers",
            self.items * self.minutes_per_case / MINUTES_PER_HOUR,
            people.expert,
            once(),
            "evaluation",
            "{items} cases x {minutes_per_case} min x {usd_per_hour}/h",
        )
        runs = self.items * self.runs_per_month * self.repeats + self.smoke_items * changes
        basis = (
            "{items} cases x {runs_per_month} runs a month x at most {repeats_max} repeats "
            "to see a fall of {effect} through a spread of {spread} "
            "+ {smoke_items} cases x {changes_per_week} changes a week"
        )
        when, phase, cites = monthly(), "evaluation", ("agreement",)
        for part, _ in bought_together(case):
            request, by = part.request.each(cache=None), part.serving
            yield from every_call("evaluation runs", request, runs, when, phase, by, basis, cites)
        yield Traffic(
            "evaluation judge", judge_call(case, self), runs, when, phase, self.judge, basis, cites
        )

        yield labour(
            "review evaluations",
            self.review_hours_per_month,
            people.expert,
            when,
            phase,
            "{review_hours_per_month} h a month x {usd_per_hour}/h",
        )
        yield labour(
            "wait at the gate",
            changes * self.wait_minutes / MINUTES_PER_HOUR,
            people.engineer,
            when,
            phase,
            "{changes_per_week} changes a week x {wait_minutes} min x {usd_per_hour}/h",
        )


@frozen
class Monitoring:
    """Watch production: traces, a judge on a sample, people on a few answers, what drift costs.

    Answers get worse without an error or an alarm, `drifts_per_year` times by `drop`. The judge
    sees it after as many answers as tell the two shares apart, the readers after theirs, users
    after `days_unseen`: whoever is first.

    Parameters
    ----------
    trace_share, judge_share : number or Range, 0 to 1
        Shares of the requests that are traced, and judged.
    retention_days : number or Range, at least 0
        Days that a trace is kept.
    judge : serving or None
        Who judges; None is the option's own serving.
    reviews_per_month : number or Range, at least 0
        Answers that a person reads.
    drifts_per_year, drop : number or Range
        How often answers get worse, and the fall of the accepted share.
    usd_per_mtrace : number or Range, at least 0
        Price of a million traces [USD/Mtrace].
    kb_per_trace, usd_per_gb_month : number or Range, at least 0
        Size of a trace [kB], and the price of its storage [USD/GB-month].
    rubric_tokens, verdict_tokens : number or Range, at least 0
        Instructions and verdict of the judge [token].
    agreement : number or Range, 0.501 to 1
        Share of the cases in which the judge agrees with people.
    minutes_per_review : number or Range, at least 0
        Minutes of a person on one answer.
    accepted_before : number or Range, 0 to 1
        Share of answers accepted before a fall; it sets how many answers tell a fall from chance.
    days_unseen, reaction_days : number or Range, at least 0
        Days until users make a fault known, and days from the alarm to the repair.

    Raises
    ------
    ValueError
        When a field is outside its range, or the judge is no serving.

    Examples
    --------
    >>> import costmodel as cm
    >>> watch = cm.uncertainty.middle(cm.Monitoring(reviews_per_month=0, judge_share=0))
    >>> case = cm.Option(cm.Api("gpt-6-luna"), watch).case(
    ...     cm.Workload(10_000, input_tokens=500), cm.Terms()
    ... )
    >>> float(watch.detection_days(case)) == watch.days_unseen
    True
    """

    # -- traces
    usd_per_mtrace: Number = practice("observability.usd_per_mtrace")
    trace_share: Number = 1.0
    retention_days: Number = assumed(14, 90, 400, "plans keep 14 to 400 days")
    kb_per_trace: Number = assumed(
        4, 15, 60, "prompt, answer and metadata of one request, compressed"
    )
    usd_per_gb_month: Number = practice("trace_store.usd_per_gb_month")
    # -- the judge
    judge_share: Number = practice("eval.judge_share")
    judge: Any = None
    rubric_tokens: Number = RUBRIC_TOKENS
    verdict_tokens: Number = VERDICT_TOKENS
    agreement: Number = AGREEMENT
    # -- the readers
    reviews_per_month: Number = assumed(50, 150, 400, "answers that a person reads")
    minutes_per_review: Number = assumed(1, 2, 5, "reading one answer and its question")
    # -- drift
    drifts_per_year: Number = Range(
        0.3,
        4,
        mid=1,
        why="assumption; 91 % of models in production are said to drift (tianpan.co, 2026-04-09)",
    )
    drop: Number = practice("drift.drop")
    accepted_before: Number = ACCEPTED_BEFORE
    days_unseen: Number = practice("drift.days_unseen")
    reaction_days: Number = assumed(1, 3, 10, "find the cause, decide, release")

    def __post_init__(self) -> None:
        validate(self)
        require_servings(self, "judge")

    def detection_days(self, case: Case, drop: Any = None) -> Any:
        """Days until a fall of `drop` (None: its own) is seen by judge, readers or users."""
        before, fall = self.accepted_before, self.drop if drop is None else drop
        after = np.maximum(before - fall, LEAST_SHARE)
        good, bad = through_judge(before, self.agreement), through_judge(after, self.agreement)
        judged_a_day = requests_per_day(case) * self.judge_share
        with np.errstate(divide="ignore"):
            judge = np.divide(samples_per_arm(good, bad, sides=1), judged_a_day)
            readers = np.divide(samples_per_arm(before, after, sides=1), self.reviews_per_month)
        return np.minimum(np.minimum(judge, readers * DAYS_PER_MONTH), self.days_unseen)

    def buys(self, case: Case) -> Purchases:
        traced = case.requests_per_month * self.trace_share
        yield Line(
            "store traces",
            "monitoring",
            traced / MILLION,
            "Mtrace",
            self.usd_per_mtrace,
            with_demand(),
            basis="requests a month x {trace_share} traced",
            cites=("usd_per_mtrace",),
        )
        yield stored(
            "keep traces",
            "monitoring",
            traced * self.kb_per_trace * KB / GB,
            self,
            "requests x {trace_share} x {kb_per_trace} kB",
        )
        yield Traffic(
            "production judge",
            judge_call(case, self),
            case.requests_per_month * self.judge_share,
            with_demand(),
            "monitoring",
            self.judge,
            "requests a month x {judge_share} sampled",
        )
        yield labour(
            "read sampled answers",
            self.reviews_per_month * self.minutes_per_review / MINUTES_PER_HOUR,
            case.terms.people.annotator,
            monthly(),
            "monitoring",
            "{reviews_per_month} answers x {minutes_per_review} min x {usd_per_hour}/h",
        )
        if np.any(case.work.usd_per_failure):
            yield loss(
                "drift that nobody has seen yet",
                case,
                self.drifts_per_year / MONTHS_PER_YEAR,
                self.detection_days(case) + self.reaction_days,
                self.drop,
                "{drifts_per_year} drifts a year x days until seen (at most {days_unseen}) "
                "and {reaction_days} to react",
                ("accepted_before",),
            )
