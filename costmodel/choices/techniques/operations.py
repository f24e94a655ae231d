"""Operations: what happens after the first answer: evaluation and monitoring.

Not in them: damage beyond the single answer, two faults at once, and the faster detection of a
traffic that grows.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from costmodel.choices.effort import BUILD, CASES, REVIEW, RUNS, effort, effort_said, usual
from costmodel.choices.options import Case, require_servings
from costmodel.choices.purchases import Line, Purchases, Traffic, cite, every_call, labour, setup
from costmodel.choices.running import (
    ACCEPTED_BEFORE,
    AGREEMENT,
    LEAST_SHARE,
    RUBRIC_TOKENS,
    VERDICT_TOKENS,
    bought_together,
    judge_call,
    loss,
    requests_per_day,
    stored,
)
from costmodel.choices.schedule import Schedule, by_month, monthly, once, with_demand
from costmodel.core import (
    DAYS_PER_MONTH,
    GB,
    KB,
    MILLION,
    MINUTES_PER_HOUR,
    MONTHS_PER_YEAR,
    ROUNDING,
    WEEKS_PER_MONTH,
    Number,
    assumed,
    frozen,
    validate,
)
from costmodel.facts.catalog import practice
from costmodel.laws.experiments import runs_to_see, samples_per_arm, through_judge

SAMPLED = "those above {traces_in_full}: {sampled_share} of them and {error_share} errors"
RUNNING = ("items", "smoke_items", "runs_per_month", "changes_per_week")


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
    items: Number = usual("eval.examples", CASES)
    runs_per_month: Number = usual("Evals.runs_per_month", RUNS)
    build_weeks: Number = usual("eval.build_weeks", BUILD)
    minutes_per_case: Number = practice("Evals.minutes_per_case")
    # -- the gate of every change
    smoke_items: Number = usual("smoke.items", CASES)
    changes_per_week: Number = usual(
        assumed(
            1,
            3,
            15,
            "changes of prompt, code or retrieval that pass the gate",
            name="changes_per_week",
        ),
        RUNS,
    )
    wait_minutes: Number = practice("Evals.wait_minutes")
    # -- noise between runs
    effect: Number = practice("Evals.effect")
    spread: Number = practice("eval.spread")
    agreement: Number = AGREEMENT
    repeats_max: Number = practice("Evals.repeats_max")
    # -- the judge, and people beside it
    judge: Any = None
    rubric_tokens: Number = RUBRIC_TOKENS
    verdict_tokens: Number = VERDICT_TOKENS
    review_hours_per_month: Number = usual("eval.review_hours_per_month", REVIEW)

    def __post_init__(self) -> None:
        validate(self)
        require_servings(self, "judge")

    @property
    def repeats(self) -> Any:
        """Runs of each case in a run of the whole set."""
        needed = runs_to_see(self.effect, self.spread, agreement=self.agreement)
        return np.minimum(needed, np.maximum(1.0, np.floor(self.repeats_max)))

    def buys(self, case: Case) -> Purchases:
        people, work = case.terms.people, case.work
        numbers, words, cites = zip(*(effort_said(self, n, work) for n in RUNNING), strict=True)
        items, smoke, monthly_runs, weekly = numbers
        of_items, of_smoke, of_runs, of_weekly = words
        changes = weekly * WEEKS_PER_MONTH
        yield setup("build the golden set", self, work, people.engineer, "evaluation")
        yield labour(
            "write the reference answers",
            items * self.minutes_per_case / MINUTES_PER_HOUR,
            people.expert,
            once(),
            "evaluation",
            of_items + " cases x {minutes_per_case} min x {usd_per_hour}/h",
            cites[0],
        )
        runs = items * monthly_runs * self.repeats + smoke * changes
        in_a_row = runs / np.maximum(monthly_runs + changes, ROUNDING)
        basis = (
            f"{of_items} cases x {of_runs} runs a month x at most {{repeats_max}} repeats"
            " to see a fall of {effect} through a spread of {spread} "
            f"+ {of_smoke} cases x {of_weekly} changes a week"
        )
        when, phase = monthly(), "evaluation"
        read = ("agreement", *(name for named in cites for name in named))
        for part, _ in bought_together(case):
            request, by, item = part.request, part.serving, "evaluation runs"
            yield from every_call(item, request, runs, when, phase, by, basis, read, in_a_row)
        call, judge = judge_call(case, self), self.judge
        yield Traffic("evaluation judge", call, runs, when, phase, judge, basis, read, in_a_row)

        hours, said, named = effort_said(self, "review_hours_per_month", work)
        basis = said + " h a month x {usd_per_hour}/h"
        yield labour("review evaluations", hours, people.expert, when, phase, basis, named)
        yield labour(
            "wait at the gate",
            changes * self.wait_minutes / MINUTES_PER_HOUR,
            people.engineer,
            when,
            phase,
            of_weekly + " changes a week x {wait_minutes} min x {usd_per_hour}/h",
            cites[-1],
        )


@frozen
class Monitoring:
    """Watch production: traces, a judge on a sample, people on a few answers, what drift costs.

    Answers get worse without an error or an alarm, `drifts_per_year` times by `drop`. The judge
    sees it after as many answers as tell the two shares apart, the readers after theirs, users
    after `days_unseen`: whoever is first.

    Parameters
    ----------
    judge_share : number or Range, 0 to 1
        Share of the requests that is judged.
    trace_share : number or Range, 0 to 1, or None
        Share of the requests that is traced; None keeps all up to a volume, which the tier of the
        workload sets, and `sampled_share` of the others.
    sampled_share, error_share : number or Range, 0 to 1
        Share of the further traces that is kept, and share with errors, which are all kept.
    volume_price_ratio : number or Range, at least 0
        What a trace beyond the volume costs over the list price [x].
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
    trace_share: Number | None = None
    sampled_share: Number = practice("observability.sampled_share")
    error_share: Number = practice("Monitoring.error_share")
    volume_price_ratio: Number = practice("observability.volume_price_ratio")
    retention_days: Number = practice("Monitoring.retention_days")
    kb_per_trace: Number = practice("Monitoring.kb_per_trace")
    usd_per_gb_month: Number = practice("trace_store.usd_per_gb_month")
    # -- the judge
    judge_share: Number = practice("eval.judge_share")
    judge: Any = None
    rubric_tokens: Number = RUBRIC_TOKENS
    verdict_tokens: Number = VERDICT_TOKENS
    agreement: Number = AGREEMENT
    # -- the readers
    reviews_per_month: Number = usual("Monitoring.reviews_per_month", REVIEW)
    minutes_per_review: Number = practice("Monitoring.minutes_per_review")
    # -- drift
    drifts_per_year: Number = practice("Monitoring.drifts_per_year")
    drop: Number = practice("drift.drop")
    accepted_before: Number = ACCEPTED_BEFORE
    days_unseen: Number = practice("drift.days_unseen")
    reaction_days: Number = practice("Monitoring.reaction_days")

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
            read = effort(self, "reviews_per_month", case.work)
            readers = np.divide(samples_per_arm(before, after, sides=1), read)
        return np.minimum(np.minimum(judge, readers * DAYS_PER_MONTH), self.days_unseen)

    def _traces(self, case: Case) -> Purchases:
        """A share that was given, or all traces up to a volume and a sample of the others."""
        requests: Any = case.requests_per_month
        most: Any = 1.0
        tier: Any = case.work.tier
        if self.trace_share is not None:
            words = "requests a month x {trace_share} traced"
            yield from self._kept("traces", requests * self.trace_share, with_demand(), words)
            return
        if not case.work.flat:
            most = case.work.demand(case.terms.months, case.terms.start)
        words, cites = "all traces of a month up to {traces_in_full}", cite(tier, "traces_in_full")
        reached: Any = requests * most
        full = np.minimum(reached, tier.traces_in_full)
        for item, number, part, said, price in (
            ("traces", 1.0, full, words, 1.0),
            ("sampled traces", self.sampled_rate, reached - full, SAMPLED, self.volume_price_ratio),
        ):
            count, when = by_month(part)
            yield from self._kept(item, number * count, when, said, cites, price)

    @property
    def sampled_rate(self) -> Any:
        """Share kept of the traces beyond the volume: errors, and a sample of the others."""
        return self.sampled_share + (1 - self.sampled_share) * self.error_share

    def _kept(
        self, item: str, traces: Any, when: Schedule, words: str, cites: Any = (), price: Any = 1.0
    ) -> Purchases:
        """Traces of a month at the price of a service, and their place in a store."""
        usd, of = self.usd_per_mtrace * price, (*cites, "usd_per_mtrace")
        ratio = ("volume_price_ratio",) if price is self.volume_price_ratio else ()
        args = f"store {item}", "monitoring", traces / MILLION, "Mtrace", usd, when
        yield Line(*args, basis=words, cites=(*of, *ratio))
        gb, basis = traces * self.kb_per_trace * KB / GB, words + " x {kb_per_trace} kB"
        yield stored(f"keep {item}", "monitoring", gb, self, basis, cites, when)

    def buys(self, case: Case) -> Purchases:
        yield from self._traces(case)
        yield Traffic(
            "production judge",
            judge_call(case, self),
            case.requests_per_month * self.judge_share,
            with_demand(),
            "monitoring",
            self.judge,
            "requests a month x {judge_share} sampled",
        )
        number, read, cites = effort_said(self, "reviews_per_month", case.work)
        yield labour(
            "read sampled answers",
            number * self.minutes_per_review / MINUTES_PER_HOUR,
            case.terms.people.annotator,
            monthly(),
            "monitoring",
            read + " answers x {minutes_per_review} min x {usd_per_hour}/h",
            cites,
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
