"""How fast a GPU trains: a roofline with few efficiencies that hold for GPUs never measured.

Time of one token = compute / (peak x efficiency), against kernel launches and the gathering of
sharded weights, plus the exchange between experts, the unpacking of 4-bit weights and, for RL, the
answers that the inference roofline prices. The efficiencies are fitted to published runs
(benchmarks/fit_training.py) and live in data/calibration/training.csv. All functions take the
numbers of a `run.Run`, which broadcast.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from costmodel.laws.serving.calibration import physics
from costmodel.laws.serving.instance import CACHE_SHARE, FLOP_PER_PARAMETER
from costmodel.laws.serving.roofline import part_s
from costmodel.laws.training.compute import BYTES_PER_PARAMETER_BF16, attention_flops, passes

REFERENCE_BALANCE = 2.0e12 / 3.12e14  # byte/FLOP of the A100 80 GB, to which `efficiency` refers
BEST_PUBLISHED = 0.62  # highest utilisation among the measured runs: llm-foundry, MPT-3B on A100
OVERLAP = 3.0  # power of the sum of parts that run side by side: the longest decides
TUNED_LAUNCHES = 0.25  # share of launch time left by CUDA graphs and fused kernels; assumption
NAIVE_LAUNCHES = 1.5  # more of it by layers that nothing fuses; assumption
SELECTIVE = 0.15  # share of the forward pass that selective checkpointing does again; assumption
ACROSS = (
    3.0  # time of an exchange between nodes over one inside; stacks keep most inside; assumption
)
NF4_BYTES = 0.516  # of one 4-bit weight with its scales (arXiv:2305.14314, section 3)
HOST_LINK = 2.5e10  # byte/s from the memory of the host to one GPU: PCIe 4 x16; assumption
EXPERT_GROUP = 64.0  # most GPUs over which the experts of a layer are spread; usual
USABLE = 0.9  # share of memory that weights and cache fill while a policy generates; assumption
ROUNDED_UP = 1.5  # mean of a replica over the least that holds the weights: powers of two
MOST_SEQUENCES = 256.0  # in one decoding batch of a replica; usual limit of inference servers
EXAMPLE = (
    200.0  # tokens of one example where they are not packed: instructions and answers (Alpaca)
)
START_S = 120.0  # processes, compiling and the first slow steps; assumption
LOADING = 2e9  # bytes of weights that a GPU reads from storage in a second; assumption: local disks
KV_HEADS_SHARE = (
    1 / 4
)  # keys and values over the width: grouped-query attention; 1 for older models


@dataclass(frozen=True)
class SpeedLaw:
    """Calibrated numbers. An efficiency is a share of the dense peak, a factor compares stacks."""

    # -- efficiency
    efficiency: float  # matrix products of a wide model in bf16, A100 80 GB, standard stack [share]
    balance_power: float  # how efficiency follows bandwidth over peak, over GPUs and precisions
    half_width: float  # hidden size at which all else takes as long as the matrix products
    attention_efficiency: float  # the same as `efficiency`, for attention [share]
    sparsity_power: float  # how the speed of experts follows active over all parameters
    # -- stacks
    tuned: float  # vendor stack over standard [x]
    naive: float  # plain script over standard [x]
    offload: float  # states or weights in host memory over standard [x]
    # -- beside the matrix products
    launch_s: float  # one layer, one pass: kernel launches [s]
    dequantisation_bytes: float  # moved to unpack one 4-bit weight in a pass [byte]
    doubling_loss: float  # time added by each doubling of GPUs beyond a node [share]
    exchange: float  # sent between experts, per token, layer, pass and unit of width [byte]
    in_flight: float  # answers still being written, over those begun, mean of an RL step [share]
    padding: float  # how the longest of n examples grows over the mean
    whole_run: float  # steady speed that a whole run keeps: start, evaluation, failures [share]


def efficiency(run: Any, law: SpeedLaw) -> Any:
    """Share of the peak that the matrix products reach.

    base x (bandwidth / peak relative to an A100)^power x stack, at most the best measured matrix
    product, and less for narrow models whose norms, activations and optimiser weigh more: / (1 +
    half_width / hidden). The peak is that of the precision, so the same power says how far fp8
    stays below its double speed. A mixture of experts multiplies smaller matrices: x (active / all
    parameters)^sparsity_power.
    """
    products = _reached(run, law, law.efficiency, run.peak, _stack(run, law))
    return products / (1 + law.half_width / run.hidden)


def _reached(run: Any, law: SpeedLaw, base: Any, peak: Any, stack: Any) -> Any:
    """Share of a peak that a base efficiency reaches on the GPUs, stack and experts of a run."""
    balance = (run.bandwidth / peak / REFERENCE_BALANCE) ** law.balance_power
    sparse = (run.active_params / run.params) ** law.sparsity_power
    return np.minimum(base * balance * stack, run.matmul) * sparse


def _stack(run: Any, law: SpeedLaw) -> Any:
    return np.where(run.naive, law.naive, _fused(run, law))


def _fused(run: Any, law: SpeedLaw) -> Any:
    """The same for attention: plain scripts have fused kernels for it too.

    An adapter keeps nothing on the host that an optimiser there would have to work through.
    """
    slowed = run.offload & ~run.adapter
    return np.where(run.tuned, law.tuned, np.where(slowed, law.offload, 1.0))


def seconds_per_token(run: Any, law: SpeedLaw) -> Any:
    """GPU-seconds of one useful token while the run is at speed [s].

    time = (compute^3 + launches^3 + gathering^3 + exchange^3)^(1/3) + unpacking, then scale-out,
    rollouts and padding. Plain scripts gather weights before they compute: that time is added.
    """
    times = passes(1.0 - run.adapter, run.recompute, run.forwards)
    gathered = gathering_s(run, times)
    beside = (
        launches_s(run, times, law),
        exchange_s(run, times, law),
        np.where(run.naive, 0.0, gathered),
    )
    total = compute_s(run, times, law) ** OVERLAP + sum(part**OVERLAP for part in beside)
    seconds = total ** (1 / OVERLAP) + unpacking_s(run, times, law)
    seconds = seconds + np.where(run.naive, gathered, 0.0)
    seconds = seconds * (1 + law.doubling_loss * np.maximum(0.0, np.log2(run.gpus_used / run.node)))
    seconds = seconds + np.where(run.generates, generation_s(run, law), 0.0)
    return seconds / np.where(run.packed, 1.0, useful_share(run, law))


def compute_s(run: Any, times: Any, law: SpeedLaw) -> Any:
    """Seconds per token of matrix products and attention, never above `BEST_PUBLISHED` of the peak.

    2 N passes / (peak x efficiency) + attention / (bf16 peak x attention efficiency).
    """
    one_pass = FLOP_PER_PARAMETER * run.active_params
    products = one_pass * times / (run.peak * efficiency(run, law))
    share = _reached(run, law, law.attention_efficiency, run.peak_bf16, _fused(run, law))
    flops = attention_flops(run.layers, run.hidden, run.seq_len, run.recompute)
    useful = one_pass * passes(1.0 - run.adapter)
    least = useful / (run.peak * BEST_PUBLISHED)
    return np.maximum(products + flops / (run.peak_bf16 * share), least)


def launches_s(run: Any, times: Any, law: SpeedLaw) -> Any:
    """Seconds per token of kernel launches: launch_s x layers x passes / tokens in flight.

    CUDA graphs help dense models only: tokens choose other experts in each step.
    """
    graphs = run.tuned & (run.active_params == run.params)
    slower = np.where(graphs, TUNED_LAUNCHES, np.where(run.naive, NAIVE_LAUNCHES, 1.0))
    return law.launch_s * slower * run.layers * times / batch_tokens(run)


def useful_share(run: Any, law: SpeedLaw) -> Any:
    """Share of a padded batch that is text: n^-padding for n examples beside each other.

    Every example is as long as the longest, which grows with their number: 1.3 times the mean for
    two and 1.7 times for four examples of the usual spread (lognormal, sigma 0.7).

    >>> from types import SimpleNamespace as Record
    >>> four = Record(tokens_in_flight=4 * 512.0, seq_len=512.0)
    >>> round(float(useful_share(four, Record(padding=0.4))), 2)
    0.57
    """
    return np.maximum(run.tokens_in_flight / run.seq_len, 1.0) ** -law.padding


def batch_tokens(run: Any) -> Any:
    """Tokens of a micro-batch on one GPU, padding included.

    Without packing a row is as long as the longest example of its batch, not as the window:
    micro-batch x example. torchtune's unpacked 3B (2 examples a batch, window 4,096) is 3.4 times
    slower than packed mostly because launches take as long for few tokens as for many.
    """
    rows = run.tokens_in_flight / run.seq_len
    return np.where(run.packed, run.tokens_in_flight, rows * np.minimum(run.seq_len, EXAMPLE))


def unpacking_s(run: Any, times: Any, law: SpeedLaw) -> Any:
    """Seconds per token to unpack 4-bit weights: bytes / bandwidth / tokens in flight."""
    moved = law.dequantisation_bytes * run.params * times
    seconds = moved / (run.bandwidth * _stack(run, law)) / batch_tokens(run)
    return np.where(run.quantised, seconds, 0.0)


def start_s(run: Any) -> Any:
    """Seconds before a run is at speed: 120 + bf16 weights / (GPUs x 2 GB/s).

    It decides runs of minutes; an assumption, in no fit.
    """
    return START_S + BYTES_PER_PARAMETER_BF16 * run.params / (LOADING * run.gpus)


def gathering_s(run: Any, times: Any) -> Any:
    """Seconds per token to gather sharded weights in each pass.

    Bytes x (1 - 1 / GPUs) / link / tokens in flight. Plain scripts and offload gather all experts,
    used or not; other stacks leave them in place and send the tokens (`exchange_s`). Frozen weights
    of an adapter are not gathered: each GPU has a copy, or layers of its own; sharded LoRA and
    QLoRA runs on 8 A100 (torchtune) are as fast as that says. With offload they stay on the host,
    and each GPU reads its part from there and the others' from them.
    """
    gathered = np.where(run.naive | run.offload, run.params, run.active_params)
    width = np.where(run.quantised, NF4_BYTES, BYTES_PER_PARAMETER_BF16)
    moved = width * gathered * times / batch_tokens(run)
    shared = moved * (1 - 1 / run.gpus_used) / (run.interconnect / 2)
    read = np.where(run.offload, moved / run.gpus_used / HOST_LINK + shared, 0.0)
    return np.where(run.adapter, read, shared)


def exchange_s(run: Any, times: Any, law: SpeedLaw) -> Any:
    """Seconds per token to send tokens to their experts and back, longer beyond a node.

    Bytes x (1 - 1 / GPUs) / link.
    """
    group = np.minimum(run.gpus_used, EXPERT_GROUP)
    moved = law.exchange * run.layers * run.hidden * times * (1 - 1 / group)
    seconds = moved / (run.interconnect / 2) * np.where(group > run.node, ACROSS, 1.0)
    return np.where(run.active_params < run.params, seconds, 0.0)


def generation_s(run: Any, law: SpeedLaw) -> Any:
    """GPU-seconds to write one token of an RL answer: a decoding step over its sequences.

    The step is that of the inference roofline, the model taken as one part. A replica is as many
    GPUs (not whole) as hold the bf16 weights and leave a fifth for the cache; all experts are read
    in every step. `rollouts` answers of a step are spread over all GPUs; long ones finish late, so
    a share `in_flight` of them is at work in the mean. Every token of the run counts as written.
    Not in it: tools and rewards, the transfer of weights, overlap with training.
    """
    engine, usable = physics(), USABLE * run.memory
    weights = BYTES_PER_PARAMETER_BF16 * run.params
    replica = np.maximum(1.0, ROUNDED_UP * weights / (usable * (1 - CACHE_SHARE)))
    cache = 2 * BYTES_PER_PARAMETER_BF16 * KV_HEADS_SHARE * run.layers * run.hidden * run.seq_len
    begun = law.in_flight * run.rollouts * np.minimum(1.0, replica / run.gpus_used)
    held = (usable * replica - weights) / cache
    batch = np.maximum(1.0, np.minimum(np.minimum(begun, MOST_SEQUENCES), held))
    step = part_s(
        weights + batch * cache,
        run.bandwidth * replica * engine.mbu,
        FLOP_PER_PARAMETER * run.active_params * batch,
        run.peak_bf16 * replica * engine.mfu,
    )
    return (step + engine.overhead_s_per_layer * run.layers) * replica / batch
