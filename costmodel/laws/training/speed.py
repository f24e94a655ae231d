"""How fast a GPU trains: a roofline with few, bounded efficiencies that hold for GPUs and methods never measured.

Time of one token = compute / (peak x efficiency), against kernel launches and the gathering of sharded weights, plus
the exchange between experts, the unpacking of 4-bit weights and, for RL, the answers that the inference model prices.
The efficiencies are fitted to published runs (benchmarks/fit_training.py) and live in data/calibration/training.csv.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from costmodel.laws.serving.roofline import CACHE_SHARE as KV_SHARE
from costmodel.laws.serving.roofline import part_s
from costmodel.laws.training.compute import (
    BYTES_PER_PARAMETER_BF16,
    FLOP_PER_PARAMETER_PASS,
    attention_flops,
    passes,
)

REFERENCE_BALANCE = 2.0e12 / 3.12e14  # byte/FLOP of the A100 80 GB, to which `efficiency` refers
BEST_PUBLISHED = (
    0.62  # highest model FLOP utilisation among the measured runs: llm-foundry, MPT-3B on A100
)
OVERLAP = (
    3.0  # power of the sum of what runs side by side: the longest decides, the rest shows a little
)
TUNED_LAUNCHES = 0.25  # share of launch time left by CUDA graphs and fused kernels; assumption
NAIVE_LAUNCHES = 1.5  # more of it by layers that nothing fuses; assumption
SELECTIVE = 0.15  # share of the forward pass that selective checkpointing does again; assumption
ACROSS = 3.0  # time of an exchange between nodes over one inside; assumption, because stacks keep most of it inside
EXPERT_GROUP = 64.0  # most GPUs over which the experts of a layer are spread; usual
USABLE = (
    0.9  # share of the memory that weights and cache may fill while a policy generates; assumption
)
ROUNDED_UP = 1.5  # mean of a replica over what just holds the weights: replicas are powers of two
MOST_SEQUENCES = 256.0  # in one decoding batch of a replica; usual limit of inference servers
START_S = 120.0  # processes, compiling and the first slow steps; assumption
LOADING = 2e9  # bytes of weights that a GPU reads from storage in a second; assumption: local disks or a parallel file system
KV_HEADS_SHARE = (
    1 / 4
)  # keys and values over the width: grouped-query attention; 1 for older models


@dataclass(frozen=True)
class SpeedLaw:
    """Calibrated numbers. An efficiency is a share of the dense peak; a factor compares with the standard stack."""

    efficiency: float  # matrix multiplication of a wide model in bf16 on an A100 80 GB, standard stack [share]
    balance_power: (
        float  # how efficiency follows bandwidth over peak, over GPUs and precisions [power]
    )
    half_width: float  # hidden size at which everything around the matrix multiplications takes as long as they do
    attention_efficiency: float  # the same for attention [share]
    tuned: float  # vendor stack over standard [x]
    naive: float  # plain script over standard [x]
    offload: float  # states or weights in host memory over standard [x]
    launch_s: float  # one layer, one pass: kernel launches [s]
    dequantisation_bytes: float  # bytes moved to unpack one 4-bit weight in a pass [byte]
    doubling_loss: float  # time added by each doubling of GPUs beyond a node [share]
    sparsity_power: (
        float  # how the speed of a mixture of experts follows active over all parameters [power]
    )
    exchange: float  # sent between experts, per token, layer, pass and unit of width [byte]
    in_flight: float  # answers still being written, over those begun, mean of an RL step [share]
    packing: float  # useful share of a batch without packing [share]
    whole_run: float  # steady speed that a whole run keeps: start, evaluation, checkpoints, failures [share]


def efficiency(run: Any, law: SpeedLaw) -> Any:
    """Share of the peak that the matrix multiplications reach.

    base x (bandwidth / peak relative to an A100)^power x stack, at most the best measured matrix multiplication, and
    less for narrow models whose norms, activations and optimiser weigh more: / (1 + half_width / hidden). The peak is that
    of the precision, so the same power says how far fp8 stays below its double speed. A mixture of experts multiplies
    smaller matrices: x (active / all parameters)^sparsity_power.
    """
    reached = (
        law.efficiency
        * (run.bandwidth / run.peak / REFERENCE_BALANCE) ** law.balance_power
        * _stack(run, law)
    )
    return np.minimum(reached, run.matmul) / (1 + law.half_width / run.hidden) * _sparse(run, law)


def _stack(run: Any, law: SpeedLaw) -> Any:
    return np.where(
        run.tuned,
        law.tuned,
        np.where(run.naive, law.naive, np.where(run.offload, law.offload, 1.0)),
    )


def _sparse(run: Any, law: SpeedLaw) -> Any:
    return (run.active_params / run.params) ** law.sparsity_power


def seconds_per_token(run: Any, law: SpeedLaw) -> Any:
    """GPU-seconds of one useful token while the run is at speed [s].

    compute = 2 N passes / (peak x efficiency) + attention / (bf16 peak x attention efficiency), never above `BEST_PUBLISHED`
    launches = launch_s x layers x passes / tokens in flight; gathering = weight bytes x passes / link / tokens in flight
    time = (compute^3 + launches^3 + gathering^3)^(1/3) + exchange + dequantisation, then scale-out, rollouts and packing.
    """
    times = passes(run.every_weight, run.recompute, run.forwards)
    useful = FLOP_PER_PARAMETER_PASS * run.active_params * passes(run.every_weight)
    compute = (
        FLOP_PER_PARAMETER_PASS * run.active_params * times / (run.peak * efficiency(run, law))
    )
    balance = (run.bandwidth / run.peak_bf16 / REFERENCE_BALANCE) ** law.balance_power
    fused = np.where(
        run.tuned, law.tuned, np.where(run.offload, law.offload, 1.0)
    )  # plain scripts have flash attention too
    share = np.minimum(law.attention_efficiency * balance * fused, run.matmul) * _sparse(run, law)
    compute = compute + attention_flops(run.layers, run.hidden, run.seq_len, run.recompute) / (
        run.peak_bf16 * share
    )
    compute = np.maximum(compute, useful / (run.peak * BEST_PUBLISHED))
    graphs = run.tuned & (
        run.active_params == run.params
    )  # tokens choose other experts in each step: those are launched one by one
    slower = np.where(graphs, TUNED_LAUNCHES, np.where(run.naive, NAIVE_LAUNCHES, 1.0))
    launches = law.launch_s * slower * run.layers * times / run.tokens_in_flight
    beside = (
        launches**OVERLAP
        + gathering_s(run, times) ** OVERLAP
        + exchange_s(run, times, law) ** OVERLAP
    )
    seconds = (compute**OVERLAP + beside) ** (1 / OVERLAP)
    unpacking = (
        law.dequantisation_bytes
        * run.params
        * times
        / (run.bandwidth * _stack(run, law))
        / run.tokens_in_flight
    )
    seconds = seconds + np.where(run.quantised, unpacking, 0.0)
    seconds = seconds * (1 + law.doubling_loss * np.maximum(0.0, np.log2(run.gpus_used / run.node)))
    seconds = seconds + np.where(run.generates, generation_s(run, law), 0.0)
    return seconds / np.where(run.packed, 1.0, law.packing)


def start_s(run: Any) -> Any:
    """Seconds before a run is at speed: 120 + bf16 weights / (GPUs x 2 GB/s). It decides runs of minutes; an assumption, in no fit."""
    return START_S + BYTES_PER_PARAMETER_BF16 * run.params / (LOADING * run.gpus)


def gathering_s(run: Any, times: Any) -> Any:
    """Seconds per token to gather sharded weights in each pass: bytes x (1 - 1 / GPUs) / link / tokens in flight.

    Plain scripts and offload gather all experts, used or not; other stacks leave them in place and send the tokens
    (`exchange_s`). Frozen weights of an adapter are not gathered: each GPU has a copy, or layers of its own; sharded LoRA and
    QLoRA runs on 8 A100 (torchtune) are as fast as that says.
    """
    moved = BYTES_PER_PARAMETER_BF16 * np.where(
        run.naive | run.offload, run.params, run.active_params
    )
    return np.where(
        run.adapter,
        0.0,
        moved * times * (1 - 1 / run.gpus_used) / (run.interconnect / 2) / run.tokens_in_flight,
    )


def exchange_s(run: Any, times: Any, law: SpeedLaw) -> Any:
    """Seconds per token to send tokens to their experts and back: bytes x (1 - 1 / GPUs) / link, longer beyond a node."""
    group = np.minimum(run.gpus_used, EXPERT_GROUP)
    moved = law.exchange * run.layers * run.hidden * times * (1 - 1 / group)
    seconds = moved / (run.interconnect / 2) * np.where(group > run.node, ACROSS, 1.0)
    return np.where(run.active_params < run.params, seconds, 0.0)


def generation_s(run: Any, law: SpeedLaw) -> Any:
    """GPU-seconds to write one token of an RL answer: a decoding step of a replica over its sequences (`inference`).

    A replica is as many GPUs (not whole) as hold the bf16 weights and leave a fifth for the cache; all experts are read in
    every step. `rollouts` answers of a step are spread over all GPUs; long ones finish late, so a share `in_flight` of them
    is at work in the mean. Every token of the run counts as written; not in it: tools and rewards, the transfer of weights,
    overlap with training.
    """
    weights = BYTES_PER_PARAMETER_BF16 * run.params
    replica = np.maximum(1.0, ROUNDED_UP * weights / (USABLE * run.memory * (1 - KV_SHARE)))
    cache = 2 * BYTES_PER_PARAMETER_BF16 * KV_HEADS_SHARE * run.layers * run.hidden * run.seq_len
    begun = law.in_flight * run.rollouts * np.minimum(1.0, replica / run.gpus_used)
    batch = np.maximum(
        1.0,
        np.minimum(
            np.minimum(begun, MOST_SEQUENCES), (USABLE * run.memory * replica - weights) / cache
        ),
    )
    step = part_s(
        weights + batch * cache,
        run.bandwidth * replica * run.decode_mbu,
        FLOP_PER_PARAMETER_PASS * run.active_params * batch,
        run.peak_bf16 * replica * run.decode_mfu,
    )
    step = step + run.decode_layer_s * run.layers
    return step * replica / batch
