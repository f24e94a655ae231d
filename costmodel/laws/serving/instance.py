"""A model on its GPUs: what fits in their memory, and what is the same in every forward pass.

Every argument is a number, an array or a column of draws, and they broadcast.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from functools import cached_property
from typing import Any

import numpy as np

BF16_BYTES = 2.0  # embedding, output head and activations
FLOP_PER_PARAMETER = 2.0  # one multiply and one add
EXCHANGES_PER_LAYER = 2.0  # all-reduces: after attention and after the feed-forward block
NVLINK = 2e11  # byte/s of a link; what is slower is PCIe
SWITCHED = 9e11  # byte/s from which switches add up for all GPUs (NVLink 4, SHARP)
DISPATCH_BYTES = 3.0  # of one value sent to an expert and back: one in FP8, two in BF16
NAMED_MEMORY = 1.07  # byte of a device over those of its name: 80 GB are 80 GiB, less a reserve
CACHE_SHARE = 0.2  # of usable memory, left for the KV cache when GPUs are counted
STATE_BYTES = 4.0  # of one value in the state of a linear layer: kept in FP32
STATE_MOVES = 2.0  # a decoding step reads and writes the state
STATE_FLOP = 6.0  # of a value of the state and a prompt token: decay, correction, read-out
CHUNK = 8192.0  # most prompt tokens of one pass: the default of vLLM, SGLang and TensorRT-LLM
CHUNK_BYTES = 16.0  # of activations held for a value of `hidden` and a token of a full pass


@dataclass(frozen=True)
class Shape:
    """The numbers of an architecture that cost time or memory [count, unless stated]."""

    layers: Any
    hidden: Any
    kv_values: Any  # cached values per token and layer
    kv_queries: Any  # query heads that read one cached head
    kv_latent: Any  # 1 where the cache is latent (MLA), else 0
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
    window: Any  # tokens
    linear_layers: Any  # layers with a state instead of a cache (linear attention, Mamba)
    state_values: Any  # of one sequence in one of them
    sparse_tokens: Any  # cached tokens that a query of a full layer reads; infinite: all
    index_values: Any  # values of a token and layer by which they are chosen, in FP8
    index_width: Any  # query width of that choice, all heads
    kept_parameters: Any  # dense ones that the low-precision checkpoint leaves in BF16


@dataclass(frozen=True)
class Setup:
    """GPUs, number formats and layout of one instance."""

    peak_experts: Any  # FLOP/s of one GPU in the format of the experts
    peak_dense: Any  # ... of the other weights
    peak_bf16: Any
    bandwidth: Any  # byte/s
    memory: Any  # byte
    memory_share: Any  # of the memory that the engine takes
    chunk: Any  # most prompt tokens of a pass
    polled: Any  # passes from one look for new requests to the next
    interconnect: Any  # byte/s, both directions summed
    expert_bytes: Any  # of one expert weight
    dense_bytes: Any  # of one other weight
    kv_bytes: Any  # of one cached value
    keeps_bf16: Any  # 1 where the checkpoint leaves parts in BF16, as published ones in FP8 do
    unpacked_experts: Any  # 1 where 4-bit experts are unpacked before the product, else 0
    unpacked_dense: Any
    fp4_dense: Any  # 1 where dense products run in FP4
    tensor_parallel: Any
    data_parallel: Any
    expert_parallel: Any  # groups of GPUs with experts of their own; in a group all are cut

    @cached_property
    def gpus(self) -> Any:
        return self.tensor_parallel * self.data_parallel


@dataclass(frozen=True)
class Physics:
    """The calibrated numbers, one engine at one date; no efficiency exceeds 1."""

    mbu: Any  # of the bandwidth, reading weights
    mbu_kv: Any  # ... reading the KV cache
    mbu_kv_latent: Any  # ... where it is latent
    mbu_state: Any  # ... reading and writing the state of linear layers
    mfu: Any  # of the peak, dense products in BF16 and FP8
    mfu_fp4: Any
    mfu_experts: Any
    mfu_attention: Any  # reading a prompt
    mfu_decode: Any  # ... writing an answer
    mfu_state: Any
    unpacking: Any  # efficiency left when 4-bit weights are unpacked
    link_efficiency: Any
    pcie_efficiency: Any  # the same of GPUs without NVLink
    exchange_s: Any  # latency of an exchange, per doubling of the GPUs
    overhead_s_per_layer: Any
    overhead_s_per_expert: Any  # of a layer, for each expert that a token chooses
    overhead_s_per_sequence: Any
    prefill_s_per_layer: Any
    prefill_s_per_latent_layer: Any
    mixed_s_per_layer: Any  # more where a pass reads prompts and decodes
    fp8_experts: Any  # speed of experts in FP8, scaled by blocks, over those in FP4
    narrow_width: Any  # of a slice of an expert whose products take twice as long
    routing_spread: Any  # independent choices of experts over tokens
    first_token_s: Any  # request handling before the first token
    first_token_s_per_token: Any  # ... for each token of the prompt
    first_token_s_per_stream: Any  # ... for each other answer that streams
    stagger: Any  # 0: attention groups read prompts in the same pass; 1: each waits for all
    answer_held: Any  # share of an answer that a request is given memory for at its start
    request_s: Any  # serial handling of a request: tokens, scheduler, stream
    engine_efficiency: Any
    reserve_bytes: Any
    ageing: Any = 1.0  # fixed overheads over those of the newest engines
    host_s_per_sequence: Any = 0.0  # scheduler of a pass, where it runs between passes


@dataclass(frozen=True)
class Instance(Physics, Setup, Shape):
    """One instance: a model on its GPUs, with the calibrated numbers of its engine.

    The times are parts of `roofline.step_s`, which many passes share.
    """

    @cached_property
    def dense_read_s(self) -> Any:
        """Time to read the dense weights and the head [s].

        Four bits are read as four bits, and unpacked beside it: a step of one sequence is near four
        times as fast as in BF16 (Marlin, arXiv:2408.11743, section 5).
        """
        stored = dense_bytes(self) + self.head_parameters * BF16_BYTES
        return stored / self.tensor_parallel / (self.bandwidth * self.mbu)

    @cached_property
    def dense_speed(self) -> Any:
        """Parameters a second that multiply one token, but for those kept in BF16."""
        reached = self.peak_dense * np.where(self.fp4_dense > 0, self.mfu_fp4, self.mfu)
        reached = reached * np.where(self.unpacked_dense > 0, self.unpacking, 1.0)
        return reached * self.tensor_parallel / FLOP_PER_PARAMETER

    @cached_property
    def dense_flop_s(self) -> Any:
        """Time of the dense products of one token, without the head [s].

        What the checkpoint keeps in BF16 multiplies in BF16.
        """
        kept = np.minimum(self.kept_parameters, self.dense_parameters) * self.keeps_bf16
        whole = self.peak_bf16 * self.mfu * self.tensor_parallel / FLOP_PER_PARAMETER
        return (self.dense_parameters - kept) / self.dense_speed + kept / whole

    @cached_property
    def head_flop_s(self) -> Any:
        """Time of the head for one token that is written [s]."""
        return self.head_parameters / self.dense_speed

    @cached_property
    def kv_read_s(self) -> Any:
        """Time to read one byte of the cache of a sequence [s]."""
        shards = np.minimum(self.tensor_parallel, self.kv_shards)
        reached = np.where(self.kv_latent > 0, self.mbu_kv_latent, self.mbu_kv)
        return 1 / (shards * self.bandwidth * reached)

    @cached_property
    def decode_flop_s(self) -> Any:
        """Time of a product of attention of a token that is written [s]."""
        reached = np.where(self.kv_latent > 0, self.mfu_attention, self.mfu_decode)
        return FLOP_PER_PARAMETER / (self.peak_bf16 * reached * self.tensor_parallel)

    @cached_property
    def attention_flop_s(self) -> Any:
        """Time of a product of attention of a token that is read [s]."""
        speed = self.peak_bf16 * self.mfu_attention * self.tensor_parallel
        return FLOP_PER_PARAMETER / speed

    @cached_property
    def state_read_s(self) -> Any:
        """Time to read and write the states of one sequence [s]."""
        return STATE_MOVES * state_bytes(self) / (self.bandwidth * self.mbu_state)

    @cached_property
    def state_flop_s(self) -> Any:
        """Time of the states for one token [s]."""
        flop = self.linear_layers * self.state_values * STATE_FLOP / self.tensor_parallel
        return flop / (self.peak_bf16 * self.mfu_state)

    @cached_property
    def experts_read_s(self) -> Any:
        """Time to read all routed experts [s]."""
        stored = self.expert_parameters * self.expert_bytes / self.gpus
        return stored / (self.bandwidth * self.mbu) * self.expert_slowness

    @cached_property
    def experts_flop_s(self) -> Any:
        """Time of the routed experts of one token [s]."""
        used = self.expert_parameters * self.experts_per_token / self.experts
        speed = self.peak_experts * self.mfu_experts * self.gpus
        return used * FLOP_PER_PARAMETER / speed * self.expert_slowness

    @cached_property
    def launched_s(self) -> Any:
        """Fixed time of a pass that decodes: launches, latency of exchanges, routing [s]."""
        doublings = np.log2(np.maximum(self.gpus, 1))
        layers = self.overhead_s_per_layer + EXCHANGES_PER_LAYER * doublings * self.exchange_s
        chosen = self.expert_layers * self.experts_per_token * self.overhead_s_per_expert
        return (self.layers * layers + chosen) * self.ageing

    @cached_property
    def prefill_fixed_s(self) -> Any:
        """Fixed time of a pass that reads prompts: launches that no CUDA graph saves [s]."""
        latent = self.latent_layers * self.prefill_s_per_latent_layer
        return self.layers * self.prefill_s_per_layer + latent

    @cached_property
    def sent_s(self) -> Any:
        """Time to move the activations of one token: all-reduces and experts [s].

        A ring sends 2 (n - 1) / n of a message, a switch that adds up half of it (NVLink SHARP).
        """
        share = np.where(self.interconnect >= SWITCHED, 1.0, 2.0)
        ring = share * (self.tensor_parallel - 1) / self.tensor_parallel
        reduced = EXCHANGES_PER_LAYER * self.layers * BF16_BYTES * ring
        met = groups_met(self.expert_parallel, self.experts_per_token) / self.expert_parallel
        apart = self.expert_layers * met * (self.gpus - 1) * DISPATCH_BYTES / self.tensor_parallel
        sent = np.where(self.data_parallel > 1, apart, 0.0)
        fast = self.interconnect >= NVLINK
        reached = np.where(fast, self.link_efficiency, self.pcie_efficiency)
        return self.hidden * (reduced + sent) / (self.interconnect / 2 * reached)

    @cached_property
    def expert_slowness(self) -> Any:
        """Time of expert products over that of wide ones: narrow slices, formats [x].

        Slices of an expert are slower the narrower they are: x (1 + narrow_width / width).
        """
        narrow = 1 + self.narrow_width / np.maximum(slice_width(self), 1.0)
        unpacking = np.where(self.unpacked_experts > 0, 1 / self.unpacking, 1.0)
        return narrow * unpacking / np.where(self.expert_bytes == 1.0, self.fp8_experts, 1.0)


def instance(shape: Shape, setup: Setup, physics: Physics) -> Instance:
    """The instance of an architecture, a setup and an engine."""
    parts = (shape, setup, physics)
    return Instance(**{f.name: getattr(part, f.name) for part in parts for f in fields(part)})


# -- memory ----------------------------------------------------------------------------------------


def weight_bytes_per_gpu(m: Instance) -> Any:
    """Weights on one GPU [byte]: dense ones over the tensor-parallel group, experts over all.

    What a low-precision checkpoint leaves in BF16 (attention of Llama 3.1 405B FP8:
    arXiv:2407.21783, section 6.2) counts so.
    """
    dense = dense_bytes(m) + 2 * m.head_parameters * BF16_BYTES
    return dense / m.tensor_parallel + m.expert_parameters * m.expert_bytes / m.gpus


def dense_bytes(m: Instance) -> Any:
    """All dense weights without embedding and head [byte]."""
    kept = m.kept_parameters * m.keeps_bf16 * np.maximum(BF16_BYTES - m.dense_bytes, 0.0)
    return m.dense_parameters * m.dense_bytes + kept


def context_layers(m: Instance, context: Any) -> Any:
    """Cached tokens of one sequence, summed over layers: a local layer keeps its window only."""
    return m.full_layers * context + m.local_layers * np.minimum(context, m.window)


def read_layers(m: Instance, context: Any) -> Any:
    """Cached tokens that one decoded token reads, summed over layers.

    Sparse attention reads the chosen ones alone (DeepSeek-V3.2, arXiv:2512.02556, section 2.1).

    >>> from types import SimpleNamespace as Record
    >>> v32 = Record(full_layers=61, local_layers=0, window=0, sparse_tokens=2_048)
    >>> float(read_layers(v32, 128_000) / 61), float(read_layers(v32, 1_000) / 61)
    (2048.0, 1000.0)
    """
    return context_layers(m, context) - m.full_layers * np.maximum(context - m.sparse_tokens, 0.0)


def kv_bytes(m: Instance, context: Any) -> Any:
    """KV cache and states of one sequence on one GPU [byte]; a latent cache is copied to each.

    Values of a token and layer x bytes of a value x tokens in all layers / parts: 2 x KV heads x
    head size values with grouped queries (Ainslie et al. 2023, arXiv:2305.13245), rank + rope head
    with a latent cache (DeepSeek-V2, arXiv:2405.04434, section 2.1.3, table 1). A linear layer
    holds one state however long the context (gated delta networks, arXiv:2412.06464). Not in it:
    blocks that are partly filled.
    """
    values = m.kv_values * m.kv_bytes * context_layers(m, context)
    index = m.index_values * m.full_layers * context
    return (values + index) / np.minimum(m.tensor_parallel, m.kv_shards) + state_bytes(m)


def state_bytes(m: Instance) -> Any:
    """States of the linear layers of one sequence on one GPU [byte].

    Layers x values x 4 / GPUs: a gated delta network keeps heads x key x value in FP32
    (arXiv:2412.06464, section 3).

    >>> from types import SimpleNamespace as Record
    >>> one = Record(linear_layers=48, state_values=48 * 128 * 128, tensor_parallel=1)
    >>> round(state_bytes(one) / 1e6)  # Qwen3.5 27B: 144 MiB
    151
    """
    return m.linear_layers * m.state_values * STATE_BYTES / m.tensor_parallel


def room_bytes(m: Instance) -> Any:
    """Memory of one GPU left for the KV cache [byte]; below 0 it is missing.

    What the engine takes less weights, a reserve and the activations of a full pass.
    """
    taken = m.memory_share * NAMED_MEMORY * m.memory - m.reserve_bytes
    return taken - m.chunk * m.hidden * CHUNK_BYTES - weight_bytes_per_gpu(m)


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


# -- experts ---------------------------------------------------------------------------------------


def slice_width(m: Instance) -> Any:
    """Width of the part of an expert that one GPU holds [count].

    An expert has three matrices of hidden x width (arXiv:2401.06066, section 3); GPUs that share
    it cut the width.

    >>> from types import SimpleNamespace as Record
    >>> r1 = Record(expert_parameters=58 * 256 * 3 * 7168 * 2048, expert_layers=58, experts=256)
    >>> r1.hidden, r1.gpus, r1.expert_parallel = 7168, 8, 1
    >>> float(slice_width(r1))  # DeepSeek-R1 on eight GPUs
    256.0
    """
    matrices = np.maximum(3.0 * m.expert_layers * m.experts * m.hidden, 1.0)
    return m.expert_parameters / matrices * m.expert_parallel / m.gpus


def groups_met(groups: Any, experts_per_token: Any) -> Any:
    """Groups of experts that a token is sent to, when all experts are equally likely [count].

    G (1 - (1 - 1 / G) ^ k): the GPUs of a group each need the token once.

    >>> round(float(groups_met(8, 8)), 2), float(groups_met(1, 8))
    (5.25, 1.0)
    """
    return groups * (1 - (1 - 1 / groups) ** experts_per_token)
