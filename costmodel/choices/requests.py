"""What is sent to a model: a Request is Calls, a Call is Segments of a prompt and an answer."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from costmodel.core.public import public
from costmodel.core.ranges import Number
from costmodel.core.units import ROUNDING

# -- what calls a model ----------------------------------------------------------------------------


@public
@dataclass(frozen=True)
class Segment:
    """A part of the prompt; `stable` says that it repeats word for word: between requests, or, with a `reuse`, only between the
    calls of one task, where it is found in the cache with that chance (0: written, and read by the
    next call)."""

    name: str
    tokens: Number
    stable: bool = False
    reuse: Number | None = None


@public
@dataclass(frozen=True)
class Cache:
    """Prompt caching of the stable prefix: its time to live, the shortest prefix that is cached (None: the model's own
    rule), and how the traffic meets it (see `caching.prefix_hit_rate`)."""

    ttl_s: Number
    minimum_tokens: Number | None = None
    burst: Number = 1.0
    parallel: Number = 1.0
    prefixes: Number = 1.0
    replicas: Number = 1.0


@public
@dataclass(frozen=True)
class Call:
    """One model call: prompt segments, visible output and reasoning tokens, calls per request, cache.

    `reuse` is the share of these calls that follow a call of the same task at once, and so find
    its prefix cached."""

    segments: tuple[Segment, ...]
    output_tokens: Number
    reasoning_tokens: Number = 0.0
    per_request: Number = 1.0
    cache: Cache | None = None
    wait_s: Number = 0.0
    reuse: Number = 0.0

    @property
    def prompt_tokens(self) -> Any:
        return sum((s.tokens for s in self.segments), 0.0)

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
        return sum((s.tokens for s in self.segments if s.stable), 0.0)

    @property
    def shared_tokens(self) -> Any:
        """Stable tokens that all requests share."""
        return sum((s.tokens for s in self.segments if s.stable and s.reuse is None), 0.0)

    def found(self, hits: Any) -> Any:
        """Share of the stable tokens that is read from the cache, where the traffic finds `hits` of what all requests share."""
        own = sum(
            (s.tokens * s.reuse for s in self.segments if s.stable and s.reuse is not None), 0.0
        )
        return (self.shared_tokens * (self.reuse + (1 - self.reuse) * hits) + own) / np.maximum(
            self.stable_tokens, ROUNDING
        )


@public
@dataclass(frozen=True)
class Request:
    """The model calls that one request makes, in order."""

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
