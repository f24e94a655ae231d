"""A training run as the laws read it: model, GPUs, method, batch and stack in numbers.

`build` is the only way in which a `Run` is made: of columns by `inputs`, of draws by a tune of the
package.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from costmodel.core import floats
from costmodel.facts import catalog
from costmodel.laws.training.compute import USUAL_VOCAB, usual_hidden, usual_layers
from costmodel.laws.training.speed import EXAMPLE, SELECTIVE

# extra forward passes of each method: the reference model; the reference and the old policy
FORWARDS = {"full": 0.0, "lora": 0.0, "qlora": 0.0, "dpo": 1.0, "rl": 2.0}
METHODS = tuple(FORWARDS)
PRECISIONS = {
    "bf16": "peak_flops_bf16",
    "fp16": "peak_flops_bf16",
    "pure_bf16": "peak_flops_bf16",
    "fp8": "peak_flops_fp8",
    "fp4": "peak_flops_fp4",
}
STACKS = ("tuned", "standard", "naive", "offload")
# the first that holds decides the band
CLASSES = ("offload", "rl", "moe", "adapter", "dense")
MATMUL = (
    0.8  # best matrix product over the peak where nobody has measured it: 0.73 to 0.87 is usual
)
ROLLOUTS = 1_024.0  # answers of an RL step where none are given: published steps begin 512 to 2,048
RANK = 16.0  # of an adapter on every linear layer, where none is given
TOKENS_IN_FLIGHT = 4_096.0  # of one GPU without a given micro-batch, for a model of 7B and more
LONGEST = 2.0  # longest example of a padded batch over the mean; assumption
WIDE = 32 * 4_096.0  # layers x width of a 7B; smaller models take more tokens to fill a GPU


@dataclass(frozen=True)
class Run:
    """The numbers that the laws read, each an array with one entry per run or a column of draws."""

    # -- the model [count]
    params: Any
    active_params: Any
    layers: Any
    hidden: Any
    vocab: Any
    # -- the GPUs
    gpus: Any
    gpus_used: Any  # at least as many as the run needs to fit
    node: Any  # GPUs that one fast link joins
    peak: Any  # FLOP/s in the precision of the run
    peak_bf16: Any
    matmul: Any  # best measured matrix product over the peak
    bandwidth: Any  # byte/s
    interconnect: Any  # byte/s, both directions summed
    memory: Any  # byte
    # -- the method
    adapter: Any
    quantised: Any
    forwards: Any  # extra forward passes
    generates: Any
    rank: Any
    rollouts: Any  # answers that an RL step begins
    # -- the batch
    seq_len: Any  # tokens
    tokens_in_flight: Any
    fewest_in_flight: Any  # those of one sequence where the micro-batch is free, else the same
    packed: Any
    # -- the stack
    tuned: Any
    naive: Any
    offload: Any
    checkpointed: Any  # share of the forward pass whose activations are not kept
    recompute: Any  # and done again
    # -- memory savers
    pure_bf16: Any
    chunked_loss: Any
    optimizer_8bit: Any
    optimizer_offload: Any  # its states alone
    fused_step: Any
    activation_offload: Any


def build(
    card: Any,
    node: Any,
    *,
    params: Any,
    seq_len: Any,
    method: Any,
    stack: Any,
    active_params: Any,
    layers: Any,
    hidden: Any,
    vocab: Any,
    packed: Any,
    precision: Any = "bf16",
    gpus: Any = 1.0,
    micro_batch: Any = None,
    checkpointing: Any = 1.0,
    rank: Any = None,
    rollouts: Any = None,
    chunked_loss: Any = None,
    optimizer_8bit: Any = False,
    optimizer_offload: Any = False,
    fused_step: Any = False,
    activation_offload: Any = False,
) -> Run:
    """The run of these numbers and words; None and NaN are filled in by the stated rules.

    `card` has the fields of a GPU and `checkpointing` is a share of the forward pass. Numbers,
    arrays of runs and columns of draws may be mixed.
    """
    active = _or(active_params, params)
    layers = _or(layers, usual_layers(active))
    hidden = _or(hidden, usual_hidden(active, layers))
    usual = TOKENS_IN_FLIGHT * np.maximum(1.0, WIDE / (layers * hidden))
    whole = _or(packed, stack != "naive") > 0
    row = np.where(whole, seq_len, np.minimum(seq_len, LONGEST * EXAMPLE))
    tokens = _or(micro_batch, np.maximum(1.0, np.floor(usual / row))) * seq_len
    tuned = stack == "tuned"
    ranked = _or(rank, 0.0) > 0  # with dpo or rl, a rank says that an adapter is trained
    peaks = [_or(getattr(card, field), np.nan) for field in PRECISIONS.values()]
    return Run(
        params=params,
        active_params=active,
        layers=layers,
        hidden=hidden,
        vocab=_or(vocab, USUAL_VOCAB),
        gpus=gpus,
        gpus_used=gpus,
        node=node,
        peak=np.select([precision == p for p in PRECISIONS], peaks),
        peak_bf16=card.peak_flops_bf16,
        matmul=_or(card.matmul_efficiency, MATMUL),
        bandwidth=card.bandwidth,
        interconnect=card.interconnect,
        memory=card.memory,
        adapter=np.isin(method, ("lora", "qlora")) | np.isin(method, ("dpo", "rl")) & ranked,
        quantised=method == "qlora",
        forwards=np.vectorize(FORWARDS.get)(method),
        generates=method == "rl",
        rank=_or(rank, RANK),
        rollouts=_or(rollouts, ROLLOUTS),
        seq_len=seq_len,
        tokens_in_flight=tokens,
        fewest_in_flight=_or(micro_batch, 1.0) * seq_len,
        packed=whole,
        tuned=tuned,
        naive=stack == "naive",
        offload=stack == "offload",
        checkpointed=checkpointing,
        recompute=np.where(tuned, np.minimum(checkpointing, SELECTIVE), checkpointing),
        pure_bf16=precision == "pure_bf16",
        chunked_loss=_or(chunked_loss, stack != "naive") > 0,
        optimizer_8bit=optimizer_8bit,
        optimizer_offload=optimizer_offload,
        fused_step=fused_step,
        activation_offload=activation_offload,
    )


def _or(value: Any, other: Any) -> Any:
    """The value, or the other where it is None or NaN."""
    value = floats(value)
    return np.where(np.isnan(value), other, value)


def gpus_per_node(gpu: str) -> float:
    """GPUs that one fast link joins, of the calibration [count].

    >>> gpus_per_node("H100-SXM"), gpus_per_node("GB200")
    (8.0, 72.0)
    """
    facts = catalog.facts_of("training")
    return facts.get(f"{gpu}.gpus_per_node", facts["node.gpus_per_node"]).value.mid


def class_of(run: Run) -> np.ndarray:
    """The class of each run, which decides the width of its band."""
    return np.select(
        [run.offload & ~run.adapter, run.generates, run.active_params < run.params, run.adapter],
        CLASSES[:-1],
        CLASSES[-1],
    )


def band_of(run: Run, bands: dict[str, float]) -> np.ndarray:
    """The factor f of the band [x]: 80 % of runs lie between prediction / f and prediction x f."""
    return np.vectorize(bands.get)(class_of(run))
