"""Fit the calibrated numbers of serving, and predict each measurement by a fit without it.

    python benchmarks/fit_serving.py      writes data/calibration/serving.csv
                                          and data/measured/serving_held_out.csv (minutes)

Robust least squares on the logarithm of measured over predicted; every (model, GPU, engine) counts
alike, more or less; each number is pulled a little towards its starting value, which is what public
kernel measurements suggest. Ranges of a number are the ends of the fits that leave one (model, GPU,
engine) out; bands of predictions are the 10th and 90th percentile of measured over predicted for
what was left out.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import fields, replace
from datetime import date

import numpy as np
import pandas as pd
from scipy.optimize import least_squares
from tqdm import tqdm

from costmodel.core.glossary import GLOSSARY
from costmodel.facts.catalog import data_folder
from costmodel.laws.serving.calibration import ENGINES, FILES, KINDS, measured, take
from costmodel.laws.serving.roofline import Physics
from costmodel.validation.serving import UNUSED, ages, kinds, numbers, predict

# number: (start, least, most); efficiencies end at 1, reading weights at what a copy kernel reaches
FREE = {
    "roofline.mbu": (0.85, 0.3, 0.93),
    "roofline.mbu_kv": (0.6, 0.2, 0.93),
    "roofline.mfu": (0.6, 0.2, 0.95),
    "roofline.mfu_fp4": (0.4, 0.1, 0.95),
    "roofline.mfu_experts": (0.35, 0.05, 0.95),
    "roofline.mfu_attention": (0.35, 0.05, 0.95),
    "roofline.unpacking": (0.65, 0.2, 0.99),
    "roofline.link_efficiency": (0.6, 0.05, 0.95),
    "roofline.exchange_s": (3e-6, 5e-7, 5e-5),
    "roofline.overhead_s_per_layer": (4e-5, 1e-6, 2e-4),
    "roofline.overhead_s_per_expert_layer": (1.5e-5, 1e-6, 3e-4),
    "roofline.overhead_s_per_sequence": (5e-6, 1e-7, 1e-4),
    "roofline.prefill_s_per_layer": (1.5e-4, 1e-6, 1e-3),
    "roofline.prefill_s_per_latent_layer": (1e-3, 1e-5, 1e-2),
    "roofline.interference": (0.85, 0.2, 0.99),
    "roofline.routing_spread": (0.7, 0.2, 1.0),
    "roofline.overhead_fall": (0.3, 0.01, 0.9),
    "vllm.first_token_s": (0.03, 1e-3, 0.3),
    "sglang.first_token_s": (0.05, 1e-3, 0.3),
    "trtllm.first_token_s": (0.04, 1e-3, 0.3),
    "vllm.engine_efficiency": (0.92, 0.5, 0.995),
    "sglang.expert_efficiency": (0.8, 0.3, 0.995),
    "trtllm.expert_efficiency": (0.9, 0.3, 0.995),
}
FIXED = {"roofline.memory_usable": 0.96, "roofline.reserve_bytes": 1e9}
MEMORY_NOTES = {
    "roofline.memory_usable": "0.9 of the device, whose memory is 7 % above its name "
    "(80 GB are 80 GiB)",
    "roofline.reserve_bytes": "activations and graphs, beside the share left free",
}
SCALE = 0.1  # residuals above 10 % count less than their square
PULL = 0.7  # e-folds from the start that cost as much as one residual of 10 %
FIRST_TOKEN_WEIGHT = 0.5  # first-token times scatter more: queues, warm-up, reporting in groups
BATCH_WEIGHT = 3.0  # static batches are the cleanest measurements
# residuals are divided by the rows of their group to this power; 0.5 would make groups equal
GROUP_POWER = 0.35
EVALUATIONS = 40
BAND = (0.10, 0.50, 0.90)


class Table:
    """One file of measurements with everything that does not change during the fit."""

    def __init__(self, file: str) -> None:
        rows = measured(file)
        self.rows = rows[~rows["note"].str.startswith(UNUSED)].reset_index(drop=True)
        self.shape, self.setup = numbers(self.rows)
        self.age = ages(self.rows)
        self.group = (
            self.rows["model"] + " on " + self.rows["gpu"] + ", " + self.rows["engine"]
        ).to_numpy(str)
        self.kind = kinds(self.rows)
        count = pd.Series(self.group).map(pd.Series(self.group).value_counts()).to_numpy(float)
        self.weight = (count / count.mean()) ** -GROUP_POWER
        if "family" in rows and "metric" in rows:
            self.weight = self.weight * np.where(
                self.rows["metric"] == "latency_s", BATCH_WEIGHT, 1.0
            )

    def of(self, keep: np.ndarray) -> Table:
        part = object.__new__(Table)
        part.rows = self.rows[keep].reset_index(drop=True)
        part.shape, part.setup = take(self.shape, keep), take(self.setup, keep)
        for name in ("age", "group", "kind", "weight"):
            setattr(part, name, getattr(self, name)[keep])
        return part


def physics_of(values: dict[str, float], table: Table) -> Physics:
    """The numbers being fitted as one value per row."""
    engine = table.rows["engine"].to_numpy(str)
    made = {}
    for name in (f.name for f in fields(Physics)):
        if f"roofline.{name}" in values:
            made[name] = np.full(len(engine), values[f"roofline.{name}"])
        elif name != "ageing":
            made[name] = np.select(
                [engine == e for e in ENGINES], [values.get(f"{e}.{name}", 1.0) for e in ENGINES]
            )
    return replace(Physics(**made), ageing=(1 - values["roofline.overhead_fall"]) ** -table.age)


def ratios(values: dict[str, float], table: Table) -> dict[str, np.ndarray]:
    """Logarithm of measured over predicted, by metric."""
    made = predict(table.rows, table.shape, table.setup, physics_of(values, table))
    return {name: np.log(table.rows[name].to_numpy(float) / value) for name, value in made.items()}


def fit(tables: list[Table], start: dict[str, float] | None = None) -> dict[str, float]:
    """The best values of the free numbers, with the fixed ones."""
    first, least, most = (np.log([limits[k] for limits in FREE.values()]) for k in range(3))
    origin = first if start is None else np.log([start[name] for name in FREE])

    def residuals(x: np.ndarray) -> np.ndarray:
        values, parts = {**FIXED, **dict(zip(FREE, np.exp(x), strict=True))}, []
        for table in tables:
            for name, ratio in ratios(values, table).items():
                parts.append(
                    ratio * table.weight * (FIRST_TOKEN_WEIGHT if name == "ttft_s" else 1.0) / SCALE
                )
        return np.concatenate([*parts, (x - first) / PULL])

    found = least_squares(
        residuals,
        np.clip(origin, least + 1e-6, most - 1e-6),
        bounds=(least, most),
        loss="soft_l1",
        x_scale="jac",
        max_nfev=EVALUATIONS,
    )
    return {**FIXED, **dict(zip(FREE, map(float, np.exp(found.x)), strict=True))}


def left_out(
    tables: list[Table], column: str, start: dict[str, float]
) -> tuple[pd.DataFrame, list[dict[str, float]]]:
    """Measured over predicted (log) of every row by fits without its group, GPU or model."""
    labels = [t.group if column == "group" else t.rows[column].to_numpy(str) for t in tables]
    parts, fits = [], []
    for label in tqdm(
        sorted({x for column_labels in labels for x in column_labels}),
        desc="fits that leave one out",
        disable=None,
    ):
        fits.append(fit([t.of(x != label) for t, x in zip(tables, labels, strict=True)], start))
        for table, x in zip(tables, labels, strict=True):
            if (x == label).any():
                part = table.of(x == label)
                for name, ratio in ratios(fits[-1], part).items():
                    metric = part.rows["metric"] if name == "value" else name
                    rows = part.rows.assign(metric=metric, measured=part.rows[name])
                    parts.append(rows.assign(log_ratio=ratio, kind=part.kind, group=part.group))
    return pd.concat(parts, ignore_index=True), fits


RATIO_OF = {
    "tpot_s": "tpot_ratio",
    "ttft_s": "ttft_ratio",
    "output_tokens_per_s": "throughput_ratio",
}


def bands(rows: pd.DataFrame) -> dict[tuple[str, str], np.ndarray]:
    """{(kind, ratio): 10th, 50th, 90th percentile of measured over predicted}.

    Dense models in four bits are few: their band is made of all dense rows.
    """
    rows = rows[rows["metric"].isin(RATIO_OF) & ~rows["family"].eq("trtllm-first-token")]
    found = {}
    for kind in KINDS:
        part = rows[rows["kind"].isin(("dense", "four_bit") if kind == "four_bit" else (kind,))]
        for ratio, errors in part.groupby(part["metric"].map(RATIO_OF))["log_ratio"]:
            found[kind, ratio] = np.exp(np.quantile(errors, BAND))
    return found


def wider(rows: pd.DataFrame, base: pd.DataFrame, kind: str) -> float:
    """How much wider the errors of time per token and throughput are than in `base`; at least 1."""
    width = []
    for table in (rows, base):
        part = table[
            table["metric"].isin(("tpot_s", "output_tokens_per_s")) & (table["kind"] == kind)
        ]
        width.append(np.subtract(*np.quantile(part["log_ratio"], (BAND[2], BAND[0]))))
    return float(max(width[0] / width[1], 1.0))


def held_out(rows: pd.DataFrame) -> pd.DataFrame:
    """Rows of serving_held_out.csv: each by the fit without its group; the others make the band."""
    table = rows.assign(low=np.nan, mid=rows["measured"] / np.exp(rows["log_ratio"]), high=np.nan)
    for group in table["group"].unique():
        own = table["group"] == group
        for (kind, ratio), (low, _, high) in bands(table[~own]).items():
            these = own & (table["kind"] == kind) & (table["metric"].map(RATIO_OF) == ratio)
            table.loc[these, "low"] = low * table.loc[these, "mid"]
            table.loc[these, "high"] = high * table.loc[these, "mid"]
    table = table.sort_values(["id", "metric"]).assign(source="serving-fit")
    return table[["id", "metric", "low", "mid", "high", "source"]]


def csv_rows(
    tables: list[Table], best: dict[str, float], rows: pd.DataFrame, fits: list[dict[str, float]]
) -> Iterator[str]:
    today = date.today().isoformat()

    def row(
        key: str, value: float, low: float | str, high: float | str, source: str, note: str
    ) -> str:
        id, field = key.split(".")
        texts = [x if isinstance(x, str) else f"{x:.4g}" for x in (value, low, high)]
        return ",".join([id, field, *texts, GLOSSARY[field].unit, today, source, f'"{note}"'])

    yield "id,field,value,low,high,unit,as_of,source,note"
    for key in FREE:
        all_fits = [f[key] for f in fits] + [best[key]]
        yield row(
            key,
            best[key],
            min(all_fits),
            max(all_fits),
            "serving-fit",
            "fitted; ends of the fits that leave one model, GPU and engine out",
        )
    for key, value in FIXED.items():
        yield row(key, value, "", "", "assumption", MEMORY_NOTES[key])
    for (kind, field), ends in bands(rows).items():
        note = "measured over predicted: median and 80 % of what was left out of the fit"
        yield row(f"{kind}.{field}", ends[1], ends[0], ends[2], "serving-fit", note)
    for column, field in (("gpu", "unseen_gpu"), ("model", "unseen_model")):
        other, _ = left_out(tables, column, best)
        for kind in KINDS:
            note = f"width of the band where no measurement has the {column}, over the usual width"
            yield row(f"{kind}.{field}", wider(other, rows, kind), "", "", "serving-fit", note)


def main() -> None:
    tables = [Table(file) for file in FILES]
    best = fit(tables)
    rows, fits = left_out(tables, "group", best)
    lines = list(csv_rows(tables, best, rows, fits))
    folder = data_folder()
    (folder / "calibration" / "serving.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    held_out(rows).to_csv(
        folder / "measured" / "serving_held_out.csv", index=False, lineterminator="\n"
    )


if __name__ == "__main__":
    sys.exit(main())
