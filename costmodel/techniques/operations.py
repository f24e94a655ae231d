"""Operations: what happens after the first answer. First version: evaluation, monitoring, forced upgrades."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

from ..catalog import practice
from ..lines import Call, Line, Segment, Traffic, cite, every, labour, monthly, once, with_demand
from ..options import Case
from ..ranges import Number, Range, validate
from ..units import HOURS_PER_WEEK, MILLION, MINUTES_PER_HOUR

RUBRIC_TOKENS = Range(300, 1_000, mid=500, why="assumption: the judge's instructions and rubric")
VERDICT_TOKENS = Range(50, 300, mid=120, why="assumption: the judge's verdict with its reason")


def judged(case: Case, rubric_tokens: Any, verdict_tokens: Any) -> Call:
    """The call of a judge: it reads the rubric, the question and the answer, and writes a verdict."""
    last = case.request.calls[-1]
    read = (Segment("rubric", rubric_tokens, stable=True), Segment("question", case.work.input_tokens), Segment("answer", last.output_tokens))
    return Call(read, verdict_tokens)


@dataclass(frozen=True)
class Evals:
    """A golden set, scored again and again: built once, run by the model, judged by a model, checked by people."""

    items: Number = practice("eval.examples")
    runs_per_month: Number = Range(4, 30, mid=8, why="assumption: each change, and a weekly run")
    build_weeks: Number = practice("eval.build_weeks")
    judge: Any = None
    rubric_tokens: Number = RUBRIC_TOKENS
    verdict_tokens: Number = VERDICT_TOKENS
    review_hours_per_month: Number = Range(2, 16, mid=6, why="assumption: people look at disagreements")

    def __post_init__(self) -> None:
        validate(self)

    def at(self, on: str) -> Evals:
        return self if self.judge is None else replace(self, judge=self.judge.at(on))

    def buys(self, case: Case) -> Iterator[Line | Traffic]:
        runs = self.items * self.runs_per_month
        cites = cite(self, "items", "runs_per_month")
        yield labour("build the golden set", self.build_weeks * HOURS_PER_WEEK, case.terms.people.engineer, once(), "evaluation",
                     "{build_weeks} engineer-weeks x 40 h x {usd_per_hour}/h", cite(self, "build_weeks"))  # fmt: skip
        for part in (case, *case.together):
            for call in part.request.calls:
                yield Traffic("evaluation runs", replace(call, cache=None), runs * call.per_request, monthly(), "evaluation", part.serving,
                              "{items} cases x {runs_per_month} runs a month", cites)  # fmt: skip
        yield Traffic("evaluation judge", judged(case, self.rubric_tokens, self.verdict_tokens), runs, monthly(), "evaluation", self.judge,
                      "{items} cases x {runs_per_month} runs a month", cites)  # fmt: skip
        yield labour("review evaluations", self.review_hours_per_month, case.terms.people.expert, monthly(), "evaluation",
                     "{review_hours_per_month} h a month x {usd_per_hour}/h", cite(self, "review_hours_per_month"))  # fmt: skip


@dataclass(frozen=True)
class Monitoring:
    """Watch production: traces of every request, a judge on a sample, people on a sample of that."""

    usd_per_mtrace: Number = practice("observability.usd_per_mtrace")
    judge_share: Number = practice("eval.judge_share")
    judge: Any = None
    rubric_tokens: Number = RUBRIC_TOKENS
    verdict_tokens: Number = VERDICT_TOKENS
    reviews_per_month: Number = Range(50, 400, mid=150, why="assumption: answers that a person reads")
    minutes_per_review: Number = Range(1, 5, mid=2, why="assumption: reading one answer and its question")

    def __post_init__(self) -> None:
        validate(self)

    def at(self, on: str) -> Monitoring:
        return self if self.judge is None else replace(self, judge=self.judge.at(on))

    def buys(self, case: Case) -> Iterator[Line | Traffic]:
        sampled = case.requests_per_month * self.judge_share
        yield Line("store traces", "monitoring", case.requests_per_month / MILLION, "Mtrace", self.usd_per_mtrace, with_demand(), "service",
                   basis="one trace a request", cites=cite(self, "usd_per_mtrace"))  # fmt: skip
        yield Traffic("production judge", judged(case, self.rubric_tokens, self.verdict_tokens), sampled, with_demand(), "monitoring", self.judge,
                      "requests a month x {judge_share} sampled", cite(self, "judge_share"))  # fmt: skip
        yield labour("read sampled answers", self.reviews_per_month * self.minutes_per_review / MINUTES_PER_HOUR, case.terms.people.annotator,
                     monthly(), "monitoring", "{reviews_per_month} answers x {minutes_per_review} min x {usd_per_hour}/h",
                     cite(self, "reviews_per_month", "minutes_per_review"))  # fmt: skip


@dataclass(frozen=True)
class Upgrades:
    """Move to another model when the provider retires this one: test again, fix prompts, release."""

    every_months: Number = practice("api.model_life_months")
    weeks: Number = Range(0.5, 4, mid=1.5, why="assumption: re-evaluation, prompt fixes and a careful release")

    def __post_init__(self) -> None:
        validate(self)

    def buys(self, case: Case) -> Iterator[Line]:
        yield labour("forced model upgrade", self.weeks * HOURS_PER_WEEK, case.terms.people.engineer, every(self.every_months), "migration",
                     "{weeks} engineer-weeks x 40 h every {every_months} months", cite(self, "weeks", "every_months"))  # fmt: skip
