"""What is sent to a model: a Request is Calls, a Call is Segments of a prompt and an answer."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from costmodel.choices.lengths import PromptLengths
from costmodel.core import ROUNDING, Number, floats, frozen
from costmodel.laws.agents import WEIGHTS, calls_below
from costmodel.laws.caching import prefix_hit_rate

Limits = Iterator[tuple[Any, str]]  # by how much a call is over, the reason with {over} to fill in


@frozen
class Segment:
    """A part of the prompt.

    Parameters
    ----------
    name : str
        What it holds.
    tokens : number, token
        How long it is.
    stable : bool
        Whether it repeats word for word, between requests or between the calls of one task.
    kind : {"text", "image", "audio"}
        What is sent, for models that price it apart.
    reuse : number, share, optional
        None: it repeats between requests. Otherwise it repeats only between the calls of one task,
        and this is the chance to find it in the cache (0: written, and read by the next call).

    Examples
    --------
    >>> import costmodel as cm
    >>> system = cm.ledgers.Segment("system prompt", 1_500, stable=True)
    >>> call = cm.ledgers.Call((system, cm.ledgers.Segment("question", 80)), output_tokens=200)
    >>> call.stable_tokens, call.prompt_tokens
    (1500.0, 1580.0)
    """

    name: str
    tokens: Number
    stable: bool = False
    reuse: Number | None = None
    kind: str = "text"


@frozen
class Cache:
    """Prompt caching of the stable prefix, and how the traffic meets it (see `prefix_hit_rate`).

    Parameters
    ----------
    ttl_s : number, s
        Time to live.
    minimum_tokens : number, token, optional
        The shortest prefix that is cached; None is the rule of the model.
    burst, parallel, prefixes, replicas : number
        Arrivals at once, calls in parallel, prefixes that share the traffic, caches that do.

    Examples
    --------
    >>> import costmodel as cm
    >>> five_minutes = cm.ledgers.Cache(ttl_s=300)
    >>> [round(float(five_minutes.hit_rate(per_s)), 2) for per_s in (0.001, 0.01, 1)]
    [0.26, 0.95, 1.0]
    """

    ttl_s: Number
    minimum_tokens: Number | None = None
    burst: Number = 1.0
    parallel: Number = 1.0
    prefixes: Number = 1.0
    replicas: Number = 1.0

    def hit_rate(self, arrivals_per_s: Any) -> Any:
        """Share of the calls that find the prefix."""
        return prefix_hit_rate(
            arrivals_per_s, self.ttl_s, self.burst, self.parallel, self.prefixes, self.replicas
        )


HISTORY, NEW = "history", "new since the last step"  # the segments of a growing prompt


@frozen
class Growth:
    """How the prompt grows from call to call of one task, so that each is priced at its length.

    Parameters
    ----------
    added, limit, kept, kept_per_step : number, token
        What a call adds to the history, where the history is cut, and what is left then: the same
        each time, and of each step before.
    lengths : array, count
        Calls of a task along the distribution of tasks, on a last axis of 41 points.
    history : number, token
        Mean history of a call.

    Examples
    --------
    >>> import numpy as np
    >>> grown = Growth(1_000.0, 1e12, 0.0, 0.0, np.full((1, 41), 10.0), 4_500.0)
    >>> [round(float(x[0]), 6) for x in grown.below(3_500.0)]  # calls, and their history
    [4.0, 6000.0]
    """

    added: Number
    limit: Number
    kept: Number
    kept_per_step: Number
    lengths: Any
    history: Number

    def below(self, history: Any) -> tuple[Any, Any]:
        """(calls, history tokens) of a mean task with at most so much history."""
        most, added, *cut = (
            floats(x)[..., None]
            for x in (history, self.added, self.limit, self.kept, self.kept_per_step)
        )
        found = calls_below(most, added, self.lengths, *cut)
        return found[0] @ WEIGHTS, found[1] @ WEIGHTS


@frozen
class Call:
    """One model call.

    Parameters
    ----------
    segments : tuple of Segment
        The prompt.
    output_tokens, reasoning_tokens : number, token
        The visible answer, and hidden reasoning.
    per_request : number
        Calls of this kind per request.
    cache : Cache, optional
        How its stable prefix is cached; None is not at all.
    reuse : number, share
        Share of these calls that follow a call of the same task at once, and so find its prefix
        cached.
    growth : Growth, optional
        How the prompt grows between the calls of a task, of which this is the mean.
    lengths : PromptLengths, optional
        How the calls differ from this mean, where they do not grow.

    Examples
    --------
    >>> import costmodel as cm
    >>> system = cm.ledgers.Segment("system prompt", 1_500, stable=True)
    >>> call = cm.ledgers.Call((system,), output_tokens=200, reasoning_tokens=300)
    >>> call.prompt_tokens, call.generated_tokens, call.tokens
    (1500.0, 500, 2000.0)
    """

    segments: tuple[Segment, ...]
    output_tokens: Number
    reasoning_tokens: Number = 0.0
    per_request: Number = 1.0
    cache: Cache | None = None
    reuse: Number = 0.0
    growth: Growth | None = None
    lengths: PromptLengths | None = None

    @property
    def prompt_tokens(self) -> Any:
        """All segments."""
        return sum((s.tokens for s in self.segments), 0.0)

    def tokens_of(self, kind: str) -> Any:
        """Tokens of the prompt that are images, or audio."""
        return sum((s.tokens for s in self.segments if s.kind == kind), 0.0)

    @property
    def generated_tokens(self) -> Any:
        """Visible output and reasoning."""
        return self.output_tokens + self.reasoning_tokens

    @property
    def tokens(self) -> Any:
        """Everything that the model holds at the end of the call."""
        return self.prompt_tokens + self.generated_tokens

    @property
    def most_tokens(self) -> Any:
        """Everything that the model holds at the end of the longest calls whose length is known."""
        return self.lengths.longest(self) if self.lengths else self.tokens

    @property
    def stable_tokens(self) -> Any:
        """Segments that repeat, between requests or inside a task."""
        return sum((s.tokens for s in self.segments if s.stable), 0.0)

    @property
    def shared_tokens(self) -> Any:
        """Stable tokens that all requests share."""
        return sum((s.tokens for s in self.segments if s.stable and s.reuse is None), 0.0)

    def found(self, hits: Any) -> Any:
        """Share of the stable tokens that is read from the cache, where the traffic finds `hits`.

        `hits` is the share found of what all requests have in common.
        """
        shared = self.shared_tokens * (self.reuse + (1 - self.reuse) * hits)
        own = [s for s in self.segments if s.stable and s.reuse is not None]
        found = sum((s.tokens * s.reuse for s in own), shared)
        return found / np.maximum(self.stable_tokens, ROUNDING)


def by_prompt(call: Call, starts: Sequence[float]) -> Iterator[tuple[float, Any, Call]]:
    """(start, share of the calls, mean call) of each range of prompt lengths; `starts` ascend from
    0."""
    grown, lengths = call.growth, call.lengths
    if lengths and not grown and len(starts) > 1:
        yield from lengths.between(call, starts)
        return
    if grown is None or len(starts) == 1:
        yield 0.0, 1.0, call
        return
    fixed = call.prompt_tokens - grown.history
    before: tuple[Any, Any] = (0.0, 0.0)
    total = grown.lengths @ WEIGHTS
    ends = [grown.below(start - fixed) for start in starts[1:]]
    for start, upto in zip(starts, [*ends, (total, grown.history * total)], strict=True):
        count, tokens = (np.maximum(a - b, 0.0) for a, b in zip(upto, before, strict=True))
        before = upto
        if np.any(count > 0):
            yield start, count / total, _with_history(call, tokens / np.maximum(count, ROUNDING))


def _with_history(call: Call, tokens: Any) -> Call:
    """A call with another mean history, of which no more than the whole is new."""
    new = {s.name: s.tokens for s in call.segments}[NEW]
    lengths = {NEW: np.minimum(new, tokens), HISTORY: np.maximum(tokens - new, 0.0)}
    segments = (
        replace(s, tokens=lengths[s.name]) if s.name in lengths else s for s in call.segments
    )
    return replace(call, segments=tuple(segments), growth=None)


@frozen
class Request:
    """The model calls that one request makes, in order.

    Parameters
    ----------
    calls : tuple of Call
        The call that answers comes first.

    Examples
    --------
    >>> import costmodel as cm
    >>> work = cm.Workload(1_000, instruction_tokens=600, input_tokens=900, output_tokens=250)
    >>> request = work.request().add(cm.ledgers.Segment("passages", 2_000))
    >>> request.main.prompt_tokens
    3500.0
    """

    calls: tuple[Call, ...]

    @property
    def main(self) -> Call:
        """The call that answers; what helps it (summaries, sub-agents) comes after it."""
        return self.calls[0]

    def add(self, segment: Segment) -> Request:
        """The request with a segment more in the prompt of every call."""
        return Request(tuple(replace(c, segments=(*c.segments, segment)) for c in self.calls))

    def each(self, **changes: Any) -> Request:
        """The request with fields of every call replaced."""
        return Request(tuple(replace(c, **changes) for c in self.calls))
