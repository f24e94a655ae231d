"""Training runs predicted: speed, GPU-hours, wall time, utilisation and memory, with bands.

The band is that of published runs whose family a fit had not seen (benchmarks/fit_training.py).
"""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from costmodel.core import GB, SECONDS_PER_HOUR, Infeasible, public
from costmodel.laws.columns import banded
from costmodel.laws.training.calibration import laws
from costmodel.laws.training.compute import adapter_flops, training_flops
from costmodel.laws.training.inputs import prepare
from costmodel.laws.training.memory import FILLED, least_memory, peak_memory, shortage
from costmodel.laws.training.run import band_of
from costmodel.laws.training.speed import seconds_per_token, start_s

HIGHEST = 0.7  # model FLOP utilisation that no band exceeds: published runs end at 0.62


@public
def predict_training(
    params: Any,
    tokens: Any,
    gpu: Any,
    gpus: Any = 1,
    method: Any = "full",
    precision: Any = "bf16",
    seq_len: Any = 2048,
    active_params: Any = None,
    layers: Any = None,
    hidden: Any = None,
    vocab: Any = None,
    micro_batch: Any = None,
    packed: Any = None,
    stack: Any = "standard",
    checkpointing: Any = True,
    rank: Any = None,
    rollouts: Any = None,
    savers: Any = None,
) -> pd.DataFrame:
    """Time, utilisation and memory of a training run: low, mid and high of an 80 % band.

    Hours = tokens x seconds per token / share of the time at speed, and the start of the run.
    Published runs fit the speed and memory laws (data/calibration/training.csv). Gradients may be
    accumulated over any number of micro-batches: that does not change the speed here. Fewer GPUs
    than `gpus_min` do not hold the run: its speed is then that on `gpus_min`. Not in it:
    expert-parallel and pipeline schedules, sliding-window attention, queues for GPUs.

    Parameters
    ----------
    params, active_params : number or array [count]
        All parameters, and those used for one token (None: all).
    tokens : number or array above 0 [token]
        Of all epochs; for RL prompts and answers.
    gpu : id, `Gpu` record or list of them
    gpus : whole number or array, 1 to 1,000,000
    method : "full", "lora", "qlora", "dpo" or "rl"
    precision : "bf16", "fp16", "pure_bf16" (the optimiser too), "fp8" or "fp4"
    seq_len, micro_batch : number or array, at least 1 [token], [sequence]
        Length of a sequence, and sequences at once on a GPU (None: some 4,096 tokens).
    layers, hidden, vocab : number or array, at least 1
        Estimated from the active parameters where None, with a wider band.
    packed : bool or array
        Whether examples fill the window; otherwise they are padded, and `tokens` counts the real
        ones (None: packed, except by a plain script).
    stack : "tuned", "standard", "naive" or "offload"
        A vendor's with selective checkpointing, a well-configured open one, a plain script, or
        states in the host's memory.
    checkpointing : True, False or "selective"
        QLoRA without it keeps more activations than LoRA, as measured.
    rank : number or array, up to `hidden`
        Of an adapter on every linear layer (None: 16). With dpo or rl it says that an adapter is
        trained.
    rollouts : number or array, at least 1
        Answers that an RL step begins (None: 1,024).
    savers : text
        "chunked_loss", "optimizer_8bit", "optimizer_offload" (its states in the host's memory, as
        paged optimisers have them), "fused_step" (optimiser inside the backward pass) and
        "activation_offload", joined by "+" (None: chunked_loss, for a plain script none).

    Returns
    -------
    DataFrame
        One row per run: `tokens_per_s_per_gpu`, `gpu_hours` and `wall_hours` of the whole run (with
        start-up, evaluation and failures), `mfu` (6 N, for adapters 4 N, FLOP per token over the
        peak of the precision; attention and recomputation left out, as most published numbers) and
        `peak_memory_gb` of one GPU, each with `_low`, `_mid`, `_high`; `gpus_min`, the fewest
        GPUs by the middle of the memory; `fits`, whether yours hold the run at its low end; and
        `why_not`. Of several runs, one that fits no
        number of GPUs is NaN but for its memory.

    Raises
    ------
    Infeasible
        Where a single run fits no number of GPUs.
    CatalogError
        For an unknown GPU or word, with the nearest one.
    ValueError
        For a number outside its range, or arrays of unequal length.

    Examples
    --------
    >>> one = predict_training(6.74e9, 2e12, "A100-80GB", gpus=2_048, seq_len=4_096)
    >>> bool(one.gpu_hours_low[0] < 184_320 < one.gpu_hours_high[0])  # Llama 2 7B, table 2
    True
    """
    given = dict(locals())
    run, tokens, known, seen, least = prepare(given)
    speed, memory, bands = laws()
    nowhere = np.isnan(least)
    if all(np.ndim(value) == 0 for value in given.values()) and nowhere[0]:
        raise Infeasible(
            "this run fits no number of GPUs: each of 16,384 would lack "
            f"{shortage(run, memory)[0] / GB:,.3g} GB beside the usable part of its "
            f"{run.memory[0] / GB:g} GB; "
            "take a larger GPU, shorter sequences, checkpointing, or QLoRA"
        )
    active = run.active_params
    flops = np.where(run.adapter, adapter_flops(active, 1.0), training_flops(active, 1.0))
    full = run.peak / flops  # speed at full utilisation
    rate = np.where(nowhere, np.nan, 1 / seconds_per_token(run, speed))
    spread = _widened(
        band_of(run, bands), (~known, bands["unknown_architecture"]), (~seen, bands["unseen_gpu"])
    )
    rates = np.array([rate / spread, rate, np.minimum(rate * spread, full * HIGHEST)])
    hours = tokens / rates[::-1] / speed.whole_run / SECONDS_PER_HOUR
    start = start_s(run) / SECONDS_PER_HOUR
    room = _widened(bands["memory"], (~known, bands["unknown_architecture_memory"]))
    peak = peak_memory(run, run.gpus, memory) / GB
    columns = banded(
        tokens_per_s_per_gpu=rates,
        gpu_hours=hours + start * run.gpus,
        wall_hours=hours / run.gpus + start,
        mfu=rates / full,
        peak_memory_gb=np.array([peak / room, peak, peak * room]),
    )
    low = least_memory(run, run.gpus, memory) / room
    fits = (least <= run.gpus) | (low <= FILLED * run.memory)
    count, text = np.unique(least, return_inverse=True)  # NaN are one
    needs = np.array([_why_not(n) for n in count], object)[text]
    reasons = np.where(fits, "", needs)
    return pd.DataFrame(columns | {"gpus_min": least, "fits": fits, "why_not": reasons})


def _why_not(least: float) -> str:
    if np.isnan(least):
        return "does not fit any number of GPUs"
    return f"does not fit: it needs {least:,.0f} GPUs or more, whose speed this is"


def _widened(factor: Any, *more: tuple[Any, float]) -> Any:
    """A band widened by each factor where it holds: errors add as squares of logarithms."""
    total = np.log(factor) ** 2 + sum(where * np.log(extra) ** 2 for where, extra in more)
    return np.exp(np.sqrt(total))
