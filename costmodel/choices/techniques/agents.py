"""Agents: a request becomes a task of many calls, each of which sends the history again.

An agent shapes the request, so that production, evaluation and shadow traffic all pay for its
steps. Not in it: a step that finds nothing out, waiting for people within a task, and sub-agents
that share a history.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import cached_property
from typing import Any

import numpy as np

from costmodel.choices.effort import BUILD, UPKEEP, usual
from costmodel.choices.options import Case
from costmodel.choices.purchases import Purchases, labour, setup, upkeep
from costmodel.choices.requests import HISTORY, NEW, Call, Growth, Request, Segment
from costmodel.choices.schedule import with_demand
from costmodel.choices.workload import Workload
from costmodel.core import MINUTES_PER_HOUR, Infeasible, Number, Range, assumed, public, validate
from costmodel.facts.catalog import practice
from costmodel.laws.agents import (
    NEVER,
    WEIGHTS,
    attempts,
    compactions,
    history_tokens,
    task_lengths,
    within,
)
from costmodel.laws.quality import Effect, shift, shift_to

LEAST_SHARE = 1e-6


@public
@dataclass(frozen=True, kw_only=True)
class Agent:
    """A task in steps: tools in every prompt, a history that grows, retries, sub-agents, checks.

    One request of the workload is one task; its `input_tokens` are the task, its `output_tokens`
    the final answer. Each step adds what the model wrote and what the tool returned.

    Parameters
    ----------
    steps : number or Range, at least 1
        Model calls of one task on average.
    step_spread : number or Range, at least 0
        Standard deviation of the logarithm of the steps: the tail of long tasks.
    cap_steps : number, at least 1, or None
        Where a task is cut off, and has failed; None cuts nothing.
    compact_at, kept_tokens : number or Range, or None
        When the history reaches `compact_at` tokens, a summary of `kept_tokens` replaces it.
    own_tries, sdk_tries : number, at least 1
        Tries of your own loop, times those hidden in the client library.
    reuse : number or Range, 0 to 1
        With `PromptCache`, the chance that a step finds the prefix of the one before it.
    reviewed_share, review_minutes : number or Range
        Share of the tasks that a person checks, and the minutes of one.
    step_output_tokens, step_reasoning_tokens : number or Range, at least 0
        What the model writes in one step, and its hidden reasoning [token].
    tool_tokens : number or Range, at least 0
        What a tool returns in one step [token].
    tools, tokens_per_tool : number or Range, at least 0
        Tools defined in each prompt, and the tokens of one definition.
    schema_tokens : number or Range, at least 0
        Database schema in each prompt [token].
    fail_chance : number or Range, 0 to 1
        Chance that one call fails and is tried again.
    billed_share : number or Range, 0 to 1
        Share of the failed calls that is billed.
    subagents, subagent_steps : number or Range
        Sub-agents of one task, and the model calls of one (at least 1).
    build_weeks : number or Range, at least 0
        Weeks of an engineer before the first task.
    upkeep_fte : number or Range, at least 0
        Share of an engineer who keeps tools and prompts working.
    log_odds : number or Range
        What the agent adds to the log-odds that an answer is accepted.

    Raises
    ------
    Infeasible
        Where the last prompt of a task of mean length is over the window.
    ValueError
        When a field is outside its range.

    Examples
    --------
    >>> import costmodel as cm
    >>> work = cm.Workload(1_000, input_tokens=2_000, output_tokens=300)
    >>> agent = cm.uncertainty.middle(cm.Agent(steps=10, fail_chance=0, step_spread=0))
    >>> round(float(agent.shape(work.request(), work).main.per_request), 6)
    10.0
    """

    # -- length of a task
    steps: Number = assumed(
        4, 10, 30, "model calls of one task; 6 to 12 in published support agents"
    )
    step_spread: Number = assumed(
        0.3, 0.6, 1.0, "a few tasks take many times the steps of the others", form="amount"
    )
    cap_steps: Number | None = None
    # -- what a step writes and reads
    step_output_tokens: Number = assumed(80, 200, 500, "a thought and a tool call")
    step_reasoning_tokens: Number = 0.0
    tool_tokens: Number = assumed(100, 400, 1_500, "what a tool returns")
    tools: Number = Range(
        4, 58, mid=12, why="assumption; 58 definitions took 55,000 tokens in one published case"
    )
    tokens_per_tool: Number = practice("tool.tokens_per_tool")
    schema_tokens: Number = 0.0
    # -- the history
    compact_at: Number | None = None
    kept_tokens: Number = assumed(500, 1_500, 4_000, "the summary that replaces the history")
    # -- retries
    fail_chance: Number = assumed(
        0.005, 0.03, 0.15, "calls that time out or return nonsense; 3 to 15 % in write-ups"
    )
    own_tries: Number = 3
    sdk_tries: Number = practice("sdk.sdk_tries")
    billed_share: Number = assumed(
        0.3, 0.7, 0.999, "share of failed calls that are billed; timeouts are"
    )
    # -- sub-agents
    subagents: Number = 0
    subagent_steps: Number = assumed(3, 6, 15, "calls of one sub-agent")
    # -- the cache
    reuse: Number = practice("agent.hit_rate")
    # -- people
    reviewed_share: Number = 0.0
    review_minutes: Number = assumed(2, 5, 20, "a person checks the result of one task")
    build_weeks: Number = usual(
        assumed(2, 5, 16, "tools, loop, limits, tests", name="agent.build_weeks"), BUILD
    )
    upkeep_fte: Number = usual(
        assumed(0.05, 0.15, 0.5, "tools and prompts change", name="agent.upkeep_fte"), UPKEEP
    )
    # -- quality
    log_odds: Number = 0.0

    def __post_init__(self) -> None:
        validate(self)

    # -- one task ----------------------------------------------------------------------------------

    @property
    def tries(self) -> Any:
        """Calls sent and billed for one step."""
        sent = attempts(self.fail_chance, self.own_tries * self.sdk_tries)
        return 1 + (sent - 1) * self.billed_share

    @property
    def cap(self) -> Any:
        return NEVER if self.cap_steps is None else self.cap_steps

    @cached_property
    def lengths(self) -> Any:
        """Steps along the distribution of tasks, on a last axis."""
        return task_lengths(self.steps, self.step_spread, self.cap)

    @property
    def mean_steps(self) -> Any:
        """Mean steps of a task, the cap counted."""
        return self.lengths @ WEIGHTS

    @property
    def added_tokens(self) -> Any:
        """What a step adds to the history [token]."""
        return self.step_output_tokens + self.tool_tokens

    @property
    def history_limit(self) -> Any:
        """Tokens at which the history is cut."""
        if self.compact_at is None:
            return NEVER
        return np.maximum(self.compact_at, self.kept_tokens + self.added_tokens)

    def _mean_over_tasks(self, law: Callable) -> Any:
        """A law of the history, on average over short and long tasks."""
        added, limit, kept = (
            np.asarray(x, float)[..., None]
            for x in (self.added_tokens, self.history_limit, self.kept_tokens)
        )
        return law(added, self.lengths, limit, kept) @ WEIGHTS

    @cached_property
    def history(self) -> Any:
        """History tokens sent in one task, on average over the tasks."""
        return self._mean_over_tasks(history_tokens)

    def shape(self, request: Request, work: Workload) -> Request:
        steps, calls = self.mean_steps, []
        definitions = (
            Segment("tools", self.tools * self.tokens_per_tool, stable=True),
            Segment("schema", self.schema_tokens, stable=True),
        )
        cuts = 0.0 if self.compact_at is None else self._mean_over_tasks(compactions)
        history = self._history_segments(self.history, steps, cuts)
        for call in request.calls:
            task = replace(
                call,
                segments=(*call.segments, *definitions, *history),
                output_tokens=(self.step_output_tokens * (steps - 1) + call.output_tokens) / steps,
                reasoning_tokens=call.reasoning_tokens / steps + self.step_reasoning_tokens,
                per_request=call.per_request * steps * self.tries,
                reuse=self.reuse * (steps - 1) / steps,
                growth=self._growth(steps),
            )
            calls.append(task)
            if self.compact_at is not None:
                calls.append(self._summary(call, definitions, cuts))
            if np.any(self.subagents):
                calls.append(self._subagent(call, definitions))
        return Request(tuple(calls))

    def _history_segments(
        self, history: Any, steps: Any, cuts: Any = 0.0
    ) -> tuple[Segment, Segment]:
        """The mean history of a step: its new part is written to a cache, the rest may be found.

        New is what the step before added, or the summary after a cut.
        """
        new = (self.added_tokens * (steps - 1 - cuts) + self.kept_tokens * cuts) / steps
        old = np.maximum(history / steps - new, 0.0)
        return (
            Segment(HISTORY, old, stable=True, reuse=self.reuse),
            Segment(NEW, new, stable=True, reuse=0.0),
        )

    def _growth(self, steps: Any) -> Growth:
        """The history of each step, from which its context tier follows."""
        history, limit = self.history / steps, self.history_limit
        return Growth(self.added_tokens, limit, self.kept_tokens, self.lengths, history)

    def _summary(self, call: Call, definitions: tuple[Segment, ...], cuts: Any) -> Call:
        """The calls that write a summary of the history: the prompt of the last step and what it
        added, so that the cache has all but that."""
        return replace(
            call,
            segments=(
                *call.segments,
                *definitions,
                Segment(
                    HISTORY, self.history_limit - self.added_tokens, stable=True, reuse=self.reuse
                ),
                Segment("last step", self.added_tokens),
            ),
            output_tokens=self.kept_tokens,
            reasoning_tokens=0.0,
            per_request=call.per_request * cuts * self.tries,
            reuse=self.reuse,
        )

    def _subagent(self, call: Call, definitions: tuple[Segment, ...]) -> Call:
        """The steps of sub-agents; each has its own history, and returns what a tool would."""
        steps = self.subagent_steps
        history = self._history_segments(history_tokens(self.added_tokens, steps), steps)
        return replace(
            call,
            segments=(*call.segments, *definitions, *history),
            output_tokens=self.step_output_tokens,
            reasoning_tokens=self.step_reasoning_tokens,
            per_request=call.per_request * self.subagents * steps * self.tries,
            reuse=self.reuse * (steps - 1) / steps,
        )

    # -- what it buys ------------------------------------------------------------------------------

    def buys(self, case: Case) -> Purchases:
        engineer = case.terms.people.engineer
        self._check_window(case)
        yield setup("build the agent", self, case.work, engineer)
        yield upkeep("keep the agent working", self, case.work, engineer)
        if np.any(self.reviewed_share):
            checked = case.requests_per_month * self.reviewed_share
            yield labour(
                "check results",
                checked * self.review_minutes / MINUTES_PER_HOUR,
                self.reviewer(case),
                with_demand(),
                "serving",
                "tasks a month x {reviewed_share} x {review_minutes} min x {usd_per_hour}/h",
            )

    def _check_window(self, case: Case) -> None:
        """Refuse a task of mean length whose last prompt is over the window."""
        window = case.serving.window
        grown = np.minimum(self.added_tokens * (self.steps - 1), self.history_limit)
        mean = self.history / self.mean_steps
        last = case.request.main.prompt_tokens + grown - mean
        if window is not None and np.all(last > window):
            raise Infeasible(
                f"a task of {np.mean(self.steps):.0f} steps ends with a prompt of "
                f"{np.mean(last):,.0f} tokens, over the {window:,.0f}-token window of "
                f"{case.serving.model.id}; set compact_at"
            )

    def reviewer(self, case: Case) -> Any:
        """Who checks results."""
        return case.terms.people.annotator

    def success_shift(self, base: Any) -> Any:
        """Shift of the log-odds from one plain call; what the cap cuts off has failed."""
        finished = within(self.steps, self.step_spread, self.cap)
        finished = np.clip(finished, LEAST_SHARE, 1 - LEAST_SHARE)
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
    """Changes to a repository of your own: a benchmark's success, what is left of it, and a reader.

    One request is one change asked for. A developer reads every change, the bad ones as well.

    Parameters
    ----------
    transfer : number or Range, above 0, to 1
        What is left of the serving's `accepted`, its success on a public benchmark, on a private
        repository (23 of 80 on SWE-bench Pro, 35 to 64 % accepted against 70 % and more).
    steps, step_spread, cap_steps, step_output_tokens, step_reasoning_tokens, tool_tokens
        The steps, as of `Agent`, fitted to 15 published runs.
    tools, tokens_per_tool, schema_tokens, compact_at, kept_tokens, reuse
        The prompt, its history and the cache, as of `Agent`.
    fail_chance, own_tries, sdk_tries, billed_share, subagents, subagent_steps
        Retries and sub-agents, as of `Agent`.
    reviewed_share, review_minutes, build_weeks, upkeep_fte, log_odds
        People and quality, as of `Agent`; by default people read every change.

    Raises
    ------
    ValueError
        When a field is outside its range.

    Examples
    --------
    >>> import costmodel as cm
    >>> agent = cm.uncertainty.middle(cm.CodingAgent(transfer=0.5))
    >>> round(float(shift(0.8, agent.success_shift(0.8))), 2)
    0.4
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
    tools: Number = assumed(1, 8, 25, "shell, editor, search", name="CodingAgent.tools")
    reuse: Number = Range(
        0.90,
        0.999,
        mid=0.98,
        name="CodingAgent.reuse",
        why="fitted to 15 published runs with a growing, unchanged history",
    )
    transfer: Number = practice("coding.transfer")
    reviewed_share: Number = 1.0
    review_minutes: Number = assumed(
        5, 20, 60, "read, run and comment one change", name="CodingAgent.review_minutes"
    )

    def reviewer(self, case: Case) -> Any:
        return case.terms.people.engineer

    def success_shift(self, base: Any) -> Any:
        """As an agent, times what is left of the benchmark on your own repository."""
        done = shift(base, super().success_shift(base))
        return shift_to(base, np.minimum(self.transfer, 1 - LEAST_SHARE) * done)
