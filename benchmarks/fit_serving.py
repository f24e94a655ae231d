"""Fit the calibrated numbers of serving, and predict each measurement by fits without it.

    python benchmarks/fit_serving.py      writes data/calibration/serving.csv
                                          and data/measured/serving_held_out.csv (minutes)

Robust least squares on the logarithm of measured over predicted; each number is pulled towards its
starting value, which is what public kernel measurements suggest, so that no model and no publisher
decides alone. Ranges of a number are the ends of the fits that leave one (model, GPU,
engine) out. A fit without some rows is found by Gauss-Newton steps from the best of all rows, with
the derivatives at that best.

Bands are in serving_bands.py.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import fields
from datetime import date
from functools import cached_property

import numpy as np
import pandas as pd
from scipy.optimize import least_squares
from serving_bands import LEVELS, RATIO_OF, Rows, bands, held_out, widths
from tqdm import tqdm

from costmodel.core.glossary import GLOSSARY
from costmodel.facts import catalog
from costmodel.facts.catalog import data_folder
from costmodel.laws.serving.calibration import (
    ENGINES,
    FILES,
    KINDS,
    NEWEST,
    STACKS,
    measured,
    physics_of_stack,
)
from costmodel.laws.serving.calibration import stack as records
from costmodel.laws.serving.instance import Physics
from costmodel.validation.serving import UNUSED, ages, kinds, numbers, of_version, predict

# number: (start, least, most); efficiencies end at 1, reading weights at what a copy kernel reaches
FREE = {
    "roofline.mbu": (0.85, 0.3, 0.93),
    "roofline.mbu_kv": (0.8, 0.2, 0.93),
    "roofline.mbu_kv_latent": (0.8, 0.2, 0.93),
    "roofline.mfu": (0.6, 0.2, 0.95),
    "roofline.mfu_fp4": (0.4, 0.1, 0.95),
    "roofline.mfu_experts": (0.35, 0.05, 0.95),
    "roofline.mfu_attention": (0.35, 0.05, 0.95),
    "roofline.mfu_decode": (0.1, 0.02, 0.95),
    "roofline.unpacking": (0.65, 0.2, 0.99),
    "roofline.fp8_experts": (0.8, 0.3, 1.0),
    "roofline.link_efficiency": (0.6, 0.05, 0.95),
    "roofline.pcie_efficiency": (0.5, 0.05, 0.95),
    "roofline.exchange_s": (3e-6, 5e-7, 5e-5),
    "roofline.overhead_s_per_layer": (4e-5, 1e-6, 2e-4),
    "roofline.overhead_s_per_expert": (2e-6, 1e-7, 4e-5),
    "roofline.overhead_s_per_sequence": (1e-7, 1e-9, 1e-5),
    "roofline.prefill_s_per_layer": (1e-4, 1e-6, 1e-3),
    "roofline.prefill_s_per_latent_layer": (1e-3, 1e-5, 1e-2),
    "roofline.mixed_s_per_layer": (1e-4, 1e-6, 1e-3),
    "roofline.stagger": (0.4, 0.01, 1.0),
    "roofline.first_token_s_per_token": (3e-6, 1e-8, 1e-4),
    "roofline.first_token_s_per_stream": (1e-3, 1e-6, 1e-1),
    "roofline.narrow_width": (50.0, 1.0, 2000.0),
    "roofline.routing_spread": (0.7, 0.2, 1.0),
    "roofline.overhead_fall": (0.3, 0.01, 0.9),
    "vllm.first_token_s": (0.02, 1e-3, 0.3),
    "sglang.first_token_s": (0.04, 1e-3, 0.3),
    "trtllm.first_token_s": (0.03, 1e-3, 0.3),
    "vllm.engine_efficiency": (0.92, 0.5, 0.995),
    "sglang.engine_efficiency": (0.92, 0.5, 0.995),
    "vllm_v0.host_s_per_sequence": (1e-4, 1e-6, 1e-3),
    "standard.overhead_s_per_sequence": (6e-7, 1e-8, 1e-5),
    "standard.request_s": (1e-3, 1e-5, 1e-1),
    "standard.engine_efficiency": (0.85, 0.3, 0.995),
}
ASSUMED = {  # number: (value, low, high, why)
    "vllm.answer_held": (0.5, "", "", "nothing is reserved: answers under way are half done"),
    "sglang.answer_held": (0.5, "", "", "as vLLM"),
    "trtllm.answer_held": (1.0, "", "", "whole answers are reserved (GUARANTEED_NO_EVICT)"),
    "roofline.reserve_bytes": (1e9, "", "", "libraries, buffers of exchanges and CUDA graphs"),
    "roofline.mbu_state": (
        0.3, 0.15, 0.6,
        "set so that the one measured hybrid (Qwen3.5 27B on B200) is met, with mfu_state",
    ),
    "roofline.mfu_state": (0.05, 0.02, 0.15, "as mbu_state"),
    "as_found.engine_efficiency": (
        0.5, 0.2, 0.8,
        "on top of standard; DeepSeek-R1 ran 5 to 10 times below later software in its first month",
    ),
    "as_found.overhead_s_per_layer": (4e-4, 2e-4, 8e-4, "launches of a layer without CUDA graphs"),
}  # fmt: skip
SCALE = 0.1  # residuals above 10 % count less than their square
# e-folds from the start that cost as much as one residual of 10 %; less where few sources tell
PULL, FEW_TELL = 0.35, {"standard.engine_efficiency": 0.1}
FIRST_TOKEN_WEIGHT = 0.5  # first-token times scatter more: queues, warm-up, reporting in groups
EVALUATIONS = 60
STEPS = 12  # of a fit without some rows
DAMPED = (0.0, 0.1, 1.0, 10.0, 100.0)  # of a step, tried in turn (Levenberg and Marquardt)
LIMITS = np.log([FREE[name] for name in FREE]).T  # start, least, most
PULLS = np.array([FEW_TELL.get(name, PULL) for name in FREE])


class Fit:
    """All measurements, what does not change during the fit, and the best of all rows."""

    def __init__(self) -> None:
        self.tables = []
        for file in FILES:
            rows = measured(file)
            rows = rows[~rows["note"].str.startswith(UNUSED)].reset_index(drop=True)
            self.tables.append((rows, *numbers(rows), ages(rows)))
        parts = []
        for rows, *_ in self.tables:
            for metric in ("ttft_s", "tpot_s") if "ttft_s" in rows else ("value",):
                named = rows.get("metric", metric)
                parts.append(rows.assign(metric=named, measured=rows[metric]))
        self.rows = pd.concat(parts, ignore_index=True).assign(kind=lambda t: kinds(t))
        r = self.rows
        # a benchmark has a source by engine; a practitioner is one, whatever the engine
        tuned = r["stack"] == STACKS[0]
        r["table"] = r["family"] + (", " + r["engine"]).where(tuned, "")
        named = r["version"].where(r["version"] != "", "of " + r["family"])
        r["release"] = r["engine"] + " " + named
        r["group"] = r["model"] + " on " + r["gpu"] + ", " + r["engine"]
        r["architecture"] = np.select(
            [r["kind"] == "hybrid", r["kind"] != "mixture", _has(r, "kv_lora_rank"),
             _has(r, "sliding_window")],
            ["hybrid", "dense", "latent", "local"], "experts",
        )  # fmt: skip
        first = r["metric"].eq("ttft_s") & ~r["family"].eq("trtllm-first-token")
        self.weight = np.where(first, FIRST_TOKEN_WEIGHT, 1.0) / SCALE

    def errors(self, x: np.ndarray) -> np.ndarray:
        """Logarithm of measured over predicted of every row."""
        values = values_of(x)
        found = []
        for rows, shape, setup, age in self.tables:
            made = predict(rows, shape, setup, physics_of(values, rows, age))
            found += [np.log(rows[name].to_numpy(float) / made[name]) for name in made]
        return np.concatenate(found)

    @cached_property
    def best(self) -> np.ndarray:
        """Logarithms of the free numbers that fit all rows."""
        start, least, most = LIMITS
        return least_squares(
            lambda x: np.concatenate([self.errors(x) * self.weight, (x - start) / PULLS]),
            np.clip(start, least + 1e-6, most - 1e-6),
            bounds=(least, most),
            loss="soft_l1",
            x_scale="jac",
            max_nfev=EVALUATIONS,
        ).x

    @cached_property
    def slopes(self) -> np.ndarray:
        """Derivatives of the errors at the best."""
        small = 1e-4 * np.sign(LIMITS.mean(0) - self.best)
        at, moved = self.errors(self.best), self.best + np.diag(small)
        return np.array([(self.errors(x) - at) / d for x, d in zip(moved, small, strict=True)]).T

    def without(self, out: np.ndarray) -> np.ndarray:
        """The best of all rows but those that are `out`."""
        keep, x, (start, least, most) = ~out, self.best, LIMITS
        pull = np.diag(1 / PULLS)

        def cost(x: np.ndarray) -> tuple[float, np.ndarray]:
            r = self.errors(x)[keep] * self.weight[keep]
            soft = 2 * (np.sqrt(1 + r**2) - 1)
            return float(soft.sum() + 2 * (np.sqrt(1 + ((x - start) / PULLS) ** 2) - 1).sum()), r

        now, r = cost(x)
        for _ in range(STEPS):
            prior = (x - start) / PULLS
            slopes = np.vstack([self.slopes[keep] * self.weight[keep, None], pull])
            both = np.concatenate([r, prior])
            soft = (1 + both**2) ** -0.25
            slopes = slopes * soft[:, None]
            normal, right = slopes.T @ slopes, slopes.T @ (both * soft)
            for damped in DAMPED:
                step = np.linalg.solve(normal + damped * np.diag(np.diag(normal)), -right)
                tried = np.clip(x + step, least, most)
                then, r_then = cost(tried)
                if then < now:
                    break
            else:
                break
            gain, x, now, r = now - then, tried, then, r_then
            if gain < 1e-4 * now:
                break
        return x

    def left_out(self, column: str) -> tuple[np.ndarray, list[np.ndarray]]:
        """Errors of every row by fits without its group, model ..., and those fits."""
        labels, error, fits = self.rows[column].to_numpy(str), np.empty(len(self.rows)), []
        for label in tqdm(np.unique(labels), desc=f"without each {column}", disable=None):
            out = labels == label
            fits.append(self.without(out))
            error[out] = self.errors(fits[-1])[out]
        return error, fits


def _has(rows: pd.DataFrame, field: str) -> pd.Series:
    known = {id: bool(getattr(catalog.model(id), field)) for id in rows["model"].unique()}
    return rows["model"].map(known)


def values_of(x: np.ndarray) -> dict[str, float]:
    """The numbers by name, assumed ones too."""
    fixed = {name: value for name, (value, *_) in ASSUMED.items()}
    return fixed | dict(zip(FREE, map(float, np.exp(x)), strict=True))


def physics_of(values: dict[str, float], rows: pd.DataFrame, age: np.ndarray) -> Physics:
    """The numbers being fitted as one value per row."""
    names = [f.name for f in fields(Physics)]
    made = {}
    for engine in ENGINES:
        of = {n: values.get(f"roofline.{n}", values.get(f"{engine}.{n}", 1.0)) for n in names}
        for stack in STACKS:
            made[engine, stack] = physics_of_stack(of | NEWEST, values, stack)
    each = records([made[key] for key in zip(rows["engine"], rows["stack"], strict=True)])
    version = (values["roofline.overhead_fall"], values["vllm_v0.host_s_per_sequence"])
    return of_version(each, rows, age, *version)


# -- what is written -------------------------------------------------------------------------------


def csv_rows(
    fit: Fit, fits: list[np.ndarray], made: dict, errors: dict[str, np.ndarray], rows: Rows
) -> Iterator[str]:
    today = date.today().isoformat()

    def row(
        key: str, value: float, low: float | str, high: float | str, source: str, note: str
    ) -> str:
        id, field = key.split(".")
        texts = [x if isinstance(x, str) else f"{x:.4g}" for x in (value, low, high)]
        return ",".join([id, field, *texts, GLOSSARY[field].unit, today, source, f'"{note}"'])

    yield "id,field,value,low,high,unit,as_of,source,note"
    every = np.exp([*fits, fit.best])
    note = "fitted; ends of the fits that leave one model, GPU and engine out"
    for key, value, low, high in zip(
        FREE, np.exp(fit.best), every.min(0), every.max(0), strict=True
    ):
        yield row(key, value, low, high, "serving-fit", note)
    for key, (value, low, high, why) in ASSUMED.items():
        yield row(key, value, low, high, "assumption", why)
    for (first, second, *third), found in made.items():
        metric = RATIO_OF[second if first in KINDS else first]
        if first not in KINDS:
            field = LEVELS[second]
            note = (
                f"factor on the band where no measurement has the {field.removeprefix('unseen_')}"
            )
            place = metric.removesuffix("_ratio")
            yield row(f"{third[0]}_{place}.{field}", float(found), "", "", "serving-fit", note)
        else:
            low, mid, high = np.exp(found)
            note = "measured over predicted: median and 80 % of what was left out of the fit"
            if first == "hybrid":
                note = "measured over predicted where a whole architecture was left out of the fit"
            place = "_".join((first, *third))
            if third:
                note += ", one engine"
            yield row(f"{place}.{metric}", mid, low, high, "serving-fit", note)

    notes = {
        "practitioners": "80 % of the errors of servers with default settings, left out together",
        "other_makers": "80 % of a normal spread whose one draw is AMD (MI300X, 45 % too fast)",
    }
    for key, half in widths(rows, errors).items():
        yield row(f"{key}.error_factor", np.exp(half), "", "", "serving-fit", notes[key])


def main() -> None:
    fit = Fit()
    errors, fits = {}, {}
    for column in ("group", "architecture", "release", *LEVELS):
        errors[column], fits[column] = fit.left_out(column)
    rows = Rows.of(fit.rows)
    made = bands(rows, errors, np.ones(len(fit.rows), bool), list(LEVELS))
    lines = list(csv_rows(fit, fits["group"], made, errors, rows))
    folder = data_folder()
    (folder / "calibration" / "serving.csv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    table = pd.concat(
        [held_out(rows, errors, level) for level in ("group", "model", "release", "table")]
    )
    path = folder / "measured" / "serving_held_out.csv"
    table.to_csv(path, index=False, lineterminator="\n")


if __name__ == "__main__":
    sys.exit(main())
