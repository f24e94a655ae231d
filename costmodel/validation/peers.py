"""The same measured runs through other public estimators of training: a plain 6 N D, and llm-analysis where installed."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from costmodel.core.draws import middle
from costmodel.core.public import public
from costmodel.core.units import GB, KILO
from costmodel.facts import catalog
from costmodel.laws.training.calibration import measured_training
from costmodel.validation.training import PLAIN_MFU, spread

THEIR_EFFICIENCY = 0.5  # of the peak; llm-analysis asks its user and notes "achieved by Megatron-LM is ~0.5" (constant.py)
TFLOP = KILO * GB
AMPLE_GB = (
    1e9  # its time does not depend on memory, but without sharding it refuses what does not fit
)
HEAD = 128  # usual width of an attention head; llm-analysis wants to know the heads
NOT_INSTALLED = "not installed here; pip install llm-analysis beside costmodel and run again"


@public
def beside_peers(table: pd.DataFrame) -> pd.DataFrame:
    """Errors of each estimator on the dense, fully trained runs of a table of `fidelity`, which all of them can take.

    Index: estimator. Columns: `runs`, `error` (median of |predicted / reported - 1|, every family the same weight),
    `bias` (median of predicted / reported - 1), `note`. llm-analysis is no dependency: without it its row is empty and
    says so. It counts the FLOPs of each layer, recomputation included, and divides by a utilisation that its user
    chooses; adapters, RL and the newer GPUs are not in it, so the GPU is given to it from our catalogue.
    """
    rows = table[(table["method"] == "full") & (table["unit"] == "token/s")]
    theirs, note = _llm_analysis(rows)
    each = {
        "costmodel, family left out": (rows["mid"], "the fit has not seen the family"),
        "costmodel, fitted": (rows["fitted"], "what predict_training says"),
        f"6ND at {PLAIN_MFU:.0%}": (
            rows["plain"],
            "no attention, no recomputation, one utilisation",
        ),
        f"llm-analysis at {THEIR_EFFICIENCY:.0%}": (theirs, note),
    }
    found = {name: _row(rows, predicted, said) for name, (predicted, said) in each.items()}
    return (
        pd.DataFrame(found)
        .T.rename_axis("estimator")
        .astype({"runs": int, "error": float, "bias": float})
    )


def _row(rows: pd.DataFrame, predicted: pd.Series, note: str) -> dict[str, Any]:
    known = predicted.notna()
    error, bias = spread(rows[known], predicted[known]) if known.any() else (np.nan, np.nan)
    return {"runs": int(known.sum()), "error": error, "bias": bias, "note": note}


def _llm_analysis(rows: pd.DataFrame) -> tuple[pd.Series, str]:
    """(tokens per second and GPU by llm-analysis, NaN where it cannot tell, and a note)."""
    nothing = pd.Series(np.nan, rows.index)
    try:
        from llm_analysis import analysis, config, logger
    except ImportError:
        return nothing, NOT_INSTALLED
    logger.logger.setLevel("CRITICAL")  # it speaks of every run
    runs = measured_training().set_index("id").loc[rows["id"]]
    found = [_theirs(analysis, config, run) for run in runs.itertuples()]
    return pd.Series(
        found, rows.index
    ), "counts each layer; the utilisation is its user's to choose"


def _theirs(analysis: Any, config: Any, run: Any) -> float:
    """Speed of one run, or NaN where its architecture is not known."""
    if not (run.layers > 0 and run.hidden > 0 and run.vocab > 0 and run.seq_len > 0):
        return np.nan
    card = middle(catalog.gpu(run.gpu))
    bits = {"fp8": 8, "fp4": 4}.get(run.precision, 16)
    gpu = config.GPUConfig(
        name=card.id,
        mem_per_GPU_in_GB=AMPLE_GB,
        hbm_bandwidth_in_GB_per_sec=card.bandwidth / GB,
        intra_node_bandwidth_in_GB_per_sec=card.interconnect / GB,
        intra_node_min_message_latency=0.0,
        peak_fp16_TFLOPS=card.peak_flops_bf16 / TFLOP,
        peak_i8_TFLOPS=(card.peak_flops_fp8 or np.nan) / TFLOP,
        peak_i4_TFLOPS=(card.peak_flops_fp4 or np.nan) / TFLOP,
    )
    length = int(run.seq_len)
    model = config.ModelConfig(
        name=run.model,
        num_layers=int(run.layers),
        n_head=max(1, round(run.hidden / HEAD)),
        hidden_dim=int(run.hidden),
        vocab_size=int(run.vocab),
        max_seq_len=length,
    )
    estimator = analysis.LLMAnalysis(
        model,
        gpu,
        config.DtypeConfig(weight_bits=bits, activation_bits=bits),
        flops_efficiency=THEIR_EFFICIENCY,
    )
    redo = {
        "none": analysis.ActivationRecomputation.NONE,
        "selective": analysis.ActivationRecomputation.SELECTIVE,
    }
    step = estimator.training(
        batch_size_per_gpu=1,
        gradient_accumulation_steps=1,
        seq_len=length,
        activation_recomputation=redo.get(run.checkpointing, analysis.ActivationRecomputation.FULL),
    )
    return length / step["latency_per_micro_batch"]
