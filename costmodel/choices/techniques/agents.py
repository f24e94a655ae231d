"""Agents: a request becomes a task of many calls, each of which sends the history again.

An agent shapes the request, so that production, evaluation and shadow traffic all pay for its steps. Not in it: a step that
finds nothing out, waiting for people within a task, and sub-agents that share a history.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from costmodel.choices.options import Case
from costmodel.choices.purchases import Line, cite, labour, upkeep
from costmodel.choices.requests import Call, Request, Segment
from costmodel.choices.schedule import once, with_demand
from costmodel.choices.workload import Workload
from costmodel.core.checks import require, validate
from costmodel.core.errors import Infeasible
from costmodel.core.public import public
from costmodel.core.ranges import Number, Range
from costmodel.core.units import MINUTES_PER_HOUR, WORKING_HOURS_PER_WEEK
from costmodel.facts.catalog import practice
from costmodel.laws.agents import (
    NEVER,
    WEIGHTS,
    attempts,
    compactions,
    history_tokens,
    shift_to,
    task_lengths,
    within,
)
from costmodel.laws.quality import Effect, shift

LEAST_SHARE = 1e-6


@public
@dataclass(frozen=True, kw_only=True)
class Agent:
    """A task in steps: tools in every prompt, a history that grows, retries, a cap, sub-agents, people who check.

    One request of the workload is one task; its `input_tokens` are the task, its `output_tokens` the final answer. `steps`
    calls on average, with a tail (`step_spread`, the standard deviation of the logarithm) cut at `cap_steps`; a task that is
    cut has failed. Each step adds what the model wrote and what the tool returned; the history is cut to `kept_tokens` when
    it reaches `compact_at`. `own_tries` of your own loop times `sdk_tries` hidden in the client library stand behind each
    call. With `PromptCache`, a step finds the prefix of the one before it (`reuse`).
    """

    steps: Number = Range(
        4,
        30,
        mid=10,
        why="assumption: model calls of one task; 6 to 12 in published support agents",
    )
    step_spread: Number = Range(
        0.3,
        1.0,
        mid=0.6,
        form="amount",
        why="assumption: a few tasks take many times the steps of the others",
    )
    cap_steps: Number | None = None
    step_output_tokens: Number = Range(
        80, 500, mid=200, why="assumption: a thought and a tool call"
    )
    step_reasoning_tokens: Number = 0.0
    tool_tokens: Number = Range(100, 1_500, mid=400, why="assumption: what a tool returns")
    tools: Number = Range(
        4, 58, mid=12, why="assumption; 58 definitions took 55,000 tokens in one published case"
    )
    tokens_per_tool: Number = practice("tool.tokens_per_tool")
    schema_tokens: Number = 0.0
    compact_at: Number | None = None
    kept_tokens: Number = Range(
        500, 4_000, mid=1_500, why="assumption: the summary that replaces the history"
    )
    fail_chance: Number = Range(
        0.005,
        0.15,
        mid=0.03,
        why="assumption: calls that time out or return nonsense; 3 to 15 % in write-ups",
    )
    own_tries: Number = 3
    sdk_tries: Number = practice("sdk.sdk_tries")
    billed_share: Number = Range(
        0.3, 0.999, mid=0.7, why="assumption: share of failed calls that are billed; timeouts are"
    )
    subagents: Number = 0
    subagent_steps: Number = Range(3, 15, mid=6, why="assumption: calls of one sub-agent")
    reuse: Number = practice("agent.hit_rate")
    reviewed_share: Number = 0.0
    review_minutes: Number = Range(
        2, 20, mid=5, why="assumption: a person checks the result of one task"
    )
    build_weeks: Number = Range(
        2, 16, mid=5, name="agent.build_weeks", why="assumption: tools, loop, limits, tests"
    )
    upkeep_fte: Number = Range(
        0.05, 0.5, mid=0.15, name="agent.upkeep_fte", why="assumption: tools and prompts change"
    )
    log_odds: Number = 0.0

    def __post_init__(self) -> None:
        validate(self, optional=("cap_steps", "compact_at"))
        for name in ("steps", "cap_steps", "own_tries", "sdk_tries", "subagent_steps"):
            if getattr(self, name) is not None:
                require(f"{type(self).__name__}.{name}", getattr(self, name), low=1)

    # -- one task ------------------------------------------------------------------------------------------

    @property
    def tries(self) -> Any:
        """Calls sent and billed for one step."""
        return (
            1
            + (attempts(self.fail_chance, self.own_tries * self.sdk_tries) - 1) * self.billed_share
        )

    @property
    def cap(self) -> Any:
        return NEVER if self.cap_steps is None else self.cap_steps

    @property
    def lengths(self) -> Any:
        """Steps along the distribution of tasks, on a last axis."""
        return task_lengths(self.steps, self.step_spread, self.cap)

    @property
    def calls(self) -> Any:
        """Mean steps of a task, the cap counted."""
        return self.lengths @ WEIGHTS

    @property
    def grown(self) -> Any:
        """What a step adds to the history [token]."""
        return self.step_output_tokens + self.tool_tokens

    @property
    def limit(self) -> Any:
        return (
            NEVER
            if self.compact_at is None
            else np.maximum(self.compact_at, self.kept_tokens + self.grown)
        )

    @property
    def history(self) -> Any:
        """History tokens sent in one task, on average over the tasks."""
        grown, limit, kept = (
            np.asarray(x, float)[..., None] for x in (self.grown, self.limit, self.kept_tokens)
        )
        return history_tokens(grown, self.lengths, limit, kept) @ WEIGHTS

    def shape(self, request: Request, work: Workload) -> Request:
        steps, tries = self.calls, self.tries
        definitions = (
            Segment("tools", self.tools * self.tokens_per_tool, stable=True),
            Segment("schema", self.schema_tokens, stable=True),
        )
        made = []
        for call in request.calls:
            output = (self.step_output_tokens * (steps - 1) + call.output_tokens) / steps
            loop = replace(
                call,
                segments=(*call.segments, *definitions, *self._read_again(self.history, steps)),
                output_tokens=output,
                reasoning_tokens=call.reasoning_tokens / steps + self.step_reasoning_tokens,
                per_request=call.per_request * steps * tries,
                reuse=self.reuse * (steps - 1) / steps,
            )
            made.append(loop)
            made += self._summaries(call, definitions) + self._subagents(call, definitions)
        return Request(tuple(made))

    def _read_again(self, history: Any, steps: Any) -> tuple[Segment, Segment]:
        """The mean history of a step: what the step before has added is written to a cache, the rest may be found there."""
        new = self.grown * (steps - 1) / steps
        old = np.maximum(history / steps - new, 0.0)
        return Segment("history", old, stable=True, reuse=self.reuse), Segment(
            "new since the last step", new, stable=True, reuse=0.0
        )

    def _summaries(self, call: Call, definitions: tuple[Segment, ...]) -> list[Call]:
        """The calls that write a summary of the history."""
        if self.compact_at is None:
            return []
        grown, limit, kept = (
            np.asarray(x, float)[..., None] for x in (self.grown, self.limit, self.kept_tokens)
        )
        times = compactions(grown, self.lengths, limit, kept) @ WEIGHTS
        return [
            replace(
                call,
                segments=(*definitions, Segment("history", self.limit)),
                output_tokens=self.kept_tokens,
                reasoning_tokens=0.0,
                per_request=call.per_request * times * self.tries,
            )
        ]

    def _subagents(self, call: Call, definitions: tuple[Segment, ...]) -> list[Call]:
        """Each sub-agent has a history of its own, and returns what a tool would."""
        if not np.any(self.subagents):
            return []
        steps = self.subagent_steps
        segments = (
            *call.segments,
            *definitions,
            *self._read_again(history_tokens(self.grown, steps), steps),
        )
        return [
            replace(
                call,
                segments=segments,
                output_tokens=self.step_output_tokens,
                reasoning_tokens=self.step_reasoning_tokens,
                per_request=call.per_request * self.subagents * steps * self.tries,
                reuse=self.reuse * (steps - 1) / steps,
            )
        ]

    # -- what it buys ----------------------------------------------------------------------------------------

    def buys(self, case: Case) -> Iterator[Line]:
        engineer = case.terms.people.engineer
        self.fits(case)
        yield labour(
            "build the agent",
            self.build_weeks * WORKING_HOURS_PER_WEEK,
            engineer,
            once(),
            "build",
            "{build_weeks} engineer-weeks x 40 h x {usd_per_hour}/h",
            cite(self, "build_weeks"),
        )
        yield upkeep("keep the agent working", self, engineer)
        if np.any(self.reviewed_share):
            hours = (
                case.requests_per_month
                * self.reviewed_share
                * self.review_minutes
                / MINUTES_PER_HOUR
            )
            yield labour(
                "check results",
                hours,
                self.reviewer(case),
                with_demand(),
                "serving",
                "tasks a month x {reviewed_share} x {review_minutes} min x {usd_per_hour}/h",
                cite(self, "reviewed_share", "review_minutes"),
            )

    def fits(self, case: Case) -> None:
        """Refuse a task of mean length whose last prompt is over the window; longer ones need `compact_at` or a cap as well."""
        last = (
            case.request.main.prompt_tokens
            + np.minimum(self.grown * (self.steps - 1), self.limit)
            - self.history / self.calls
        )
        window = case.serving.window
        if window is not None and np.all(last > window):
            steps, tokens = float(np.mean(self.steps)), float(np.mean(last))
            raise Infeasible(
                f"a task of {steps:.0f} steps ends with a prompt of {tokens:,.0f} tokens, over the {window:,.0f}-token window of "
                f"{case.serving.model.id}; set compact_at"
            )

    def reviewer(self, case: Case) -> Any:
        return case.terms.people.annotator

    def success_shift(self, base: Any) -> Any:
        """Shift of the log-odds from the share accepted in one plain call; what the cap cuts off has failed."""
        finished = np.clip(
            within(self.steps, self.step_spread, self.cap), LEAST_SHARE, 1 - LEAST_SHARE
        )
        return shift_to(base, finished * shift(base, self.log_odds))

    def quality(self, case: Case) -> Effect:
        base = 0.5 if case.serving.accepted is None else case.serving.accepted
        return Effect(
            self.success_shift(base),
            "the share of tasks that end below the cap; steps may find more than one call",
        )


@public
@dataclass(frozen=True, kw_only=True)
class CodingAgent(Agent):
    """Changes to a repository of your own: what a benchmark promises, times what is left of it, read by a developer.

    One request is one change asked for. The serving's `accepted` is its success on a public benchmark; `transfer` is what is
    left of it on a private repository (23 of 80 on SWE-bench Pro, 35 to 64 % accepted against 70 % and more). Every change is
    read, the bad ones as well.
    """

    steps: Number = practice("coding.steps")
    step_output_tokens: Number = Range(
        100,
        500,
        mid=200,
        name="CodingAgent.step_output_tokens",
        why="fitted to 15 published runs: a thought and a command",
    )
    tool_tokens: Number = Range(
        120,
        800,
        mid=300,
        name="CodingAgent.tool_tokens",
        why="fitted to 15 published runs: what a command prints",
    )
    tools: Number = Range(
        1, 25, mid=8, name="CodingAgent.tools", why="assumption: shell, editor, search"
    )
    reuse: Number = Range(
        0.90,
        0.999,
        mid=0.98,
        name="CodingAgent.reuse",
        why="fitted to 15 published runs with a growing, unchanged history",
    )
    transfer: Number = practice("coding.transfer")
    reviewed_share: Number = 1.0
    review_minutes: Number = Range(
        5,
        60,
        mid=20,
        name="CodingAgent.review_minutes",
        why="assumption: read, run and comment one change",
    )

    def reviewer(self, case: Case) -> Any:
        return case.terms.people.engineer

    def success_shift(self, base: Any) -> Any:
        """As an agent, times what is left of the benchmark on your own repository."""
        done = shift(base, super().success_shift(base))
        return shift_to(base, np.minimum(self.transfer, 1 - LEAST_SHARE) * done)
