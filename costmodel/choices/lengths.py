"""Lengths of prompts: how the requests of a workload differ from their mean."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from functools import cached_property
from typing import Any

import numpy as np

from costmodel.core import ROUNDING, check, frozen, one_number

CLASSES = ("instructions", "input", "output", "reasoning")  # segments of a prompt, and the answer
MISSED = 0.01  # by which shares, and means over the mean of all, may miss 1: they are rounded


@frozen
class PromptLengths:
    """How requests differ from the mean request, in groups, so that each pays its own context tier.

    A mean has one tier: where a third of the prompts is above a threshold and the mean below it, a
    mean would pay the low price for all. Agents, whose prompts grow, have lengths of their own.

    Parameters
    ----------
    shares : tuple of float, share
        Of the requests that are in each group; they add up to 1.
    instructions, input, output, reasoning : tuple of float, x
        Mean tokens of a group over the mean of all requests; empty: 1 in each group.
    why : str
        Where the groups are from.

    Raises
    ------
    ValueError
        Where a list has another length than `shares`, a number is below 0, the shares do not add
        up to 1, or the groups do not have the mean of all.

    Examples
    --------
    >>> import costmodel as cm
    >>> lengths = cm.choices.PromptLengths(shares=(0.6, 0.4), input=(0.25, 2.125))
    >>> work = cm.Workload(1_000, input_tokens=120_000, output_tokens=1, prompt_lengths=lengths)
    >>> api = cm.Api("gemini-2.5-pro", on="2026-11-01")
    >>> month = cm.Terms(months=1, start="2026-11-01")
    >>> bill = cm.explain(cm.Option(api), work, terms=month)
    >>> bill[bill.item.str.endswith("fresh input")].quantity.tolist()  # above 200,000, and up to it
    [102.0, 18.0]
    """

    shares: tuple[float, ...]
    instructions: tuple[float, ...] = ()
    input: tuple[float, ...] = ()
    output: tuple[float, ...] = ()
    reasoning: tuple[float, ...] = ()
    why: str = ""

    def __post_init__(self) -> None:
        for name in ("shares", *CLASSES):
            given, label = tuple(getattr(self, name)), f"PromptLengths.{name}"
            object.__setattr__(self, name, given)
            check(
                len(given) == len(self.shares) or (name in CLASSES and not given),
                f"{label} has {len(given)} numbers, and there are {len(self.shares)} shares; "
                "give one for each of them",
            )
            for number in given:
                one_number(label, number)
            total = np.dot(self.shares, given) if name in CLASSES and given else sum(given)
            mean = "mean by the shares is" if name in CLASSES else "sum is"
            off = abs(total - 1) > MISSED and (name == "shares" or given)
            check(not off, f"{label}: their {mean} {total:g}, it must be 1")

    @cached_property
    def weights(self) -> np.ndarray:
        """The shares, which add up to 1 also where they were rounded."""
        return np.array(self.shares) / sum(self.shares)

    def times(self, name: str) -> np.ndarray:
        """Tokens of a segment or of the answer in each group, over those of the mean request."""
        given = np.array((name in CLASSES and getattr(self, name)) or [1.0] * len(self.shares))
        return given / (self.weights @ given)

    def _prompts(self, call: Any) -> np.ndarray:
        """The prompt of each group [token], on a new last axis."""
        each = (np.asarray(s.tokens, float)[..., None] * self.times(s.name) for s in call.segments)
        return sum(each, np.zeros(len(self.shares)))

    def longest(self, call: Any) -> Any:
        """Prompt and answer of the longest group [token]."""
        answer = np.asarray(call.output_tokens, float)[..., None] * self.times("output")
        thought = np.asarray(call.reasoning_tokens, float)[..., None] * self.times("reasoning")
        return (self._prompts(call) + answer + thought)[..., np.array(self.shares) > 0].max(axis=-1)

    def between(self, call: Any, starts: Sequence[float]) -> Iterator[tuple[float, Any, Any]]:
        """(start, share of the calls, mean call) of each range of prompt lengths that occurs;
        `starts` ascend from 0.
        """
        prompts = self._prompts(call)
        group = np.searchsorted(starts[1:], prompts)
        for k, start in enumerate(starts):
            weights = np.where(group == k, self.weights, 0.0)
            share = weights.sum(axis=-1)
            if np.any(share > 0):
                yield (
                    start,
                    share,
                    self._mean(call, weights / np.maximum(share, ROUNDING)[..., None]),
                )

    def _mean(self, call: Any, weights: np.ndarray) -> Any:
        """The mean call of some of the groups."""
        segments = (
            replace(s, tokens=s.tokens * (weights @ self.times(s.name))) for s in call.segments
        )
        return replace(
            call,
            segments=tuple(segments),
            output_tokens=call.output_tokens * (weights @ self.times("output")),
            reasoning_tokens=call.reasoning_tokens * (weights @ self.times("reasoning")),
            lengths=None,
        )
