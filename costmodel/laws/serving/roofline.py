"""A calibrated roofline: what fits on the GPUs of an instance, and how long one forward pass takes.

Each part of a pass (dense weights, experts, attention) takes the longer of its bytes and its FLOPs.
The exchange between GPUs and fixed overheads come on top. `batching` puts passes together to served
requests. All functions are pure; every argument is a number, an array or a column of draws, and
they broadcast.

Not in it: pipeline parallelism, prefill on machines of its own, sparse attention, popular experts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

BF16_BYTES = 2.0  # embedding, output head and activations
FLOP_PER_PARAMETER = 2.0  # one multiply and one add
EXCHANGES_PER_LAYER = 2.0  # all-reduces: after attention and after the feed-forward block
DISPATCH_BYTES = 3.0  # of one value sent to an expert and back: one in FP8, two in BF16
CACHE_SHARE = 0.2  # of usable memory, left for the KV cache when GPUs are counted


@dataclass(frozen=True)
class Shape:
    """The numbers of an architecture that cost time or memory [count, unless stated]."""

    layers: Any
    hidden: Any
    kv_values: Any  # cached values per token and layer
    kv_shards: Any  # most tensor-parallel parts of a cache: KV heads; 1 for a latent cache
    prefill_width: Any  # query-key plus value width of all heads
    decode_width: Any  # the same as decoding multiplies it (latent attention: absorbed)
    dense_parameters: Any  # without embedding and head
    expert_parameters: Any  # all routed experts
    head_parameters: Any
    experts: Any  # 1 where there are none
    experts_per_token: Any
    expert_layers: Any
    latent_layers: Any  # layers with latent attention and experts
    full_layers: Any  # layers that attend to the whole context
    local_layers: Any  # layers that attend to `window`
    window: Any  # tokens; 0 for linear attention


@dataclass(frozen=True)
class Setup:
    """GPUs, number formats and layout of one instance."""

    peak_experts: Any  # FLOP/s of one GPU in the format of the experts
    peak_dense: Any  # ... of the other weights
    peak_bf16: Any
    bandwidth: Any  # byte/s
    memory: Any  # byte
    interconnect: Any  # byte/s, both directions summed
    expert_bytes: Any  # of one expert weight
    dense_bytes: Any  # of one other weight
    kv_bytes: Any  # of one cached value
    unpacked_experts: Any  # 1 where 4-bit experts are unpacked before the product, else 0
    unpacked_dense: Any
    fp4_dense: Any  # 1 where dense products run in FP4
    tensor_parallel: Any
    data_parallel: Any
    expert_parallel: Any  # groups of GPUs with experts of their own; in a group all are cut

    @property
    def gpus(self) -> Any:
        return self.tensor_parallel * self.data_parallel


@dataclass(frozen=True)
class Physics:
    """The calibrated numbers, one engine at one date; no efficiency exceeds 1."""

    mbu: Any  # of the bandwidth, reading weights
    mbu_kv: Any  # ... reading the KV cache
    mfu: Any  # of the peak, dense products in BF16 and FP8
    mfu_fp4: Any
    mfu_experts: Any
    mfu_attention: Any
    unpacking: Any  # efficiency left when 4-bit weights are unpacked
    link_efficiency: Any
    exchange_s: Any  # latency of an exchange, per doubling of the GPUs
    overhead_s_per_layer: Any
    overhead_s_per_expert_layer: Any
    overhead_s_per_sequence: Any
    prefill_s_per_layer: Any
    prefill_s_per_latent_layer: Any
    routing_spread: Any  # independent choices of experts over tokens
    interference: Any  # share of prefill time that running sequences wait for
    first_token_s: Any  # request handling before the first token
    engine_efficiency: Any
    expert_efficiency: Any
    memory_usable: Any  # of the memory
    reserve_bytes: Any
    ageing: Any = 1.0  # fixed overheads over those of the newest engines


@dataclass(frozen=True)
class Instance(Physics, Setup, Shape):
    """One instance: a model on its GPUs, with the calibrated numbers of its engine."""


def instance(shape: Shape, setup: Setup, physics: Physics) -> Instance:
    """The instance of an architecture, a setup and an engine."""
    return Instance(**vars(shape), **vars(setup), **vars(physics))


# -- memory ----------------------------------------------------------------------------------------


def weight_bytes_per_gpu(m: Instance) -> Any:
    """Weights on one GPU [byte]: dense ones over the tensor-parallel group, experts over all."""
    dense = m.dense_parameters * m.dense_bytes + 2 * m.head_parameters * BF16_BYTES
    return dense / m.tensor_parallel + m.expert_parameters * m.expert_bytes / m.gpus


def context_layers(m: Instance, context: Any) -> Any:
    """Cached tokens of one sequence, summed over layers: a local layer keeps its window only."""
    return m.full_layers * context + m.local_layers * np.minimum(context, m.window)


def kv_bytes(m: Instance, context: Any) -> Any:
    """KV cache of one sequence on one GPU [byte]; a latent cache is copied to each of them.

    Values of a token and layer x bytes of a value x tokens in all layers / parts: 2 x KV heads x
    head size values with grouped queries (Ainslie et al. 2023, arXiv:2305.13245), rank + rope head
    with a latent cache (DeepSeek-V2, arXiv:2405.04434, section 2.1.3, table 1). Not in it: blocks
    that are partly filled.
    """
    values = m.kv_values * m.kv_bytes * context_layers(m, context)
    return values / np.minimum(m.tensor_parallel, m.kv_shards)


def room_bytes(m: Instance) -> Any:
    """Memory of one GPU left for the KV cache [byte]; below 0 it is missing."""
    return m.memory_usable * m.memory - m.reserve_bytes - weight_bytes_per_gpu(m)


def sequences_at_once(m: Instance, context: Any) -> Any:
    """Sequences of `context` tokens whose caches fit in all attention groups of an instance."""
    room = m.data_parallel * np.maximum(room_bytes(m), 0.0)
    return room / np.maximum(kv_bytes(m, context), 1.0)


def gpus_that_fit(weight_bytes: Any, memory: Any, usable: Any) -> Any:
    """Smallest power of two of GPUs that holds the weights and leaves a fifth for the KV cache.

    2^ceil(log2(weights / (usable x memory x 0.8))), at least 1, any shape.

    >>> float(gpus_that_fit(141e9, 80e9, 0.9))  # Llama 3.1 70B in bf16
    4.0
    """
    room = memory * usable * (1 - CACHE_SHARE)
    return np.exp2(np.ceil(np.log2(np.maximum(weight_bytes / room, 1.0))))


# -- time ------------------------------------------------------------------------------------------


def part_s(moved: Any, bandwidth: Any, flop: Any, peak: Any) -> Any:
    """Time of one part of a forward pass [s]: max(bytes / bandwidth, FLOP / peak).

    Both speeds are those that are reached. Williams et al. 2009, "Roofline" (CACM 52, section 3).
    Not in it: launches and exchanges.

    >>> round(
    ...     1 / part_s(16.06e9, 0.8 * 3.35e12, 2 * 8.03e9, 0.5 * 989e12)
    ... )  # Llama 3.1 8B, one H100
    167
    """
    return np.maximum(moved / bandwidth, flop / peak)


def decode_step_s(m: Instance, batch: Any, context: Any, tokens: Any = 1.0) -> Any:
    """Time of one decoding step of `batch` sequences [s]; a draft checks `tokens` of each at once.

    Sum over dense weights, experts and attention of max(bytes / bandwidth, FLOP / peak), plus
    exchanges and overheads.
    """
    group = batch / m.data_parallel
    width = group * tokens
    flop = FLOP_PER_PARAMETER * width / m.tensor_parallel  # of a parameter on one GPU
    stored = m.dense_parameters * m.dense_bytes * _unpacking(m.unpacked_dense, m)
    dense = part_s(
        (stored + m.head_parameters * BF16_BYTES) / m.tensor_parallel,
        m.bandwidth * m.mbu,
        flop * (m.dense_parameters + m.head_parameters),
        _dense_speed(m),
    )
    attention = part_s(
        group * kv_bytes(m, context),
        m.bandwidth * m.mbu_kv,
        flop * m.decode_width * context_layers(m, context),
        m.peak_bf16 * m.mfu_attention,
    )
    moving = _experts_s(m, batch * tokens) + _exchange_s(m, width)
    doublings = np.log2(np.maximum(m.gpus, 1))
    fixed = (
        m.layers * (m.overhead_s_per_layer + EXCHANGES_PER_LAYER * doublings * m.exchange_s)
        + m.expert_layers * m.overhead_s_per_expert_layer
        + group * m.overhead_s_per_sequence
    )
    return (dense + attention + moving + fixed * m.ageing) / m.engine_efficiency


def prefill_work_s(m: Instance, tokens: Any, together: Any = 1.0, cached: Any = 0.0) -> Any:
    """Time that reading one prompt keeps its attention group busy [s], without fixed overhead.

    `together` prompts share one reading of the experts; `cached` tokens of the prompt are there
    already.
    """
    fresh, seen = np.maximum(tokens - cached, 1.0), tokens + cached
    dense = fresh * m.dense_parameters * FLOP_PER_PARAMETER / _dense_speed(m)
    pairs = m.full_layers * seen + m.local_layers * np.minimum(2 * m.window, seen)
    attention = fresh * m.prefill_width * pairs / (m.peak_bf16 * m.mfu_attention)
    experts = _experts_s(m, fresh * together) / together
    return (dense + attention) / m.tensor_parallel + experts + _exchange_s(m, fresh)


def prefill_fixed_s(m: Instance) -> Any:
    """Fixed time of one prefill [s]: launches of every layer, more where attention is latent."""
    return m.layers * m.prefill_s_per_layer + m.latent_layers * m.prefill_s_per_latent_layer


def _unpacking(unpacked: Any, m: Instance) -> Any:
    """Time of 4-bit weights that are unpacked over that of weights that are not [x]."""
    return np.where(unpacked > 0, 1 / m.unpacking, 1.0)


def _dense_speed(m: Instance) -> Any:
    """FLOP/s that the dense products of one GPU reach."""
    return m.peak_dense * np.where(m.fp4_dense > 0, m.mfu_fp4, m.mfu)


def _experts_s(m: Instance, tokens: Any) -> Any:
    """Time of the routed experts for `tokens` of an instance [s]: those touched are read once."""
    choices = np.maximum(tokens * m.routing_spread, 1.0)
    touched = experts_touched(m.experts, m.experts_per_token, choices) / m.experts
    used = m.expert_parameters * m.experts_per_token / m.experts
    longest = part_s(
        m.expert_parameters * touched * m.expert_bytes / m.gpus,
        m.bandwidth * m.mbu,
        tokens * used * FLOP_PER_PARAMETER / m.gpus,
        m.peak_experts * m.mfu_experts,
    )
    busiest = imbalance(m.expert_parallel, choices * m.experts_per_token)
    return busiest * longest * _unpacking(m.unpacked_experts, m) / m.expert_efficiency


def experts_touched(experts: Any, experts_per_token: Any, tokens: Any) -> Any:
    """Experts of a layer that at least one of `tokens` uses, when all are equally likely [count].

    E (1 - (1 - k / E) ^ tokens) for k of E experts per token.

    >>> [round(float(experts_touched(256, 8, tokens))) for tokens in (1, 64, 512)]  # DeepSeek-V3
    [8, 222, 256]
    """
    return experts * (1 - (1 - experts_per_token / experts) ** tokens)


def imbalance(groups: Any, choices: Any) -> Any:
    """Load of the busiest of `groups` over the mean, when `choices` fall on them at random [x].

    Balls in bins: 1 + sqrt(2 ln(groups) x groups / choices), at most `groups` (Raab and Steger
    1998).

    >>> [round(float(imbalance(8, n)), 2) for n in (8, 512, 65_536)], float(imbalance(1, 8))
    ([3.04, 1.25, 1.02], 1.0)
    """
    return np.minimum(1 + np.sqrt(2 * np.log(groups) * groups / np.maximum(choices, 1.0)), groups)


def _exchange_s(m: Instance, tokens: Any) -> Any:
    """Time to move activations of `tokens` of one attention group [s]: all-reduces and experts."""
    ring = 2 * (m.tensor_parallel - 1) / m.tensor_parallel
    reduced = EXCHANGES_PER_LAYER * m.layers * BF16_BYTES * ring
    copies = np.minimum(m.experts_per_token, m.gpus) * DISPATCH_BYTES / m.tensor_parallel
    sent = np.where(m.data_parallel > 1, m.expert_layers * copies, 0.0)
    return tokens * m.hidden * (reduced + sent) / (m.interconnect / 2 * m.link_efficiency)
