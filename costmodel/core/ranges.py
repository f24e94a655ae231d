"""Doubt: a number that is not known exactly, as a `Range` or as `Measured`.

Either one can stand wherever a number can. It stays a doubt until `costmodel.core.draws` replaces
it, so that equations see only floats and arrays: `middle` puts its median there, `sample` an array
of draws. A doubt only says which value lies at which probability (`quantile`); its draws come from
its key.
"""

from __future__ import annotations

import dataclasses
from functools import cached_property
from typing import TYPE_CHECKING, Any, ClassVar, Union

import numpy as np

from costmodel.core.errors import check, in_words
from costmodel.core.forms import FORMS, Z90, check_texts, form_of, is_one_number, middle_of
from costmodel.core.public import frozen
from costmodel.core.units import LARGEST

STEPS = 2_000  # of a posterior that is summed
JUDGES = 40  # agreements that stand for a Range of them
TRIALS_MAX = 10**12  # of an evaluation
MIN_TRIALS = 0.01  # of an evaluation that says hardly anything


@frozen
class Range:
    """A doubt: "I am 90 % sure that it lies between low and high".

    The form says how the draws spread:

    - "amount": lognormal, so that no draw is negative;
    - "share": logit-normal, so that no draw leaves 0 to 1;
    - "change": lognormal in 1 + change, so that no draw falls below -100 %;
    - "signed": normal;
    - "index": logit-normal, so that no draw of an index of capability leaves 0 to 70.

    Each side of the median keeps its own spread.

    Parameters
    ----------
    low, high : float
        The ends, in the unit of the field; low must not exceed high.
    mid : float, optional
        The median, between low and high. Without it the middle on the scale of the form:
        sqrt(low x high) for an amount.
    level : float
        How sure you are that the value lies between the ends, above 0 and below 1.
    name : str, optional
        The key of the draws: two Ranges with one name have the same draws.
    form : str, optional
        "amount", "share", "change", "signed" or "index". Without it the ends decide: a share from 0
        to below 1, else an amount from 0, else a change above -1, else signed. A field can correct
        this guess.
    source, why : str
        Where the doubt comes from: an id of data/facts/sources.csv, and a reason.
    driver, loading : str, float
        What moves this doubt together with others, and how strongly, -1 to 1. Two doubts with the
        loadings a and b on one driver have the correlation a x b of a normal copula.

    Raises
    ------
    ValueError
        Where an end is not finite or not allowed in the form, or another argument is out of bounds.

    Examples
    --------
    >>> round(Range(50, 150).mid, 3)
    86.603
    >>> [round(float(x), 3) for x in Range(50, 150).quantile(np.array([0.05, 0.5, 0.95]))]
    [50.0, 86.603, 150.0]
    >>> Range(2, 1)
    Traceback (most recent call last):
    ValueError: Range(2, 1): low must not exceed high
    """

    low: float
    high: float
    mid: float = None  # type: ignore[assignment]  # filled in below
    level: float = 0.90
    name: str | None = None
    form: str = None  # type: ignore[assignment]  # filled in below
    source: str = ""
    why: str = ""
    driver: str | None = None
    loading: float = 0.0
    # set for each Range, and no fields: files and comparisons of Ranges do not see them
    form_was_guessed: ClassVar[bool]
    mid_was_given: ClassVar[bool]

    def __post_init__(self) -> None:
        low, high = self.low, self.high
        label = f"Range({in_words(low)}, {in_words(high)})"
        finite = all(is_one_number(x) and abs(x) <= LARGEST for x in (low, high))
        check(finite, f"{label}: both ends must be finite numbers")
        check(low <= high, f"{label}: low must not exceed high")
        check(
            is_one_number(self.level) and 0 < self.level < 1,
            f"{label}: level is {in_words(self.level)}, allowed is between 0 and 1",
        )
        check_texts(label, self)
        vars(self).update(form_was_guessed=self.form is None, mid_was_given=self.mid is not None)
        form = form_of(low, high) if self.form is None else self.form
        check(
            isinstance(form, str) and form in FORMS,
            f"{label}: form is {in_words(form)}, allowed are {', '.join(FORMS)}",
        )
        middle = middle_of(label, low, high, FORMS[form])
        mid = middle if self.mid is None else self.mid
        check(
            is_one_number(mid) and low <= mid <= high,
            f"{label}: mid is {in_words(mid)}, it must lie between low and high",
        )
        vars(self).update(form=form, mid=mid)

    def for_unit(self, unit: str) -> Range:
        """Reinterpret a guessed form by the unit of the field.

        Range(0.2, 0.8) is a share in a share field and an amount elsewhere: 20 to 80 cents are no
        share.
        """
        if not self.form_was_guessed or self.low == self.high:
            return self
        known: Any = self.mid if self.mid_was_given else None
        if unit == "index":
            return dataclasses.replace(self, form="index", mid=known)
        if self.form != "share" or unit.startswith("share"):
            return self
        return dataclasses.replace(self, form="amount", mid=known)

    def quantile(self, u: Any) -> Any:
        """The value at probability u, 0 to 1, of any shape."""
        if self.low == self.high:
            return self.low
        from scipy.special import ndtri

        return self.at_z(ndtri(np.asarray(u, float)))

    def at_z(self, z: np.ndarray) -> Any:
        """The value at the standard normal quantile z, of any shape."""
        to_normal, back, *_ = FORMS[self.form]
        low, mid, high = (to_normal(np.float64(x)) for x in (self.low, self.mid, self.high))
        end = self.z_of_end
        below, above = (mid - low) / end, (high - mid) / end
        return back(mid + z * (below if below == above else np.where(z < 0, below, above)))

    @property
    def z_of_end(self) -> float:
        """How many standard deviations lie between the median and an end."""
        if self.level == 0.90:
            return Z90
        from scipy.special import ndtri

        return float(ndtri((1 + self.level) / 2))


