"""How wrong the serving model is: each measurement by a fit without its model, GPU and engine.

Prints errors, bias and the coverage of the 80 % band of the shipped predictions
(`serving_held_out`). Where aiconfigurator is installed, its error on a sample of the same rows
stands beside ours.
"""

from __future__ import annotations

import contextlib
import io
import logging
import sys
import time
import timeit

import numpy as np
import pandas as pd

from costmodel.laws.serving.calibration import measured
from costmodel.laws.serving.plan import plan_serving
from costmodel.laws.serving.predict import predict_serving
from costmodel.validation.distance import HELD
from costmodel.validation.serving import serving_held_out, serving_reality, subsets

AIMS = {  # what this model is held to: (mean, median) of the absolute error
    "time per token, dense": (0.18, 0.12),
    "time per token, mixtures and FP4": (None, 0.16),
    "time to first token": (None, 0.30),
    "static batch, latency": (0.12, None),
    "offline throughput": (0.20, None),
}
DISTANCES = {  # how far a row is from the fit
    "group": "the same model, GPU and engine together",
    "model": "the model anywhere",
    "source": "what the publisher measured of that engine",
}
SAMPLE = 60  # rows of each kind on which aiconfigurator is asked
PATHS = {
    "llama-3.1-70b": "meta-llama/Meta-Llama-3.1-70B",
    "qwen3-32b": "Qwen/Qwen3-32B",
    "deepseek-r1": "deepseek-ai/DeepSeek-R1",
    "gpt-oss-120b": "openai/gpt-oss-120b",
}
SYSTEMS = {"H100-SXM": "h100_sxm", "H200-SXM": "h200_sxm", "B200-SXM": "b200_sxm"}
QUANTS = {"bf16": "bfloat16", "fp8": "fp8", "fp4": "nvfp4"}
MIXTURES = ("deepseek-r1", "gpt-oss-120b")


def rows_by_group(without: str = "group") -> pd.DataFrame:
    """The held-out predictions, group by group, with `error`, predicted over measured - 1."""
    rows = serving_held_out(without)
    group = rows["model"] + " on " + rows["gpu"] + ", " + rows["engine"]
    rows = rows.assign(group=group, error=rows["ratio"] - 1)
    return rows.sort_values("group", kind="stable", ignore_index=True)


def table(rows: pd.DataFrame) -> pd.DataFrame:
    """Errors by subset."""
    lines = []
    for name, keep in subsets(rows).items():
        error = rows.loc[keep, "error"]
        mean, median = AIMS.get(name, (None, None))
        low, high = HELD
        covered = rows.loc[keep & rows["low"].notna(), "inside"].mean()
        ok = [
            e <= a
            for e, a in ((error.abs().mean(), mean), (error.abs().median(), median))
            if a is not None
        ]
        lines.append(
            {
                "what": name,
                "rows": keep.sum(),
                "mean": error.abs().mean(),
                "median": error.abs().median(),
                "bias": error.median(),
                "p90": error.abs().quantile(0.9),
                "in band": covered,
                "aim": _aim(mean, median),
                "held": "" if not ok else "yes" if all(ok) else "no",
                "band held": "" if np.isnan(covered) else "yes" if low <= covered <= high else "no",
            }
        )
    return pd.DataFrame(lines).set_index("what")


def _aim(mean: float | None, median: float | None) -> str:
    return ", ".join(
        f"{name} {value:.0%}"
        for name, value in (("mean", mean), ("median", median))
        if value is not None
    )


