"""A calibrated roofline: how long a served model takes to read a prompt and to write a token, and how many fit at once.

Each part of a forward pass takes the longer of its bytes and its FLOPs: dense weights, experts, attention; the links
between GPUs and fixed overheads come on top. Continuous batching then follows from counting: in the time of one
answer every other sequence is read in once. All functions are pure and take floats, arrays or draws of one shape.

Not in it: pipeline parallelism, prefill on machines of its own, sparse attention, popular experts.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from costmodel.laws.serving.inference import accepted_per_step, experts_touched

BF16_BYTES = 2.0  # embedding, output head and activations
FLOP_PER_PARAMETER = 2.0  # one multiply and one add
EXCHANGES_PER_LAYER = 2.0  # all-reduces: after attention and after the feed-forward block
DISPATCH_BYTES = 3.0  # of one value sent to an expert and back: one in FP8, two in BF16
ROUNDS = (
    3  # of the fixed point between answer time and running batch; the third changes less than 1 %
)


@dataclass(frozen=True)
class Shape:
    """What of an architecture costs time or memory [count, unless stated]."""

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
    expert_parallel: Any = (
        1.0  # groups of GPUs with experts of their own; in a group every expert is cut
    )

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
    engine_efficiency: Any = 1.0
    expert_efficiency: Any = 1.0
    ageing: Any = 1.0  # fixed overheads over those of the newest engines
    memory_usable: Any = 0.96
    reserve_bytes: Any = 1e9


# -- memory --------------------------------------------------------------------------------------------


def weight_bytes_per_gpu(s: Shape, u: Setup) -> Any:
    """Weights on one GPU [byte]: dense parts over the tensor-parallel group, experts over all GPUs."""
    return (
        s.dense_parameters * u.dense_bytes + 2 * s.head_parameters * BF16_BYTES
    ) / u.tensor_parallel + (s.expert_parameters * u.expert_bytes / u.gpus)


def context_layers(s: Shape, context: Any) -> Any:
    """Cached tokens of one sequence, summed over layers: a local layer keeps its window only."""
    return s.full_layers * context + s.local_layers * np.minimum(context, s.window)


def kv_bytes(s: Shape, u: Setup, context: Any) -> Any:
    """KV cache of one sequence on one GPU [byte]; a latent cache is copied to each tensor-parallel GPU."""
    return (
        s.kv_values
        * u.kv_bytes
        * context_layers(s, context)
        / np.minimum(u.tensor_parallel, s.kv_shards)
    )


def room_bytes(s: Shape, u: Setup, p: Physics) -> Any:
    """Memory of one GPU left for the KV cache [byte]; below 0 it is what is missing."""
    return p.memory_usable * u.memory - p.reserve_bytes - weight_bytes_per_gpu(s, u)


def sequences_at_once(s: Shape, u: Setup, p: Physics, context: Any) -> Any:
    """Sequences of `context` tokens whose caches fit in one instance, over all its attention groups."""
    return (
        u.data_parallel
        * np.maximum(room_bytes(s, u, p), 0.0)
        / np.maximum(kv_bytes(s, u, context), 1.0)
    )


# -- time ----------------------------------------------------------------------------------------------


def decode_step_s(
    s: Shape, u: Setup, p: Physics, batch: Any, context: Any, tokens: Any = 1.0
) -> Any:
    """Time of one decoding step of `batch` sequences [s]; `tokens` are checked at once per sequence (speculation).

    Sum over dense weights, experts and attention of max(bytes / bandwidth, FLOP / peak), plus exchanges and overheads.
    """
    group = batch / u.data_parallel
    width = group * tokens
    stored = (
        s.dense_parameters * u.dense_bytes * _slow(u.unpacked_dense, p)
        + s.head_parameters * BF16_BYTES
    )
    mfu = np.where(u.fp4_dense > 0, p.mfu_fp4, p.mfu)
    dense = np.maximum(
        stored / u.tensor_parallel / (u.bandwidth * p.mbu),
        FLOP_PER_PARAMETER
        * width
        * (s.dense_parameters + s.head_parameters)
        / u.tensor_parallel
        / (u.peak_dense * mfu),
    )
    cache = group * kv_bytes(s, u, context) / (u.bandwidth * p.mbu_kv)
    score = (
        FLOP_PER_PARAMETER * width * s.decode_width * context_layers(s, context) / u.tensor_parallel
    )
    attention = np.maximum(cache, score / (u.peak_bf16 * p.mfu_attention))
    fixed = s.layers * p.overhead_s_per_layer + s.expert_layers * p.overhead_s_per_expert_layer
    fixed = (fixed + group * p.overhead_s_per_sequence) * p.ageing
    latency = np.where(
        u.gpus > 1,
        EXCHANGES_PER_LAYER * s.layers * np.log2(np.maximum(u.gpus, 2)) * p.exchange_s,
        0.0,
    )
    total = (
        dense
        + _experts_s(s, u, p, batch * tokens, batch * tokens)
        + attention
        + _exchange_s(s, u, p, width)
    )
    return (total + latency * p.ageing + fixed) / p.engine_efficiency


def prefill_work_s(
    s: Shape, u: Setup, p: Physics, tokens: Any, together: Any = 1.0, cached: Any = 0.0
) -> Any:
    """Time that reading one prompt of `tokens` keeps its attention group busy [s], without fixed overhead.

    `together` prompts share one reading of the experts; `cached` tokens of the prompt are there already.
    """
    fresh = np.maximum(tokens - cached, 1.0)
    mfu = np.where(u.fp4_dense > 0, p.mfu_fp4, p.mfu)
    dense = (
        FLOP_PER_PARAMETER * fresh * s.dense_parameters / u.tensor_parallel / (u.peak_dense * mfu)
    )
    experts = _experts_s(s, u, p, fresh * together, fresh * together) / together
    pairs = s.full_layers * (tokens + cached) + s.local_layers * np.minimum(
        2 * s.window, tokens + cached
    )
    attention = (
        fresh * s.prefill_width * pairs / u.tensor_parallel / (u.peak_bf16 * p.mfu_attention)
    )
    return dense + experts + attention + _exchange_s(s, u, p, fresh)


def prefill_fixed_s(s: Shape, p: Physics) -> Any:
    """Fixed time of one prefill [s]: launches of every layer, more where attention is latent."""
    return s.layers * p.prefill_s_per_layer + s.latent_layers * p.prefill_s_per_latent_layer


def _slow(unpacked: Any, p: Physics) -> Any:
    return np.where(unpacked > 0, 1 / p.unpacking, 1.0)


def _experts_s(s: Shape, u: Setup, p: Physics, tokens: Any, routed: Any) -> Any:
    """Time of the routed experts for `tokens` of the whole instance [s]: those that are touched are read once."""
    share = s.experts_per_token / s.experts
    touched = (
        experts_touched(s.experts, s.experts_per_token, np.maximum(routed * p.routing_spread, 1.0))
        / s.experts
    )
    read = s.expert_parameters * u.expert_bytes * touched / u.gpus / (u.bandwidth * p.mbu)
    compute = (
        FLOP_PER_PARAMETER
        * tokens
        * s.expert_parameters
        * share
        / u.gpus
        / (u.peak_experts * p.mfu_experts)
    )
    busiest = imbalance(
        u.expert_parallel, np.maximum(tokens * p.routing_spread, 1.0) * s.experts_per_token
    )
    return busiest * np.maximum(read, compute) * _slow(u.unpacked_experts, p) / p.expert_efficiency


def imbalance(groups: Any, choices: Any) -> Any:
    """Load of the busiest of `groups` expert-parallel groups over the mean, when `choices` fall on them at random; at most `groups`.

    Balls in bins: 1 + sqrt(2 ln(groups) x groups / choices) (Raab and Steger 1998).

    >>> [round(float(imbalance(8, n)), 2) for n in (8, 512, 65_536)], float(imbalance(1, 8))
    ([3.04, 1.25, 1.02], 1.0)
    """
    return np.minimum(1 + np.sqrt(2 * np.log(groups) * groups / np.maximum(choices, 1.0)), groups)


def _exchange_s(s: Shape, u: Setup, p: Physics, tokens: Any) -> Any:
    """Time to move activations of `tokens` of one attention group [s]: all-reduces, and experts on other GPUs."""
    link = u.interconnect / 2 * p.link_efficiency
    ring = 2 * (u.tensor_parallel - 1) / u.tensor_parallel
    reduce = EXCHANGES_PER_LAYER * s.layers * tokens * s.hidden * BF16_BYTES * ring
    copies = np.minimum(s.experts_per_token, u.gpus) * DISPATCH_BYTES / u.tensor_parallel
    return (
        reduce + np.where(u.data_parallel > 1, s.expert_layers * tokens * s.hidden * copies, 0.0)
    ) / link


# -- serving -------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Served:
    """What an instance does under a steady load."""

    ttft_s: Any
    tpot_s: Any
    output_tokens_per_s: Any
    running: Any  # sequences at once


def served(
    s: Shape,
    u: Setup,
    p: Physics,
    input_tokens: Any,
    output_tokens: Any,
    concurrency: Any,
    waves: Any = 10.0,
    cached: Any = 0.0,
    draft_tokens: Any = 0.0,
    draft_accepted: Any = 0.0,
    draft_cost: Any = 0.0,
) -> Served:
    """Continuous batching with chunked prefill under `concurrency` requests that are always there.

    An answer takes its decoding steps and, in between, the prefill of every other running sequence:
    tpot = step + interference x prefill x (batch - 1) / output. The batch is what memory holds; who waits, waits for
    answers to end (Little's law). `waves` is requests over concurrency: the first wave arrives at once, which delays
    the mean first token by (batch - 1) / (2 waves) prefills. A draft of `draft_tokens`, each accepted with
    `draft_accepted` and costing `draft_cost` of a step, multiplies the tokens of a step.
    """
    held = (
        input_tokens + 0.75 * output_tokens
    )  # engines admit by the middle of the answer or by its end
    running = np.maximum(np.minimum(concurrency, sequences_at_once(s, u, p, held)), 1.0)
    others = np.maximum(running / u.data_parallel - 1, 0.0)
    prefill = prefill_work_s(s, u, p, input_tokens, 1.0, cached) + prefill_fixed_s(s, p)
    context, gain = (
        input_tokens + output_tokens / 2,
        accepted_per_step(draft_tokens, draft_accepted),
    )
    decoding = running
    for _ in range(ROUNDS):
        step = (
            decode_step_s(s, u, p, decoding, context, 1 + draft_tokens)
            * (1 + draft_tokens * draft_cost)
            / gain
        )
        tpot = step + p.interference * (1 - 0.5 / waves) * prefill * others / output_tokens
        ttft = p.first_token_s + step + prefill * (1 + others / (2 * waves))
        answer = output_tokens * tpot
        decoding = np.maximum(running * answer / (ttft + answer), 1.0)
    queue = np.maximum(concurrency - running, 0.0) / running * (ttft + answer) * (1 - 1 / waves)
    return Served(ttft + queue, tpot, running * output_tokens / (ttft + answer), running)


def static_batch_s(
    s: Shape, u: Setup, p: Physics, input_tokens: Any, output_tokens: Any, batch: Any
) -> Any:
    """Time of one batch that starts and ends together [s]; what memory does not hold runs in further turns."""
    context = input_tokens + output_tokens / 2
    fits = np.maximum(sequences_at_once(s, u, p, input_tokens + output_tokens), 1.0)
    read = prefill_work_s(s, u, p, input_tokens, batch) * batch / u.data_parallel + prefill_fixed_s(
        s, p
    )
    turns = np.maximum(batch / fits, 1.0)
    return read + output_tokens * turns * decode_step_s(s, u, p, np.minimum(batch, fits), context)


def saturated_tokens_per_s(
    s: Shape, u: Setup, p: Physics, input_tokens: Any, output_tokens: Any, most: Any
) -> Any:
    """Output tokens per second of an instance whose queue never empties; `most` sequences per attention group.

    Prompts of waiting requests are read together, so experts are read once for several.
    """
    held = input_tokens + 0.75 * output_tokens
    batch = np.maximum(np.minimum(sequences_at_once(s, u, p, held), most * u.data_parallel), 1.0)
    step = decode_step_s(s, u, p, batch, input_tokens + output_tokens / 2)
    read = prefill_work_s(s, u, p, input_tokens, np.minimum(batch, 16.0)) * batch / u.data_parallel
    return batch * output_tokens / (output_tokens * step + read)


def seconds_per_request(
    s: Shape,
    u: Setup,
    p: Physics,
    input_tokens: Any,
    output_tokens: Any,
    concurrency: Any,
    cached: Any = 0.0,
) -> Any:
    """Time of a whole instance that one request takes at a steady load of `concurrency` [s]: 1 / (requests per second).

    `served` without the fixed point: everything that runs also decodes, which is within 2 % and lets an answer be empty.
    A fleet's load in instances is arrivals per second times this; multiply with the band of the time per token. `cached`
    tokens of the prompt are held once for all sequences, so more of them fit.
    """
    held = input_tokens - cached + 0.75 * output_tokens
    batch = np.maximum(np.minimum(concurrency, sequences_at_once(s, u, p, held)), 1.0)
    read = prefill_work_s(s, u, p, input_tokens, 1.0, cached) + prefill_fixed_s(s, p)
    step = decode_step_s(s, u, p, batch, input_tokens + output_tokens / 2)
    return (
        p.first_token_s
        + (output_tokens + 1.0) * step
        + read * (1 + p.interference * (batch / u.data_parallel - 1))
    ) / batch