@frozen
class Measured:
    """The result of your own evaluation: how many answers were accepted of how many.

    Its doubt is the Jeffreys posterior, Beta(accepted + 1/2, trials - accepted + 1/2) (Brown, Cai
    and DasGupta 2001, section 3.1.3), its middle the median of it: 10 of 10 is no proof of 100 %.
    In a study, the quality that follows from task, model and techniques is the prior in place of
    Jeffreys': 3 of 3 says little then, and hundreds of answers say what they say alone.

    Two evaluations err apart, also where their counts are equal. Give both one `name` where they
    are one evaluation, such as that of an option at two prices; use `paired` where both options
    answered the same questions. Outside a study, equal counts of one field are one evaluation.

    Parameters
    ----------
    accepted : float
        Answers accepted, 0 to `trials`: a count, not a share.
    trials : float
        Answers judged, above 0.
    name : str, optional
        The key of the draws: evaluations with one name err together.
    driver, loading : str, float
        What moves this evaluation together with others, and how strongly, -1 to 1; see `Range`.
    agreement : number or Range, 0.501 to 1
        Share of the cases in which who judged says what counts: a model or a hurried reader errs,
        so that a p + (1 - a) (1 - p) are accepted. 1: their word is what counts.

    Raises
    ------
    ValueError
        Where `accepted` is a share or outside 0 to `trials`, or the agreement is out of range.

    Examples
    --------
    >>> round(Measured(68, 100).mid, 3), round(Measured(10, 10).mid, 3)
    (0.679, 0.978)
    >>> round(Measured(68, 100, agreement=0.9).mid, 2)  # a perfect judge would accept more
    0.73
    >>> [round(float(x), 2) for x in Measured(68, 100).quantile(np.array([0.05, 0.95]))]
    [0.6, 0.75]
    """

    accepted: float
    trials: float
    name: str | None = None
    driver: str | None = None
    loading: float = 0.0
    agreement: Number = 1.0
    posterior: ClassVar[Any] = None  # chances and shares, where a study has a law as the prior

    def __post_init__(self) -> None:
        accepted, trials, judge = self.accepted, self.trials, self.agreement
        label = f"Measured({in_words(accepted)}, {in_words(trials)})"
        counts = is_one_number(accepted) and is_one_number(trials)
        if counts and 0 < accepted < 1 < trials:
            meant = f"Measured({round(accepted * trials):g}, {trials:g})"
            raise ValueError(f"{label}: accepted is a count; a share of {accepted:g} is {meant}")
        check(
            counts and 0 < trials <= TRIALS_MAX and 0 <= accepted <= trials,
            f"{label}: accepted must lie between 0 and trials, trials above 0, up to "
            f"{TRIALS_MAX:,}",
        )
        ends = (judge.low, judge.high) if isinstance(judge, Range) else (judge, judge)
        check(
            all(is_one_number(x) and 0.501 <= x <= 1 for x in ends),
            f"{label}: agreement is {in_words(judge)}, allowed is between 0.501 and 1",
        )
        check_texts(label, self)

    @classmethod
    def pooled(cls, *evaluations: Measured, name: str | None = None) -> Measured:
        """Several evaluations of one option as one: their counts add up.

        Widen those of another time or population first.

        Examples
        --------
        >>> Measured.pooled(Measured(82, 100), Measured(70, 100).widened(0.5)).trials
        115.9...
        """
        judges = {x.agreement for x in evaluations}
        check(
            len(judges) == 1,
            "pooled: the evaluations were judged with different agreements; give all of them one",
        )
        right, trials = (sum(getattr(x, f) for x in evaluations) for f in ("accepted", "trials"))
        return cls(right, trials, name, agreement=judges.pop())

    def widened(self, log_odds: float) -> Measured:
        """The evaluation as evidence on other questions, which differ by so much (one deviation).

        Fewer answers that say as little: var(logit) = 1 / (n p (1 - p)) + log_odds^2. Some 0.2 for
        last year's traffic, 0.5 and more for another population (assumptions).

        Parameters
        ----------
        log_odds : float, at least 0
            Standard deviation between the questions judged and yours.

        Examples
        --------
        >>> Measured(160, 200).widened(0.3).trials
        51.3...
        """
        check(log_odds >= 0, f"widened: log_odds is {log_odds!r}, allowed is at least 0")
        p = (self.accepted + 0.5) / (self.trials + 1)
        trials = 1 / (p * (1 - p)) / (1 / (self.trials * p * (1 - p)) + log_odds**2)
        return dataclasses.replace(
            self, accepted=self.accepted / self.trials * trials, trials=trials
        )

    @classmethod
    def paired(
        cls,
        both: float,
        only_first: float,
        only_second: float,
        neither: float,
        name: str | None = None,
    ) -> tuple[Measured, Measured]:
        """The evaluations of two options that answered the same questions, counted question by
        question.

        What is hard for one is mostly hard for the other. The correlation is that of the posterior
        Dirichlet(counts + 1/4), whose margins are the Jeffreys posteriors, in a normal copula: the
        chance that the first is better is met within 2 points from some 50 questions on.

        Parameters
        ----------
        both, only_first, only_second, neither : float
            Questions to which the answers of both, of one, or of none were accepted.
        name : str, optional
            What the draws are named by; two pairs need two names where all four counts are equal.

        Raises
        ------
        ValueError
            Where a count is below 0, or all are 0.

        Examples
        --------
        >>> first, second = Measured.paired(80, 8, 3, 9)
        >>> first.accepted, second.accepted, first.trials, round(first.loading**2, 2)
        (88, 83, 100, 0.56)
        """
        counts = both, only_first, only_second, neither
        label = f"Measured.paired{counts}"
        check(
            all(is_one_number(x) and 0 <= x < np.inf for x in counts) and sum(counts) > 0,
            f"{label}: each of the four must be a count of questions from 0, not all 0",
        )
        a, b, c, d = (x + 0.25 for x in counts)
        phi = (a * d - b * c) / np.sqrt((a + b) * (c + d) * (a + c) * (b + d))
        name = f"paired {'/'.join(f'{x:g}' for x in counts)}" if name is None else name
        trials, loading = sum(counts), float(np.sqrt(abs(phi)))
        return (
            cls(both + only_first, trials, f"{name}: first", name, loading),
            cls(
                both + only_second,
                trials,
                f"{name}: second",
                name,
                float(np.copysign(loading, phi)),
            ),
        )

    @property
    def mid(self) -> float:
        """The median of the posterior."""
        return float(self.quantile(0.5))

    @property
    def low(self) -> float:
        """The low end of the 90 % band."""
        return float(self.quantile(0.05))

    @property
    def high(self) -> float:
        """The high end of the 90 % band."""
        return float(self.quantile(0.95))

    def quantile(self, u: Any) -> Any:
        """The share at probability u, 0 to 1, of any shape."""
        from scipy.special import betaincinv

        if self.posterior is not None:
            return np.interp(np.asarray(u, float), *self.posterior)
        if self.agreement != 1:
            return np.interp(np.asarray(u, float), *self._erring)
        failed = self.trials - self.accepted
        return betaincinv(self.accepted + 0.5, failed + 0.5, np.asarray(u, float))

    @cached_property
    def _erring(self) -> tuple[np.ndarray, np.ndarray]:
        """Probabilities and shares of the posterior after a judge who errs: the Jeffreys prior, in
        equal steps of the angle, weighted by the chance of the counts."""
        from scipy.special import xlog1py, xlogy

        judge: Any = np.array([self.agreement])
        if isinstance(self.agreement, Range):
            judge = self.agreement.quantile((np.arange(JUDGES) + 0.5) / JUDGES)
        share = np.sin(np.linspace(0, np.pi / 2, STEPS)) ** 2
        seen = 1 - judge[:, None] + (2 * judge[:, None] - 1) * share
        fit = xlogy(self.accepted, seen) + xlog1py(self.trials - self.accepted, -seen)
        density = np.exp(fit - fit.max()).sum(axis=0)
        sums = np.cumsum(density) - density / 2
        return sums / density.sum(), share

    def after(self, share: np.ndarray) -> Measured:
        """The evaluation with these draws as its doubt: what a law and its counts say together."""
        made, n = dataclasses.replace(self), len(share)
        vars(made).update(posterior=((np.arange(n) + 0.5) / n, np.sort(share)))
        return made

    def by_people(self) -> Measured:
        """The evaluation of judges who do not err that says as much: its mean and its variance.

        >>> round(Measured(68, 100, agreement=0.9).by_people().trials)
        57
        """
        if self.agreement == 1:
            return self
        share = self.quantile((np.arange(STEPS) + 0.5) / STEPS)
        p = share.mean()
        trials = max(p * (1 - p) / share.var() - 2, MIN_TRIALS)
        accepted = float(np.clip(p * (trials + 1) - 0.5, 0, trials))
        return dataclasses.replace(self, accepted=accepted, trials=float(trials), agreement=1.0)


