"""A calibrated roofline: how long one forward pass of an instance takes.

Each part of a pass (dense weights, experts, attention) takes the longer of its bytes and its FLOPs.
The exchange between GPUs and fixed overheads come on top. `batching` puts passes together to served
requests. All functions are pure; every argument is a number, an array or a column of draws, and
they broadcast.

Not in it: pipeline parallelism, popular experts.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from costmodel.laws.serving.instance import Instance, read_layers


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


def step_s(
    m: Instance, batch: Any, context: Any, tokens: Any = 1.0, prompts: Any = 0.0, seen: Any = 0.0
) -> Any:
    """Time of one forward pass of `batch` sequences [s]; a draft checks `tokens` of each at once.

    Chunked prefill (Sarathi-Serve, arXiv:2403.02310, section 4): each attention group reads
    `prompts` tokens of prompts in the same pass, at a mean context of `seen`, and shares weights,
    experts and launches with them. Sum over dense weights, experts, attention and states of
    max(bytes / bandwidth, FLOP / peak), plus exchanges and overheads.
    """
    each = attention_s(m, context, tokens)
    return pass_s(m, batch, each, tokens, prompts, prompt_attention_s(m, seen))


def attention_s(m: Instance, context: Any, tokens: Any = 1.0) -> Any:
    """Time of the attention of one sequence in a pass that decodes `tokens` of it [s]."""
    read, index = read_layers(m, context), m.full_layers * context
    moved = m.kv_values * m.kv_bytes * read + m.index_values * index
    products = m.decode_width * read + m.index_width * index
    flop_s = tokens * products * m.decode_flop_s
    return shared_cache_s(moved * m.kv_read_s, flop_s, m.kv_queries)


def shared_cache_s(read_s: Any, flop_s: Any, queries: Any) -> Any:
    """Time of attention over a cache whose heads `queries` query heads share [s].

    bytes / bandwidth + FLOP / peak x (1 - 1 / queries). One query for each cached head is a product
    of a matrix and a vector, and hides behind the read; queries that share a head (Ainslie et al.
    2023, arXiv:2305.13245, section 2.2) wait for tiles of them in turn, which an engine overlaps
    with reads in part only (FlashInfer, arXiv:2501.01005, section 3.2).

    Parameters
    ----------
    read_s, flop_s : number [s]
        Time to read the cache, and of all products with it.
    queries : number, at least 1
        Query heads that share a cached head.

    Examples
    --------
    Llama 3.1 70B in FP8 on two H200, answers at 5,120 tokens: 60 more of them took 12.6 ms more a
    pass with vLLM and 8.0 ms with TensorRT-LLM. Reading 80 layers of 2,048 values at 93 % of 4.8
    TB/s takes 5.7 ms, products of 64 heads of 256 values at 7.4 % of 989 TFLOP/s come on top.

    >>> tokens = 60 * 5_120 * 80 / 2
    >>> read, flop = tokens * 2_048 / (0.93 * 4.8e12), 2 * tokens * 64 * 256 / (0.074 * 989e12)
    >>> [round(float(shared_cache_s(read, flop, n)) * 1e3, 1) for n in (1, 8)]
    [5.6, 10.5]
    """
    return read_s + flop_s * (1 - 1 / queries)


def prompt_attention_s(m: Instance, seen: Any) -> Any:
    """Time of the attention of one token of a prompt, `seen` tokens before it [s]."""
    products = read_layers(m, seen) * m.prefill_width + m.full_layers * m.index_width * seen
    return products * m.attention_flop_s


def pass_s(
    m: Instance, batch: Any, attention: Any, tokens: Any = 1.0, prompts: Any = 0.0, read: Any = 0.0
) -> Any:
    """`step_s` where the attention of one sequence and of one token that is read are known [s].

    An engine that schedules between passes adds the time of its host for each sequence (vLLM V0:
    "vLLM V1", vLLM blog, 2025-01-27).
    """
    group = batch / m.data_parallel
    written = group * tokens
    width = written + prompts
    dense = np.maximum(m.dense_read_s, width * m.dense_flop_s + written * m.head_flop_s)
    state = np.maximum(written * m.state_read_s, width * m.state_flop_s)
    routed = batch * tokens + prompts * m.data_parallel ** (1 - m.stagger)
    moving = _experts_s(m, routed) + width * m.sent_s + group * attention + prompts * read
    reading, decoding = np.greater(prompts, 0) * 1.0, np.greater(batch, 0) * 1.0
    launched = m.launched_s + group * m.layers * m.overhead_s_per_sequence * m.ageing
    mixed = decoding * m.layers * m.mixed_s_per_layer
    scheduled = group * m.host_s_per_sequence
    fixed = (launched + scheduled) * decoding + reading * (m.prefill_fixed_s + mixed)
    return (dense + state + moving + fixed) / m.engine_efficiency


def _experts_s(m: Instance, tokens: Any) -> Any:
    """Time of the routed experts for `tokens` of an instance [s]: those touched are read once.

    The busiest group reads at most all of its experts.
    """
    choices = np.maximum(tokens * m.routing_spread, 1.0)
    touched = experts_touched(m.experts, m.experts_per_token, choices) / m.experts
    busiest = imbalance(m.expert_parallel, np.maximum(tokens, 1.0) * m.experts_per_token)
    read = np.minimum(touched * busiest, 1.0) * m.experts_read_s
    return np.maximum(read, tokens * busiest * m.experts_flop_s)


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