def peer(rows: pd.DataFrame) -> str:
    """aiconfigurator beside us on a sample of the rows of continuous batching, where installed."""
    try:
        from aiconfigurator.cli.api import cli_estimate
    except ImportError:
        return (
            "aiconfigurator is not installed, so it is not compared "
            "(`pip install aiconfigurator==0.12.0` and run again)"
        )
    logging.disable(logging.WARNING)
    setup = ["id", "tp", "dp", "ep", "input_tokens", "output_tokens", "concurrency"]
    rows = rows.merge(measured("serving_latency")[setup], how="left", on="id")
    first = rows[rows["metric"] == "ttft_s"].set_index("id")
    lines = []
    for kind, keep in (("dense", rows["kind"] == "dense"), ("MoE or FP4", rows["kind"] != "dense")):
        asked = rows[keep & (rows["metric"] == "tpot_s")].sample(SAMPLE, random_state=0)
        errors = []
        for row in asked.itertuples():
            moe = (
                {}
                if row.model not in MIXTURES
                else {"moe_tp_size": row.tp * row.dp // row.ep, "moe_ep_size": row.ep}
            )
            try:
                with contextlib.redirect_stdout(io.StringIO()):
                    made = cli_estimate(
                        PATHS[row.model],
                        SYSTEMS[row.gpu],
                        backend_name=row.engine,
                        isl=row.input_tokens,
                        osl=row.output_tokens,
                        batch_size=int(row.concurrency / row.dp),
                        tp_size=row.tp,
                        attention_dp_size=row.dp,
                        gemm_quant_mode=QUANTS[row.precision],
                        **moe,
                    )
            except Exception:  # many of its tables lack a number format or a system
                continue
            token, start = made.tpot / 1e3 / row.reported, made.ttft / 1e3 / first.reported[row.id]
            errors.append((token - 1, start - 1, row.error, first.error[row.id]))
        found = pd.DataFrame(errors, columns=["aic tpot", "aic ttft", "our tpot", "our ttft"]).abs()
        if len(found):
            text = "; ".join(
                f"{name} mean {found[name].mean():.0%}, median {found[name].median():.0%}"
                for name in found
            )
            lines.append(f"{kind}: it answers {len(found)} of {SAMPLE} sampled rows: {text}")
        else:
            lines.append(f"{kind}: it answers none of {SAMPLE} sampled rows")
    return "Beside aiconfigurator, same rows (ours without their group):\n" + "\n".join(lines)


def speeds() -> str:
    """Processor time of 100,000 configurations and of a plan for 50 requests/s, best of three."""
    rng, n = np.random.default_rng(0), 100_000
    many = [
        rng.choice(["llama-3.1-70b", "deepseek-r1"], n),
        rng.choice(["H100-SXM", "B200-SXM"], n),
        rng.choice([1, 2, 4, 8], n),
        "fp8",
    ]
    sizes = {
        "input_tokens": rng.integers(100, 8_000, n),
        "output_tokens": rng.integers(10, 2_000, n),
        "concurrency": rng.integers(1, 256, n),
    }
    plan = ("qwen3-32b", ["H200-SXM", "B200-SXM"], "fp8", 50, 2_000, 300, 2.0, 0.030)
    seconds = [
        min(timeit.repeat(work, timer=time.process_time, number=1, repeat=3))
        for work in (lambda: predict_serving(*many, **sizes), lambda: plan_serving(*plan))
    ]
    return (
        f"100,000 configurations in {seconds[0]:.2f} s of processor time (budget 0.2 s); "
        f"a plan for 50 requests/s on two GPUs in {seconds[1]:.2f} s (budget 1 s, a peer 29 s)"
    )


def main() -> None:
    start = time.perf_counter()
    whole = serving_reality()
    seconds = time.perf_counter() - start
    rows = rows_by_group()
    form = {
        "mean": "{:.1%}",
        "median": "{:.1%}",
        "bias": "{:+.1%}",
        "p90": "{:.0%}",
        "in band": "{:.0%}",
    }
    for without, words in DISTANCES.items():
        shown = table(rows_by_group(without))
        for column, style in form.items():
            shown[column] = shown[column].map(
                lambda x, style=style: "" if pd.isna(x) else style.format(x)
            )
        print(f"\nServing: measured against predicted by fits without {words}")
        print(shown.to_string())
    print(
        f"\n{len(whole)} predictions of all of data/measured in {seconds:.2f} s; "
        f"{len(whole) - len(rows)} left out of the errors "
        "(they contradict themselves; their notes say how)"
    )
    print(speeds())
    groups = rows.groupby(["metric", "group"])["error"]
    worst = groups.agg(rows="size", median=lambda e: e.abs().median(), bias="median")
    print("\nWorst groups:\n" + worst.sort_values("median").tail(8).round(2).to_string())
    print("\n" + peer(rows))


if __name__ == "__main__":
    sys.exit(main())
