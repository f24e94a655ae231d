"""The bands of serving, from errors of measurements that a fit had not seen.

The band of a kind is the 10th and 90th percentile of measured over predicted for combinations of
model, GPU and engine that were left out. An engine that scatters more than its kind has a wider one
of its own. What nobody has measured widens it: by leaving out each model, GPU, engine and source in
turn, the factor on the band that holds 80 % of what was left out, for one more of them. Every
number of a kind is its own as far as it has groups, models, GPUs ..., and borrows the rest from all
kinds. Architectures without a row (hybrids) have the band of whole architectures left out.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from itertools import product
from typing import Any

import numpy as np
import pandas as pd
from scipy.stats import norm, t

from costmodel.facts import catalog
from costmodel.laws.serving.calibration import ENGINES, KINDS, STACKS, UNSEEN, makers
from costmodel.validation.training import quantile

BAND = (0.10, 0.50, 0.90)
INSIDE = 0.8
LEAST = 1.02  # an assumption: what nobody has measured widens a band by 2 % at least
LEVELS = dict(zip(("model", "gpu", "engine", "table"), UNSEEN, strict=True))
RATIO_OF = {
    "tpot_s": "tpot_ratio",
    "ttft_s": "ttft_ratio",
    "output_tokens_per_s": "throughput_ratio",
}
HYBRID = KINDS[-1]
# rows whose errors make the band of a kind: dense in four bits are few, so all dense ones
ALIKE = {"four_bit": ("dense", "four_bit"), HYBRID: ("mixture", HYBRID)}


@dataclass(frozen=True)
class Rows:
    """What the bands need of a table of measurements, as arrays."""

    table: pd.DataFrame
    metric: np.ndarray
    kind: np.ndarray
    engine: np.ndarray
    tuned: np.ndarray
    banded: np.ndarray  # rows whose errors make bands: no whole batches, no bare engine
    code: dict[str, np.ndarray]  # by what is left out: the number of its group, model ...

    @classmethod
    def of(cls, table: pd.DataFrame) -> Rows:
        bare = table["family"].eq("trtllm-first-token")
        left_out = ("group", "architecture", "release", *LEVELS)
        return cls(
            table,
            *(table[name].to_numpy(str) for name in ("metric", "kind", "engine")),
            (table["stack"] == STACKS[0]).to_numpy(),
            (table["metric"].isin(RATIO_OF) & ~bare).to_numpy(),
            {name: pd.factorize(table[name])[0] for name in left_out},
        )

    def alike(self, kind: str, metric: str) -> np.ndarray:
        """Rows whose errors make the band of a kind."""
        return np.isin(self.kind, ALIKE.get(kind, (kind,))) & (self.metric == metric) & self.banded

    def even(self, rows: np.ndarray) -> np.ndarray:
        """Weights between those of rows and those of groups: both shall be covered."""
        code = self.code["group"][rows]
        return np.bincount(code)[code] ** -0.5

    def count(self, level: str, rows: np.ndarray) -> int:
        """Models, GPUs ... of some rows."""
        return len(np.unique(self.code[level][rows]))


def ends(rows: Rows, error: np.ndarray, keep: np.ndarray) -> np.ndarray:
    """10th, 50th, 90th percentile of the rows to keep."""
    return np.array([quantile(error[keep], rows.even(keep), share) for share in BAND])


def needed(error: np.ndarray, band: np.ndarray) -> np.ndarray:
    """Factor on the half-widths of a band that just holds each error."""
    low, mid, high = np.asarray(band).T
    return np.where(error < mid, (mid - error) / (mid - low), (error - mid) / (high - mid))


def width(rows: Rows, error: np.ndarray, keep: np.ndarray) -> float:
    """Half-width of the band around 0 that holds 80 % of errors."""
    return float(quantile(np.abs(error[keep]), rows.even(keep), INSIDE))


def for_the_next(groups: int) -> float:
    """Width of a band for one more group over that of the groups seen: Student's t of a mean.

    t(n - 1) / z x sqrt(1 + 1 / n), as their centre and spread are known from n groups alone.
    """
    high = (1 + INSIDE) / 2
    return float(t.ppf(high, max(groups - 1, 1)) / norm.ppf(high) * np.sqrt(1 + 1 / groups))


def drawn(own: Any, every: Any, count: int) -> Any:
    """What a kind of `count` groups is taken for: drawn to all kinds, which count as one of them.

    Partial pooling (Gelman and Hill 2007, section 12.2).
    """
    return (count * own + every) / (count + 1)


def variance(
    rows: Rows, needs: np.ndarray, usual: np.ndarray, keep: np.ndarray, level: str
) -> tuple[float, int]:
    """(variance that one more model ... adds, in units of that of the band; how many are known).

    That of the width that holds 80 % of what was left out with its model ..., less that of what was
    left out with its group (`usual`). It is known from few models: Student's t widens it. What a
    source measured is mostly of models that nobody else has, so its variance holds theirs too and
    takes no Student's t.
    """
    count = rows.count(level, keep)
    if not count:
        return 0.0, 0
    more = 1.0 if level == "table" else for_the_next(count)
    left, near = (quantile(x[keep], rows.even(keep), INSIDE) for x in (needs, usual))
    return more**2 * max((left / near) ** 2 - 1, 0.0), count


def of_an_engine(band: np.ndarray, own: np.ndarray, groups: int) -> np.ndarray:
    """The band of an engine: its own as far as it has groups, no narrower than that of its kind."""
    low, mid, high = np.abs(drawn(own, band, groups) - drawn(own, band, groups)[1])
    return band[1] + np.array([-max(low, band[1] - band[0]), mid, max(high, band[2] - band[1])])


def bands(
    rows: Rows, errors: dict[str, np.ndarray], keep: np.ndarray, levels: list[str]
) -> dict[tuple, Any]:
    """{(kind, metric): band, (kind, metric, engine): band, (metric, level, kind): factor}.

    Of the rows to keep. A kind of n groups, models ... is drawn to all kinds as if these were one
    more (`drawn`), an engine to its kind. A factor holds 80 % of what was left out, in units of the
    band of its kind and engine; where the engine was left out, of that of its kind.
    """
    found: dict[tuple, Any] = {}
    for metric in RATIO_OF:
        each = rows.banded & keep & (rows.metric == metric)
        known = each & (rows.kind != HYBRID)
        every = ends(rows, errors["group"], each)
        of_kind, of_both = np.full((2, len(keep), 3), np.nan)
        for kind in KINDS:
            own = rows.alike(kind, metric) & keep
            error = errors["architecture" if kind == HYBRID else "group"]
            band = ends(rows, error, own) if own.any() else every
            if kind != HYBRID:
                band = drawn(band, every, rows.count("group", own))
            found[kind, metric] = of_kind[each & (rows.kind == kind)] = band
            for engine in ENGINES:
                both = own & (rows.engine == engine)
                if both.any():
                    groups = rows.count("group", both)
                    found[kind, metric, engine] = of_an_engine(
                        band, ends(rows, error, both), groups
                    )
                made = found.get((kind, metric, engine), band)
                of_both[each & (rows.kind == kind) & (rows.engine == engine)] = made
        for level in levels:
            band = of_kind if level == "engine" else of_both
            needs, usual = (needed(errors[name], band) for name in (level, "group"))
            of_all, _ = variance(rows, needs, usual, known, level)
            for kind in KINDS:
                own = known & rows.alike(kind, metric)
                one, count = variance(rows, needs, usual, own, level)
                factor = np.sqrt(1 + drawn(one, of_all, count))
                found[metric, level, kind] = max(factor, LEAST)
    return found


def widths(rows: Rows, errors: dict[str, np.ndarray]) -> dict[str, float]:
    """{what: half-width of what it adds to a band or is at least}, as logarithms.

    Practitioners are off by this without their laboratory. One maker of GPUs but NVIDIA has been
    measured, in one group: its error is taken for one draw of a normal spread around 0.
    """
    gpus = rows.table["gpu"]
    maker = gpus.map({id: catalog.gpu(id).maker for id in gpus.unique()})
    other = rows.banded & ~maker.isin(makers()).to_numpy()
    spread = np.sqrt(np.average(errors["gpu"][other] ** 2, weights=rows.even(other)))
    return {
        "practitioners": width(rows, errors["table"], rows.banded & ~rows.tuned),
        "other_makers": float(norm.ppf((1 + INSIDE) / 2) * spread),
    }


def held_out(rows: Rows, errors: dict[str, np.ndarray], level: str) -> pd.DataFrame:
    """Rows of serving_held_out.csv: each by a fit without its group, model or source.

    The band is made of the other groups, models or sources, and widened where these are left out;
    servers that are not tuned are those of a source that nobody knows, as in `band`.
    """
    table, error = rows.table, errors[level]
    log_band = np.full((len(table), 2), np.nan)
    levels = sorted({level, "table"} & {*LEVELS})
    for label in np.unique(rows.code[level]):
        own = rows.code[level] == label
        made = bands(rows, errors, ~own, levels)
        for these, kind, metric, engine, tuned in _cases(rows, own & rows.banded):
            unseen = {level} & {*LEVELS} if tuned else {level, "table"} & {*LEVELS}
            if kind == HYBRID:  # its band is that of architectures without a measurement
                unseen -= {"model"}
            wider = np.sqrt(1 + sum(made[metric, of, kind] ** 2 - 1 for of in unseen))
            low, mid, high = made.get((kind, metric, engine), made[kind, metric])
            log_band[these] = mid + wider * np.array([low - mid, high - mid])
    mid = table["measured"] / np.exp(error)
    said = table[["id", "metric"]].assign(
        without={"table": "source", "release": "version"}.get(level, level),
        low=mid * np.exp(log_band[:, 0]),
        mid=mid,
        high=mid * np.exp(log_band[:, 1]),
        source="serving-fit",
    )
    numbers = ["low", "mid", "high"]
    said[numbers] = said[numbers].map(lambda v: float(f"{v:.6g}"))
    return said.sort_values(["id", "metric"])


def _cases(rows: Rows, own: np.ndarray) -> Iterator[tuple]:
    """(rows, kind, metric, engine, whether tuned) of the rows that share a band."""
    for kind, metric, engine, tuned in product(KINDS, RATIO_OF, ENGINES, (True, False)):
        alike = (rows.kind == kind) & (rows.metric == metric) & (rows.engine == engine)
        these = own & alike & (rows.tuned == tuned)
        if these.any():
            yield these, kind, metric, engine, tuned
