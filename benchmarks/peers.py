"""Ask other public estimators of training about the measured runs that all of them can take.

    python benchmarks/peers.py     writes data/measured/peers.csv

One row a run, one column an estimator [token/s and GPU]. It needs
`pip install llm-analysis==0.2.2`, best in an environment of its own: its dependencies are old. A
run whose architecture was not published has no row. `costmodel.validation.beside_peers` holds the
table against what was measured.
"""

from __future__ import annotations

import sys
from typing import Any

import numpy as np
import pandas as pd
from llm_analysis import config, logger
from llm_analysis.analysis import ActivationRecomputation, LLMAnalysis

from costmodel.core.draws import middle
from costmodel.core.units import GB, KILO
from costmodel.facts import catalog
from costmodel.laws.training.calibration import measured_training
from costmodel.validation.training import fidelity

EFFICIENCY = (
    0.5  # of the peak; it asks its user, and notes "achieved by Megatron-LM is ~0.5" (constant.py)
)
NAME = f"llm-analysis at {EFFICIENCY:.0%}"
TFLOP = KILO * GB
AMPLE_GB = (
    1e9  # its time does not depend on memory, but without sharding it refuses what does not fit
)
HEAD = 128  # usual width of an attention head; it wants to know the heads
BITS = {"fp8": 8, "fp4": 4}  # any other precision: 16
RECOMPUTED = {
    "none": ActivationRecomputation.NONE,
    "selective": ActivationRecomputation.SELECTIVE,
}  # anything else: full


def tokens_per_s_per_gpu(run: Any) -> float:
    """Speed of one run as llm-analysis sees it."""
    length, bits = int(run.seq_len), BITS.get(run.precision, 16)
    model = config.ModelConfig(
        name=run.model,
        num_layers=int(run.layers),
        n_head=max(1, round(run.hidden / HEAD)),
        hidden_dim=int(run.hidden),
        vocab_size=int(run.vocab),
        max_seq_len=length,
    )
    numbers = config.DtypeConfig(weight_bits=bits, activation_bits=bits)
    estimator = LLMAnalysis(model, gpu_of(run.gpu), numbers, flops_efficiency=EFFICIENCY)
    step = estimator.training(
        batch_size_per_gpu=1,
        gradient_accumulation_steps=1,
        seq_len=length,
        activation_recomputation=RECOMPUTED.get(run.checkpointing, ActivationRecomputation.FULL),
    )
    return length / step["latency_per_micro_batch"]


def gpu_of(name: str) -> Any:
    """Our record of a GPU in its words."""
    card = middle(catalog.gpu(name))
    return config.GPUConfig(
        name=card.id,
        mem_per_GPU_in_GB=AMPLE_GB,
        hbm_bandwidth_in_GB_per_sec=card.bandwidth / GB,
        intra_node_bandwidth_in_GB_per_sec=card.interconnect / GB,
        intra_node_min_message_latency=0.0,
        peak_fp16_TFLOPS=card.peak_flops_bf16 / TFLOP,
        peak_i8_TFLOPS=(card.peak_flops_fp8 or np.nan) / TFLOP,
        peak_i4_TFLOPS=(card.peak_flops_fp4 or np.nan) / TFLOP,
    )


def main() -> None:
    logger.logger.setLevel("CRITICAL")  # it speaks of every run
    table = fidelity()
    asked = table.loc[(table["method"] == "full") & (table["unit"] == "token/s"), "id"]
    runs = measured_training().set_index("id").loc[asked].reset_index()
    runs = runs.dropna(subset=["layers", "hidden", "vocab", "seq_len"])
    said = [tokens_per_s_per_gpu(run) for run in runs.itertuples()]
    found = pd.DataFrame({"id": runs["id"], NAME: said})
    path = catalog.data_folder() / "measured" / "peers.csv"
    found.assign(source="derived").to_csv(path, index=False, lineterminator="\n")


if __name__ == "__main__":
    sys.exit(main())
