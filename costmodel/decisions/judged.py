"""What judging n answers of some options is expected to tell, by the draws of a study.

Each draw has its share of answers that a judge accepts, so the chance of every count is known: what
an option costs after the counts is the mean over the draws, weighted by that chance. Draws of
almost the same share go as one where one option is judged. `pilots` says which plans are worth it.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property
from typing import Any, NamedTuple
from zlib import crc32

import numpy as np

from costmodel.choices.study import Study
from costmodel.core import kept
from costmodel.decisions.information import SURE, clipped, controlled, foretold
from costmodel.laws.quality import logit

OUTCOMES = 500  # of a plan of several options that are drawn
DRAWN = 5_000  # draws for which counts are drawn
IN_BANDS = 2_000  # draws of which the bands after it are told
ANGLE = 1 / 600  # shares that lie together: a third of what 10,000 answers leave unsure
AT_ONCE = 500_000  # weights held in memory
ROUNDING = 1e-6  # of a chance
Plan = tuple[int, ...]  # columns of the draws


class Told(NamedTuple):
    """What a pilot is expected to tell: its value and the standard error of it [USD], how often it
    changes the choice and settles the floor, the band of the first option after it [points], and
    what is saved after each outcome of the first draws [USD]."""

    usd: float
    error: float
    changes: float
    settles: float
    band: float
    saved: np.ndarray


@dataclass(frozen=True, eq=False)
class Judged:
    """The draws on which pilots are tried: a row a draw, and a column an option.

    `cost` [USD] and `share` accepted are those of the horizon; `today` is the share of the answers
    of today, and `seen` what a judge accepts of them.
    """

    study: Study
    labels: list[str]
    sizes: list[int]
    cost: np.ndarray
    share: np.ndarray
    today: np.ndarray
    seen: np.ndarray

    @cached_property
    def reaches(self) -> np.ndarray:
        """Whether an option reaches the floor."""
        return self.share >= (self.study.quality_floor or 0.0)

    def settled(self, chances: np.ndarray) -> Any:
        """Whether some option is eligible with these chances to reach the floor, by row."""
        return np.any(chances >= self.study.confidence - ROUNDING, axis=-1)

    def told(self, plan: Plan, n: int) -> Told:
        """What n answers of each option of a plan are expected to tell."""
        every = len(plan) == 1  # count there is, or those of the first draws
        some = slice(DRAWN if every else OUTCOMES)
        drawn = self.counted(plan, n)[some]
        if every:
            own, (after, chance) = drawn[:, 0], self._after_each_count(plan[0], n)
        else:
            own, after, chance = np.arange(len(drawn)), self._after_drawn(plan, drawn, n), None
        many = len(self.labels)
        expected, reached, accepted = np.split(after, [many, 2 * many], axis=1)
        chosen, cost = expected.argmin(axis=1), self.cost[some]
        saved = cost[:, self._best] - cost[np.arange(len(cost)), chosen[own]]
        tells = [-expected.min(axis=1), chosen != self._best, self.settled(reached)]
        if every:
            means, errors = chance @ np.column_stack(tells), np.zeros(3)
        else:
            means, errors = controlled(np.column_stack(tells), expected, self._dearer)
        error = np.hypot(saved.std(ddof=1) / np.sqrt(len(self.cost)), errors[0])
        changes, settles = means[1:].clip(0, 1)
        left = self.share[some][:IN_BANDS, plan[0]] - accepted[own[:IN_BANDS], 0]
        of_first = tells[0][own[:OUTCOMES]]
        return Told(max(means[0], 0.0), error, changes, settles, bands_of(left), of_first)

    def counted(self, plan: Plan, n: int) -> np.ndarray:
        """What a judge accepts of n answers of each option of a plan, in the first draws."""
        return np.column_stack([self._counts(i)[n] for i in plan])

    def saves_about(self, plan: Plan, n: int) -> float:
        """What n answers of each option of a plan save: by a regression on drawn counts
        (Strong et al. 2015, Med Decis Making 35:570)."""
        gaps = self._gaps(list(2 * self.counted(plan, n).T / n - 1))
        return -float(self._clipped[np.arange(len(gaps)), gaps.argmin(axis=1)].mean())

    @cached_property
    def _best(self) -> int:
        """The option of the least expected cost."""
        return int(self.cost.mean(axis=0).argmin())

    @cached_property
    def _dearer(self) -> np.ndarray:
        """What each option is expected to cost more than that."""
        return self.cost.mean(axis=0) - self.cost.mean(axis=0)[self._best]

    def _gaps(self, inputs: list[np.ndarray]) -> np.ndarray:
        """What each option costs more than the best, as far as inputs from -1 to 1 say it."""
        told = foretold(inputs, self._clipped[: len(inputs[0])])
        return told - told.mean(axis=0) + self._dearer

    @cached_property
    def _clipped(self) -> np.ndarray:
        """What each option costs more than the best in each draw, without the far tails."""
        return clipped(self.cost - self.cost[:, [self._best]])

    @cached_property
    def _places(self) -> np.ndarray:
        """Where the share of today lies among those of all draws, -1 to 1."""
        least, most = self.today.min(axis=0), self.today.max(axis=0)
        return 2 * (self.today - least) / np.maximum(most - least, SURE) - 1

    def _counts(self, i: int) -> dict[int, np.ndarray]:
        """By number of answers, what a judge accepts of an option; many contain the few."""

        def drawn(self: Judged) -> dict[int, np.ndarray]:
            seed = self.study.seed, crc32(f"pilot {self.labels[i]}".encode())
            rng, steps = np.random.default_rng(seed), np.diff([0, *self.sizes])
            more = [rng.binomial(step, self.seen[:DRAWN, i]) for step in steps]
            return dict(zip(self.sizes, np.cumsum(more, axis=0), strict=True))

        return kept(self, f"counts of {i}", drawn)

    def _known(self, plan: Plan) -> tuple[np.ndarray, np.ndarray]:
        """What is known of each draw: the gaps, which options reach the floor, the share accepted
        of the first option of a plan, and a one; and what its chance is made of: the log odds of
        each option of the plan, which count for each answer accepted, and what each answer counts
        whatever is said of it."""

        def found(self: Judged) -> tuple[np.ndarray, np.ndarray]:
            gaps, seen = self._gaps([self._places[:, i] for i in plan]), self.seen[:, plan]
            known = np.column_stack(
                [gaps, self.reaches, self.share[:, plan[0]], np.ones(len(seen))]
            )
            return known, np.column_stack([logit(seen), np.log1p(-seen).sum(axis=1)])

        return kept(self, f"known of {plan}", found)

    def _alike(self, i: int) -> tuple[np.ndarray, np.ndarray]:
        """Draws in groups of almost the same share of an option: the sums of what is known, and
        the mean of what their chance is made of."""

        def grouped(self: Judged) -> tuple[np.ndarray, np.ndarray]:
            angle = np.arcsin(np.sqrt(self.seen[:, i])) // ANGLE
            order = np.argsort(angle, kind="stable")
            first = np.flatnonzero(np.diff(angle[order], prepend=-1.0))
            known, chances = (np.add.reduceat(x[order], first) for x in self._known((i,)))
            return known, chances / known[:, -1:]

        return kept(self, f"alike in {i}", grouped)

    def _after_each_count(self, i: int, n: int) -> tuple[np.ndarray, np.ndarray]:
        """The mean of what is known after each count of 0 to n of an option, and its chance."""
        from scipy.special import betaln

        counts = np.arange(n + 1)
        after, likely = _weighted(*self._alike(i), counts[:, None], n)
        chance = likely - betaln(counts + 1, n - counts + 1)
        chance = np.exp(chance - chance.max())  # but for a factor
        return after, chance / chance.sum()

    def _after_drawn(self, plan: Plan, drawn: np.ndarray, n: int) -> np.ndarray:
        """The mean of what is known after each row of drawn counts of the options of a plan."""
        known, chances = self._known(plan)
        rough = np.float32 if np.abs(known).max() < 1e30 else np.float64  # as drawn counts are
        return _weighted(known.astype(rough), chances.astype(rough), drawn, n)[0]


def _weighted(
    known: np.ndarray, chances: np.ndarray, counts: np.ndarray, n: int
) -> tuple[np.ndarray, np.ndarray]:
    """The mean of what is known after the counts of each row, weighted by the chance of the draws,
    and the logarithm of the chance of that row, but for a term of its counts alone.

    `known` has a row a draw, or the sums of a group of them; its last column is how many they are.
    """
    counts = np.column_stack([counts, np.full(len(counts), n)]).astype(known.dtype)
    sums, most = [], []
    for part in np.array_split(counts, 1 + len(counts) * len(known) // AT_ONCE):
        weights = part @ chances.T
        most.append(weights.max(axis=1, keepdims=True))
        np.exp(np.subtract(weights, most[-1], out=weights), out=weights)
        sums.append(weights @ known)
    after, total = np.split(np.concatenate(sums).astype(float), [-1], axis=1)
    return after / total, (np.concatenate(most) + np.log(total))[:, 0]


def bands_of(x: np.ndarray) -> Any:
    """Width of the 80 % band of each column [points]."""
    return 100 * np.ptp(np.percentile(x, (10, 90), axis=0), axis=0)
