"""Agents: a request becomes a task of many calls, each of which sends the history again.

An agent shapes the request, so that production, evaluation and shadow traffic all pay for its
steps. Not in it: a step that finds nothing out, waiting for people within a task, and sub-agents
that share a history.
"""

from __future__ import annotations

from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from costmodel.choices.effort import BUILD, UPKEEP, usual
from costmodel.choices.options import Case, require_servings
from costmodel.choices.purchases import Purchases, Traffic, labour, setup, upkeep
from costmodel.choices.requests import HISTORY, NEW, Call, Growth, Request, Segment
from costmodel.choices.schedule import with_demand
from costmodel.choices.techniques.lookup import requests_to_model
from costmodel.choices.workload import Workload
from costmodel.core import (
    MINUTES_PER_HOUR,
    Infeasible,
    Number,
    assumed,
    check,
    floats,
    frozen,
    validate,
)
from costmodel.facts.catalog import practice
from costmodel.laws.agents import NEVER, WEIGHTS, History, attempts, history, task_lengths, within
from costmodel.laws.quality import Effect


@frozen(kw_only=True)
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
    clear_at, kept_results : number or Range, or None
        When the history reaches `clear_at` tokens, the results of tools are cleared but the last
        `kept_results` (context editing; 100,000 and 3 are usual). The prompt cache is lost from the
        first that is cleared. Instead of `compact_at`, not beside it.
    compressed_to, log_odds_compressed : number or Range
        Share of a tool's result that a compression keeps (above 0, to 1), before it enters the
        history, and what that adds to the log-odds that an answer is accepted.
    compressor : serving or None
        Who compresses, a call for each result; None is the option's own serving.
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
    tools, tokens_per_tool, schema_tokens : number or Range, at least 0
        Tools defined in each prompt, the tokens of one definition, and those of a database schema.
    fail_chance, billed_share : number or Range, 0 to 1
        Chance that one call fails and is tried again, and share of the failed ones that is billed.
    subagents, subagent_steps : number or Range
        Sub-agents of one task, and the model calls of one (at least 1).
    build_weeks, upkeep_fte : number or Range, at least 0
        Weeks of an engineer before the first task, and the share of one who keeps it working.
    log_odds : number or Range
        What the agent adds to the log-odds that an answer is accepted.

    Raises
    ------
    Infeasible
        Where the last prompt of a task of mean length is over the window.
    ValueError
        When a field is outside its range, the compressor is no serving, or both `compact_at` and
        `clear_at` are given.

    Examples
    --------
    >>> import costmodel as cm
    >>> work = cm.Workload(1_000, input_tokens=2_000, output_tokens=300)
    >>> agent = cm.uncertainty.middle(cm.Agent(steps=10, fail_chance=0, step_spread=0))
    >>> round(float(agent.shape(work.request(), work).main.per_request), 6)
    10.0
    """

    # -- length of a task
    steps: Number = practice("Agent.steps")
    step_spread: Number = assumed(
        0.3, 0.6, 1.0, "a few tasks take many times the steps of the others", form="amount"
    )
    cap_steps: Number | None = None
    # -- what a step writes and reads
    step_output_tokens: Number = practice("Agent.step_output_tokens")
    step_reasoning_tokens: Number = 0.0
    tool_tokens: Number = practice("Agent.tool_tokens")
    tools: Number = practice("Agent.tools")
    tokens_per_tool: Number = practice("tool.tokens_per_tool")
    schema_tokens: Number = 0.0
    # -- the history
    compact_at: Number | None = None
    kept_tokens: Number = assumed(500, 1_500, 4_000, "the summary that replaces the history")
    clear_at: Number | None = None
    kept_results: Number = practice("context_editing.kept_results")
    # -- compression of what tools return
    compressed_to: Number = 1.0
    compressor: Any = None
    log_odds_compressed: Number = practice("agent.log_odds_compressed")
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
    review_minutes: Number = practice("Agent.review_minutes")
    build_weeks: Number = usual("agent.build_weeks", BUILD)
    upkeep_fte: Number = usual("agent.upkeep_fte", UPKEEP)
    # -- quality
    log_odds: Number = 0.0

    def __post_init__(self) -> None:
        validate(self)
        require_servings(self, "compressor")
        check(
            self.compact_at is None or self.clear_at is None,
            f"{type(self).__name__} has both compact_at and clear_at; give one of them: a summary "
            "replaces the history, or old results of tools are cleared from it",
        )

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
        return self.step_output_tokens + self.tool_tokens * self.compressed_to

    @property
    def cut(self) -> tuple[Any, Any, Any]:
        """Where the history is cut; what is left then each time, and of each step before
        [token]."""
        if self.clear_at is not None:
            at, kept = self.clear_at, self.kept_results * self.tool_tokens * self.compressed_to
            return np.maximum(at, kept + self.added_tokens), kept, self.step_output_tokens
        if self.compact_at is not None:
            kept = self.kept_tokens
            return np.maximum(self.compact_at, kept + self.added_tokens), kept, 0.0
        return NEVER, 0.0, 0.0

    @cached_property
    def sent(self) -> History:
        """The history of one task, on average over short and long tasks."""
        added, *cut = (floats(x)[..., None] for x in (self.added_tokens, *self.cut))
        return History(*(x @ WEIGHTS for x in history(added, self.lengths, *cut)))

    def shape(self, request: Request, work: Workload) -> Request:
        steps, calls = self.mean_steps, []
        definitions = (
            Segment("tools", self.tools * self.tokens_per_tool, stable=True),
            Segment("schema", self.schema_tokens, stable=True),
        )
        past = self._history_segments(self.sent, steps)
        growth = Growth(self.added_tokens, *self.cut, self.lengths, self.sent.tokens / steps)
        for call in request.calls:
            task = replace(
                call,
                segments=(*call.segments, *definitions, *past),
                output_tokens=(self.step_output_tokens * (steps - 1) + call.output_tokens) / steps,
                reasoning_tokens=call.reasoning_tokens / steps + self.step_reasoning_tokens,
                per_request=call.per_request * steps * self.tries,
                reuse=self.reuse * (steps - 1) / steps,
                growth=growth,
            )
            calls.append(task)
            if self.compact_at is not None:
                calls.append(self._summary(call, definitions))
            if np.any(self.subagents):
                calls.append(self._subagent(call, definitions))
        return Request(tuple(calls))

    def _history_segments(self, sent: History, steps: Any) -> tuple[Segment, Segment]:
        """The mean history of a step: its new part is written to a cache, the rest may be found.

        New is what the step before added, or what a cut has left.
        """
        new = (self.added_tokens * (steps - 1 - sent.cuts) + sent.rewritten) / steps
        old = np.maximum(sent.tokens / steps - new, 0.0)
        return Segment(HISTORY, old, True, self.reuse), Segment(NEW, new, True, 0.0)

    def _summary(self, call: Call, definitions: tuple[Segment, ...]) -> Call:
        """The calls that write a summary of the history: the prompt of the last step and what it
        added, so that the cache has all but that."""
        before = self.cut[0] - self.added_tokens
        past = Segment(HISTORY, before, True, self.reuse), Segment("last step", self.added_tokens)
        return replace(
            call,
            segments=(*call.segments, *definitions, *past),
            output_tokens=self.kept_tokens,
            reasoning_tokens=0.0,
            per_request=call.per_request * self.sent.cuts * self.tries,
            reuse=self.reuse,
        )

    def _subagent(self, call: Call, definitions: tuple[Segment, ...]) -> Call:
        """The steps of sub-agents; each has its own history, and returns what a tool would."""
        steps = self.subagent_steps
        past = self._history_segments(history(self.added_tokens, steps), steps)
        return replace(
            call,
            segments=(*call.segments, *definitions, *past),
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
        if np.any(self.compressed_to < 1):
            yield self._compression(case)
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

    def _compression(self, case: Case) -> Traffic:
        """A call for each result of a tool."""
        tasks = requests_to_model(case) / (self.mean_steps * self.tries)
        results = self.mean_steps - 1 + self.subagents * self.subagent_steps
        return Traffic(
            "compress results of tools",
            Call((Segment("result", self.tool_tokens),), self.tool_tokens * self.compressed_to),
            tasks * results,
            with_demand(),
            "serving",
            self.compressor,
            "tasks a month x results x {tool_tokens} tokens, of which {compressed_to} are written",
        )

    def _check_window(self, case: Case) -> None:
        """Refuse a task of mean length whose last prompt is over the window."""
        window, (limit, kept, kept_per_step) = case.serving.window, self.cut
        most = np.maximum(limit, kept + kept_per_step * (self.steps - 1))
        grown = np.minimum(self.added_tokens * (self.steps - 1), most)
        last = case.request.main.prompt_tokens + grown - self.sent.tokens / self.mean_steps
        if window is not None and np.all(last > window):
            raise Infeasible(
                f"a task of {np.mean(self.steps):.0f} steps ends with a prompt of "
                f"{np.mean(last):,.0f} tokens, over the {window:,.0f}-token window of "
                f"{case.serving.model.id}; set compact_at or clear_at"
            )

    def reviewer(self, case: Case) -> Any:
        """Who checks results."""
        return case.terms.people.annotator

    def success(self) -> Any:
        """Share of what a model can do that is done: what the cap cuts off has failed."""
        return within(self.steps, self.step_spread, self.cap)

    def quality(self, case: Case) -> Effect:
        evidence = "the share of tasks that end below the cap; steps may find more than one call"
        compressed = np.where(self.compressed_to < 1, self.log_odds_compressed, 0.0)
        return Effect(self.log_odds + compressed, evidence, kept=self.success())


# a session with a developer, where a benchmark has fewer and shorter steps
INTERACTIVE = {
    "steps": practice("coding_session.steps"),
    "step_output_tokens": practice("coding_session.step_output_tokens"),
    "tool_tokens": practice("coding_session.tool_tokens"),
}


@frozen(kw_only=True)
class CodingAgent(Agent):
    """Changes to a repository of your own: a benchmark's success, what is left of it, and a reader.

    One request is one change asked for. A developer reads every change, the bad ones as well.

    Parameters
    ----------
    transfer : number or Range, above 0, to 1
        What is left of the success on a public benchmark on a private repository (23 of 80 on
        SWE-bench Pro, 35 to 64 % accepted against 70 % and more).
    interactive : bool
        True: one request is a session with a developer, many and long steps (two measured sessions
        on Opus 4.7 took 417 and some 230 steps and cost USD 105.80 and 49.90). It fills in what is
        not given of `steps`, `step_output_tokens` and `tool_tokens`.
    steps, step_output_tokens, tool_tokens, reuse
        As of `Agent`, fitted to 15 published runs; all other fields as of `Agent`, but by default a
        developer reads every change.

    Raises
    ------
    ValueError
        When a field is outside its range.

    Examples
    --------
    >>> import costmodel as cm
    >>> agent = cm.uncertainty.middle(cm.CodingAgent(transfer=0.5))
    >>> round(float(agent.success()), 2)
    0.5
    """

    steps: Number = practice("coding.steps")
    step_output_tokens: Number = practice("CodingAgent.step_output_tokens")
    tool_tokens: Number = practice("CodingAgent.tool_tokens")
    tools: Number = practice("CodingAgent.tools")
    reuse: Number = practice("CodingAgent.reuse")
    transfer: Number = practice("coding.transfer")
    interactive: bool = False
    reviewed_share: Number = 1.0
    review_minutes: Number = practice("CodingAgent.review_minutes")

    def __post_init__(self) -> None:
        for name, session in INTERACTIVE.items():
            benchmark = getattr(type(self), name)
            if any(getattr(self, name) is usual for usual in (session, benchmark)):
                object.__setattr__(self, name, session if self.interactive else benchmark)
        super().__post_init__()

    def reviewer(self, case: Case) -> Any:
        return case.terms.people.engineer

    def success(self) -> Any:
        """As of an agent, times what is left of a benchmark on a repository of your own."""
        return self.transfer * super().success()
