"""Operations: what happens after the first answer. Evaluation, monitoring, and the upgrades that a provider forces.

Losses are expected values, lines of the phase "failures": what a bad answer costs (`usd_per_failure`) times how many more of
them nobody has seen yet. Not in them: damage beyond the single answer, two faults at once, and the faster detection of a
traffic that grows.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from costmodel.choices.options import Case, require_servings
from costmodel.choices.purchases import Line, Traffic, cite, labour
from costmodel.choices.requests import Call, Segment
from costmodel.choices.schedule import Schedule, monthly, once, with_demand
from costmodel.choices.techniques.tune_life import ending, month_of
from costmodel.choices.terms import STEADY
from costmodel.core.checks import require, validate
from costmodel.core.errors import Infeasible
from costmodel.core.public import public
from costmodel.core.ranges import Number, Range
from costmodel.core.units import (
    DAYS_PER_MONTH,
    GB,
    KB,
    MILLION,
    MINUTES_PER_HOUR,
    MONTHS_PER_YEAR,
    WEEKS_PER_MONTH,
    WORKING_HOURS_PER_WEEK,
)
from costmodel.facts.catalog import practice, retirement
from costmodel.laws.experiments import expected_loss, runs_to_see, samples_per_arm, through_judge

RUBRIC_TOKENS = Range(300, 1_000, mid=500, why="assumption: the judge's instructions and rubric")
VERDICT_TOKENS = Range(50, 300, mid=120, why="assumption: the judge's verdict with its reason")
AGREEMENT = Range(
    0.70,
    0.95,
    mid=0.85,
    name="judge.agreement",
    why="assumption: a judge agrees with people in this share of the cases; measure yours",
)
BEFORE = Range(
    0.6,
    0.95,
    mid=0.8,
    name="accepted.before",
    why="assumption: share accepted before a fall; it only sets how many answers show the fall",
)
LEAST_SHARE = 0.01


def judged(case: Case, rubric_tokens: Any, verdict_tokens: Any, answers: int = 1) -> Call:
    """The call of a judge: it reads the rubric, the question and one answer or two, and writes a verdict."""
    read = (
        Segment("rubric", rubric_tokens, stable=True),
        Segment("question", case.work.input_tokens),
        Segment("answer", answers * case.work.output_tokens),
    )
    return Call(read, verdict_tokens)


def failures(item: str, number: Any, case: Case, basis: str, cites: tuple[str, ...]) -> Line:
    """Failures more a month, at what one costs: it follows the demand and no price trend."""
    return Line(
        item,
        "failures",
        number,
        "answer",
        case.work.usd_per_failure,
        with_demand(),
        STEADY,
        basis=basis + " x {usd_per_failure} a failure",
        cites=(*cites, "Workload.usd_per_failure"),
    )


def requests_per_day(case: Case) -> Any:
    """Requests of users a day; what a cascade answers twice counts once."""
    return np.minimum(case.requests_per_month, case.work.requests_per_month) / DAYS_PER_MONTH


def parts(case: Case) -> Iterator[tuple[Case, Any]]:
    """The case and those of a mix that are bought together with it, each with the requests it sees."""
    yield (
        case,
        case.requests_per_month - sum((part.requests_per_month for part in case.together), 0.0),
    )
    yield from ((part, part.requests_per_month) for part in case.together)


@public
@dataclass(frozen=True)
class Evals:
    """A golden set, scored again and again: built once, run by the model, judged by a model, checked by people.

    A `smoke_items` part is the gate of every change, the whole set runs `runs_per_month` times, each case as often as the noise
    between runs asks for: enough runs to see a fall of `effect` through a `spread` of the best run over the worst of ten, and
    through a judge who agrees with people in `agreement` of the cases, but no more than `repeats_max`: a judge who is hardly
    better than a coin would need millions. You give up speed: developers wait at the gate.
    """

    items: Number = practice("eval.examples")
    runs_per_month: Number = Range(
        4,
        30,
        mid=8,
        why="assumption: a weekly or nightly run of the whole set, and one for each large change",
    )
    build_weeks: Number = practice("eval.build_weeks")
    minutes_per_case: Number = Range(
        2, 15, mid=5, why="assumption: an expert writes or confirms the reference answer"
    )
    smoke_items: Number = practice("smoke.items")
    changes_per_week: Number = Range(
        1,
        15,
        mid=3,
        name="changes_per_week",
        why="assumption: changes of prompt, code or retrieval that pass the gate",
    )
    wait_minutes: Number = Range(
        1,
        15,
        mid=4,
        why="assumption: a developer waits for the gate, or turns to something else and back",
    )
    effect: Number = Range(
        0.02, 0.10, mid=0.05, why="assumption: the smallest fall that the whole set must show"
    )
    spread: Number = practice("eval.spread")
    agreement: Number = AGREEMENT
    repeats_max: Number = Range(
        10,
        100,
        mid=30,
        why="assumption: what noise still hides after so many runs, people read or nobody sees",
    )
    judge: Any = None
    rubric_tokens: Number = RUBRIC_TOKENS
    verdict_tokens: Number = VERDICT_TOKENS
    review_hours_per_month: Number = Range(
        2, 16, mid=6, why="assumption: people look at disagreements"
    )

    def __post_init__(self) -> None:
        validate(self)
        require_servings(self, "judge")

    @property
    def repeats(self) -> Any:
        """Runs of each case in a run of the whole set."""
        return np.minimum(
            runs_to_see(self.effect, self.spread, agreement=self.agreement),
            np.maximum(1.0, np.floor(self.repeats_max)),
        )

    def buys(self, case: Case) -> Iterator[Line | Traffic]:
        people, changes = case.terms.people, self.changes_per_week * WEEKS_PER_MONTH
        runs = self.items * self.runs_per_month * self.repeats + self.smoke_items * changes
        cites = cite(
            self,
            "items",
            "runs_per_month",
            "effect",
            "spread",
            "agreement",
            "repeats_max",
            "smoke_items",
            "changes_per_week",
        )
        basis = (
            "{items} cases x {runs_per_month} runs a month x at most {repeats_max} repeats to see a fall of {effect} through a spread of {spread} "
            "+ {smoke_items} cases x {changes_per_week} changes a week"
        )
        yield labour(
            "build the golden set",
            self.build_weeks * WORKING_HOURS_PER_WEEK,
            people.engineer,
            once(),
            "evaluation",
            "{build_weeks} engineer-weeks x 40 h x {usd_per_hour}/h",
            cite(self, "build_weeks"),
        )
        yield labour(
            "write the reference answers",
            self.items * self.minutes_per_case / MINUTES_PER_HOUR,
            people.expert,
            once(),
            "evaluation",
            "{items} cases x {minutes_per_case} min x {usd_per_hour}/h",
            cite(self, "items", "minutes_per_case"),
        )
        for part, _ in parts(case):
            for call in part.request.calls:
                yield Traffic(
                    "evaluation runs",
                    replace(call, cache=None),
                    runs * call.per_request,
                    monthly(),
                    "evaluation",
                    part.serving,
                    basis,
                    cites,
                )
        yield Traffic(
            "evaluation judge",
            judged(case, self.rubric_tokens, self.verdict_tokens),
            runs,
            monthly(),
            "evaluation",
            self.judge,
            basis,
            cites,
        )
        yield labour(
            "review evaluations",
            self.review_hours_per_month,
            people.expert,
            monthly(),
            "evaluation",
            "{review_hours_per_month} h a month x {usd_per_hour}/h",
            cite(self, "review_hours_per_month"),
        )
        yield labour(
            "wait at the gate",
            changes * self.wait_minutes / MINUTES_PER_HOUR,
            people.engineer,
            monthly(),
            "evaluation",
            "{changes_per_week} changes a week x {wait_minutes} min x {usd_per_hour}/h",
            cite(self, "changes_per_week", "wait_minutes"),
        )


@public
@dataclass(frozen=True)
class Monitoring:
    """Watch production: traces, a judge on a sample, people on a sample of that; and what drift costs until it is seen.

    Answers get worse without an error or an alarm, `drifts_per_year` times by `drop`. The judge sees it after as many answers as
    tell the two shares apart, the readers after theirs, users after `days_unseen`, whoever is first.
    """

    usd_per_mtrace: Number = practice("observability.usd_per_mtrace")
    trace_share: Number = 1.0
    retention_days: Number = Range(14, 400, mid=90, why="assumption: plans keep 14 to 400 days")
    kb_per_trace: Number = Range(
        4, 60, mid=15, why="assumption: prompt, answer and metadata of one request, compressed"
    )
    usd_per_gb_month: Number = practice("trace_store.usd_per_gb_month")
    judge_share: Number = practice("eval.judge_share")
    judge: Any = None
    rubric_tokens: Number = RUBRIC_TOKENS
    verdict_tokens: Number = VERDICT_TOKENS
    agreement: Number = AGREEMENT
    reviews_per_month: Number = Range(
        50, 400, mid=150, why="assumption: answers that a person reads"
    )
    minutes_per_review: Number = Range(
        1, 5, mid=2, why="assumption: reading one answer and its question"
    )
    drifts_per_year: Number = Range(
        0.3,
        4,
        mid=1,
        why="assumption; 91 % of models in production are said to drift (tianpan.co, 2026-04-09)",
    )
    drop: Number = practice("drift.drop")
    accepted_before: Number = BEFORE
    days_unseen: Number = practice("drift.days_unseen")
    reaction_days: Number = Range(1, 10, mid=3, why="assumption: find the cause, decide, release")

    def __post_init__(self) -> None:
        validate(self)
        require_servings(self, "judge")

    def detection_days(self, case: Case, drop: Any = None) -> Any:
        """Days until a fall of `drop` (None: its own) is seen: by the judge, by the readers, or by users."""
        after = np.maximum(
            self.accepted_before - (self.drop if drop is None else drop), LEAST_SHARE
        )
        by_judge = samples_per_arm(
            through_judge(self.accepted_before, self.agreement),
            through_judge(after, self.agreement),
            sides=1,
        )
        by_reader = samples_per_arm(self.accepted_before, after, sides=1)
        with np.errstate(divide="ignore"):
            judge, readers = (
                np.divide(by_judge, requests_per_day(case) * self.judge_share),
                np.divide(by_reader, self.reviews_per_month / DAYS_PER_MONTH),
            )
        return np.minimum(np.minimum(judge, readers), self.days_unseen)

    def loss(self, case: Case, days: Any) -> Line:
        """What drift costs a month when it is seen after `days`."""
        number = expected_loss(
            self.drifts_per_year / MONTHS_PER_YEAR,
            days + self.reaction_days,
            requests_per_day(case),
            self.drop,
            1.0,
        )
        return failures(
            "drift that nobody has seen yet",
            number,
            case,
            "{drifts_per_year} drifts a year x days until seen (at most {days_unseen}) and {reaction_days} to react x requests a day x {drop}",
            cite(
                self, "drifts_per_year", "days_unseen", "reaction_days", "drop", "accepted_before"
            ),
        )

    def buys(self, case: Case) -> Iterator[Line | Traffic]:
        sampled = case.requests_per_month * self.judge_share
        traced = case.requests_per_month * self.trace_share
        yield Line(
            "store traces",
            "monitoring",
            traced / MILLION,
            "Mtrace",
            self.usd_per_mtrace,
            with_demand(),
            "service",
            basis="requests a month x {trace_share} traced",
            cites=cite(self, "usd_per_mtrace", "trace_share"),
        )
        yield kept(
            "keep traces",
            "monitoring",
            traced * self.kb_per_trace * KB / GB,
            self,
            "requests x {trace_share} x {kb_per_trace} kB",
            ("trace_share", "kb_per_trace"),
        )
        yield Traffic(
            "production judge",
            judged(case, self.rubric_tokens, self.verdict_tokens),
            sampled,
            with_demand(),
            "monitoring",
            self.judge,
            "requests a month x {judge_share} sampled",
            cite(self, "judge_share"),
        )
        yield labour(
            "read sampled answers",
            self.reviews_per_month * self.minutes_per_review / MINUTES_PER_HOUR,
            case.terms.people.annotator,
            monthly(),
            "monitoring",
            "{reviews_per_month} answers x {minutes_per_review} min x {usd_per_hour}/h",
            cite(self, "reviews_per_month", "minutes_per_review"),
        )
        if np.any(case.work.usd_per_failure):
            yield self.loss(case, self.detection_days(case))


def kept(
    item: str, phase: str, gb_per_month: Any, t: Any, basis: str, fields: tuple[str, ...]
) -> Line:
    """A store that holds what came in over `t.retention_days`; that it fills up first is left out, it is little money."""
    return Line(
        item,
        phase,
        gb_per_month * t.retention_days / DAYS_PER_MONTH,
        "GB-month",
        t.usd_per_gb_month,
        with_demand(),
        "service",
        basis=basis + " kept for {retention_days} days",
        cites=cite(t, "usd_per_gb_month", "retention_days", *fields),
    )


@public
@dataclass(frozen=True)
class Upgrades:
    """Move to another model when the provider retires this one: test again, re-anchor the evaluation, fix prompts, warm the cache.

    The first move is on the announced day of the model (`retires`, else data/facts/retirements.csv), later ones every
    `every_months`. The tune of a base that ends is in the tune (`base_life_months`). A model that is pinned to a dated
    version changes only then; one behind an alias (`pinned=False`) also changes silently, and users find out.
    """

    every_months: Number = practice("api.model_life_months")
    retires: str | None = None
    weeks: Number = Range(0.5, 4, mid=1.5, why="assumption: prompt fixes and a careful release")
    prompts: Number = 1
    fork_share: Number = Range(
        0.05,
        1.0 - 1e-6,
        mid=0.3,
        why="assumption: rework of a further prompt over that of the first; 47 forks were 47 migrations (tianpan.co)",
    )
    items: Number = practice("eval.examples")
    minutes_per_case: Number = practice("reanchor.minutes_per_case")
    candidates: Number = Range(
        1, 5, mid=2, why="assumption: models that are tried before one is chosen"
    )
    runs_per_candidate: Number = Range(
        1, 10, mid=3, why="assumption: prompt fixes between two runs of the golden set"
    )
    cold_days: Number = Range(
        0.02,
        10,
        mid=1,
        why="assumption: minutes where the prefix is the same, days until prompts suit the new model's cache",
    )
    read_ratio: Number = practice("openai.cache_read_ratio")
    pinned: bool = True
    silent_per_year: Number = Range(
        0.5, 4, mid=2, why="assumption: providers release about quarterly, an alias moves with them"
    )
    drop: Number = practice("drift.drop")
    days_unseen: Number = practice("drift.days_unseen")

    def __post_init__(self) -> None:
        validate(self)
        require("Upgrades.prompts", self.prompts, low=1)

    def when(self, case: Case) -> tuple[Schedule, str, tuple[str, ...]]:
        """When models end, in words too, and what says so."""
        model = getattr(case.serving, "model", None)
        if model is None:
            raise Infeasible(
                f"Upgrades need a model that a provider can retire; {type(case.serving).__name__} has none"
            )
        day = self.retires or getattr(model, "retired", None) or retirement(model.id)
        if day and month_of(day, case.terms.start) < 1:
            raise Infeasible(
                f"{model.id} is retired on {day}, before the first month ({case.terms.start}); choose another model"
            )
        found = ending(self, day, (), case.terms, life="every_months")
        return found.when, found.words, found.cites

    def buys(self, case: Case) -> Iterator[Line | Traffic]:
        people, (when, words, cites) = case.terms.people, self.when(case)
        yield labour(
            "forced model upgrade",
            self.weeks * WORKING_HOURS_PER_WEEK * (1 + (self.prompts - 1) * self.fork_share),
            people.engineer,
            when,
            "migration",
            "{weeks} engineer-weeks x 40 h x (1 + ({prompts} prompts - 1) x {fork_share}) " + words,
            (*cite(self, "weeks", "prompts", "fork_share"), *cites),
        )
        yield labour(
            "re-anchor the evaluation",
            self.items * self.minutes_per_case / MINUTES_PER_HOUR,
            people.engineer,
            when,
            "migration",
            "{items} cases x {minutes_per_case} min " + words,
            (*cite(self, "items", "minutes_per_case"), *cites),
        )
        runs = self.items * self.candidates * self.runs_per_candidate
        for part, requests in parts(case):
            for call in part.request.calls:
                yield Traffic(
                    "try candidates",
                    replace(call, cache=None),
                    runs * call.per_request,
                    when,
                    "migration",
                    part.serving,
                    "{items} cases x {candidates} candidates x {runs_per_candidate} runs " + words,
                    (*cite(self, "items", "candidates", "runs_per_candidate"), *cites),
                )
                if call.cache is not None:
                    cold = Call(
                        (
                            Segment(
                                "prefix that was cached", call.shared_tokens * (1 - self.read_ratio)
                            ),
                        ),
                        0.0,
                    )
                    yield Traffic(
                        "warm the cache again",
                        cold,
                        requests / DAYS_PER_MONTH * self.cold_days * call.per_request,
                        when,
                        "migration",
                        part.serving,
                        "requests of {cold_days} days x cached prefix x (1 - {read_ratio}) "
                        + words,
                        (*cite(self, "cold_days", "read_ratio"), *cites),
                    )
        if not self.pinned and np.any(case.work.usd_per_failure):
            number = expected_loss(
                self.silent_per_year / MONTHS_PER_YEAR,
                self.days_unseen,
                requests_per_day(case),
                self.drop,
                1.0,
            )
            yield failures(
                "silent changes behind an alias",
                number,
                case,
                "{silent_per_year} changes a year x {days_unseen} days x requests a day x {drop}",
                cite(self, "silent_per_year", "days_unseen", "drop"),
            )
