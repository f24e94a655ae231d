"""Serving physics: memory and time of one part each, from explicit numbers. `roofline` puts the parts together."""

from __future__ import annotations

from typing import Any

import numpy as np

BYTES = {
    "bf16": 2.0,
    "fp8": 1.0,
    "int8": 1.0,
    "fp4": 0.5,
    "int4": 0.5,
}  # of a weight, a key or a value
FLOP_PER_PARAMETER = 2.0  # forward: one multiply and one add
KV_SHARE = 0.2  # of usable memory, left for the KV cache when GPUs are counted


def kv_bytes_per_token(
    layers: Any, kv_heads: Any, head_size: Any, bytes_per_value: Any = BYTES["bf16"]
) -> Any:
    """Key-value cache of one token with grouped-query attention [byte]: 2 x layers x kv_heads x head_size x bytes.

    >>> kv_bytes_per_token(32, 8, 128)  # Llama 3.1 8B: 128 KiB
    131072.0
    """
    return 2 * layers * kv_heads * head_size * bytes_per_value


def decode_step_s(
    batch: Any,
    active_parameters: Any,
    weight_bytes: Any,
    kv_bytes: Any,
    peak_flops: Any,
    bandwidth: Any,
    mfu: Any,
    mbu: Any,
    overhead_s: Any,
) -> Any:
    """Time of one decoding step of a batch [s]: max(bytes / bandwidth, FLOP / peak) + overhead.

    Bytes are the weights read once and the KV cache of every sequence (`kv_bytes` each); peak and bandwidth are those
    of the whole replica; `overhead_s` is that of all layers. At batch 1 the bandwidth term rules.

    >>> step = decode_step_s(1, 8.03e9, 16.06e9, 0, 989e12, 3.35e12, 0.5, 0.8, 32 * 75e-6)
    >>> round(1 / step)  # Llama 3.1 8B, bf16, one H100: tokens/s for one user
    119
    """
    memory = (weight_bytes + batch * kv_bytes) / (bandwidth * mbu)
    compute = FLOP_PER_PARAMETER * active_parameters * batch / (peak_flops * mfu)
    return np.maximum(memory, compute) + overhead_s


def gpus_that_fit(weight_bytes: Any, memory: Any, usable: Any) -> Any:
    """Smallest power of two of GPUs whose usable memory holds the weights and leaves a fifth for the KV cache.

    2^ceil(log2(weights / (usable x memory x 0.8))), at least 1, any shape.

    >>> float(gpus_that_fit(141e9, 80e9, 0.9))  # Llama 3.1 70B in bf16
    4.0
    """
    return np.exp2(
        np.ceil(np.log2(np.maximum(weight_bytes / (memory * usable * (1 - KV_SHARE)), 1.0)))
    )


def latent_kv_bytes_per_token(
    layers: Any, rank: Any, rope_head: Any, bytes_per_value: Any = BYTES["bf16"]
) -> Any:
    """Key-value cache of one token with multi-head latent attention [byte]: layers x (rank + rope_head) x bytes.

    Keys and values share one compressed vector (DeepSeek-V2, arXiv:2405.04434, section 2.1.3, table 1).

    >>> latent_kv_bytes_per_token(61, 512, 64) / kv_bytes_per_token(
    ...     61, 128, 128
    ... )  # DeepSeek-V3: 1.8 % of full heads
    0.017578125
    """
    return layers * (rank + rope_head) * bytes_per_value


def experts_touched(experts: Any, experts_per_token: Any, tokens: Any) -> Any:
    """Experts of a layer that at least one of `tokens` uses: E (1 - (1 - k / E) ^ tokens), when all are equally likely.

    >>> [round(float(experts_touched(256, 8, tokens))) for tokens in (1, 64, 512)]  # DeepSeek-V3
    [8, 222, 256]
    """
    return experts * (1 - (1 - experts_per_token / experts) ** tokens)


def accepted_per_step(draft_tokens: Any, accepted: Any) -> Any:
    """Tokens of one step with a draft of `draft_tokens`, each accepted with chance a: (1 - a ^ (g + 1)) / (1 - a).

    Leviathan et al. 2023, arXiv:2211.17192, equation 1.

    >>> round(float(accepted_per_step(5, 0.8)), 2), float(accepted_per_step(0, 0.8))
    (3.69, 1.0)
    """
    chance = np.minimum(accepted, 1 - 1e-9)
    return (1 - chance ** (draft_tokens + 1)) / (1 - chance)
