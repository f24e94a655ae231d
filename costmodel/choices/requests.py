"""What is sent to a model: a Request is Calls, a Call is Segments of a prompt and an answer."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from typing import Any

import numpy as np

from costmodel.core import ROUNDING, Number, frozen
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