def assumed(low: float, mid: float, high: float, why: str, **more: Any) -> Range:
    """A Range that rests on no source, and says so.

    >>> assumed(2, 3, 8, "minutes to find the right passage").why
    'assumption: minutes to find the right passage'
    """
    return Range(low, high, mid=mid, why=f"assumption: {why}", **more)


@dataclasses.dataclass(frozen=True)
class Usual:
    """A number that nobody has given: what is usual, to be scaled where it is used.

    It is a mark that stays on when draws or a sweep replace the number inside. A number that a user
    gives has no mark, and is used as it is.
    """

    value: Any
    by: str  # the name of what scales it, or "" where something else takes its place


def unmarked(value: Any) -> Any:
    """The number inside a mark, or the value itself.

    >>> unmarked(Usual(0.3, "upkeep_factor")), unmarked(0.2)
    (0.3, 0.2)
    """
    return value.value if isinstance(value, Usual) else value


Doubt = (Range, Measured)
_NUMBERS = (int, float, np.number, np.ndarray, np.lib.mixins.NDArrayOperatorsMixin, *Doubt)
if TYPE_CHECKING:
    Number = Any  # a field holds a doubt until `middle` or `sample` puts a number there
else:
    Number = Union[float, np.ndarray, Range, Measured]


def is_number(value: Any) -> bool:
    """Whether a value counts as a number of a field: a float, an array of draws, or a doubt."""
    return isinstance(value, _NUMBERS) and not isinstance(value, bool)
