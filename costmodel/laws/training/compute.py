"""Training physics: compute of a training run, as pure functions of numbers or arrays.

How fast a GPU works through it is measured (`speed`), and so are the bytes in its memory
(`memory`); `predict` puts them together. Every argument is a number or an array of draws; they
broadcast to the shape of the result. Not in it: expert-parallel and pipeline schedules,
sliding-window attention, dropout masks.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from costmodel.core import SECONDS_PER_HOUR, floats, public

FLOP_PER_PARAMETER_FULL = 6.0  # 2 forward, 4 backward
FLOP_PER_PARAMETER_LORA = 4.0  # frozen weights need no weight gradient: 2 forward, 2 backward
BYTES_PER_PARAMETER_FULL = 16.0  # bf16 weights and gradients, fp32 copy and two Adam moments
BYTES_PER_PARAMETER_BF16 = 2.0
BYTES_PER_PARAMETER_FP32 = 4.0
PARAMETERS_PER_LAYER = 12.0  # of hidden^2: 4 in attention, 8 in the feed-forward block
WIDTH_PER_LAYER = 128.0  # hidden over layers of usual models: Llama 2 and GPT-3 have 102 to 128
USUAL_VOCAB = 100_000.0  # between the 32 thousand of Llama 2 and the 256 thousand of Gemma


@public
def training_flops(parameters: Any, tokens: Any) -> Any:
    """Compute to train every weight of a transformer [FLOP].

    C = 6 N D: 2 FLOP per parameter and token forward, twice that backward (Kaplan et al. 2020,
    arXiv:2001.08361, sec. 2.1). Not in it: attention over long contexts.

    Parameters
    ----------
    parameters : number or array [count]
        N; the active ones for a mixture of experts.
    tokens : number or array [token]
        D, of all epochs.

    Returns
    -------
    number or array [FLOP]

    Examples
    --------
    >>> f"{training_flops(174.6e9, 300e9):.2e}"  # GPT-3: 3.14e23, Brown et al. 2020, table D.1
    '3.14e+23'
    """
    return FLOP_PER_PARAMETER_FULL * parameters * tokens


@public
def adapter_flops(parameters: Any, tokens: Any) -> Any:
    """Compute to train a LoRA or QLoRA adapter [FLOP].

    C = 4 N D, two thirds of full fine-tuning: the frozen weights need no weight gradient (Hu et al.
    2021, arXiv:2106.09685, section 4.2). Not in it: the adapter's own FLOPs, below 1 %.

    Parameters
    ----------
    parameters : number or array [count]
        N, of the frozen base; the active ones for a mixture of experts.
    tokens : number or array [token]
        D, of all epochs.

    Returns
    -------
    number or array [FLOP]

    Examples
    --------
    >>> adapter_flops(8e9, 1e6) / training_flops(8e9, 1e6)
    0.6666666666666666
    """
    return FLOP_PER_PARAMETER_LORA * parameters * tokens


def passes(every_weight: Any, recompute: Any = 0.0, forwards: Any = 0.0) -> Any:
    """Times that each token meets the weights, at 2 FLOP each.

    Forward, input gradient, and the parts that the method adds. `every_weight` is 1 where
    weight gradients are needed (full) and 0 for adapters; `recompute` is the share of the forward
    pass done again in the backward pass (activation checkpointing: 1); `forwards` are extra forward
    passes (1 for the reference model of DPO). Published utilisation leaves recomputation out: it
    makes a run slower, not more useful (Korthikanti et al. 2022, arXiv:2205.05198, sec. 5).

    >>> passes(0, 1.0) / passes(1, 1.0)  # LoRA over full, both with full recomputation
    0.75
    """
    return 2.0 + every_weight + recompute + forwards


def attention_flops(layers: Any, hidden: Any, seq_len: Any, recompute: Any = 0.0) -> Any:
    """Compute of causal attention scores and values to train on one token [FLOP].

    (3 + recompute) x 2 L h s. Forward 4 L h s without the causal mask, half of it with; backward
    twice that (Chowdhery et al. 2022, arXiv:2204.02311, app. B, counts 12 L h s: without the mask).
    Adapters need it all.

    >>> share = attention_flops(32, 4096, 8192) / training_flops(8.03e9, 1)
    >>> round(share, 2)  # Llama 3 8B at its full context
    0.13
    """
    return (3.0 + recompute) * 2.0 * layers * hidden * seq_len


@public
def gpu_hours(flops: Any, peak_flops: Any, mfu: Any) -> Any:
    """GPU-hours of a training run on any number of GPUs [h].

    FLOP / (peak FLOP/s x model FLOP utilisation) / 3,600. Not in it: start-up, failures,
    evaluation.

    Parameters
    ----------
    flops : number or array [FLOP]
        Compute of the run, without recomputation.
    peak_flops : number or array [FLOP/s]
        Dense peak of one GPU in the precision of the run.
    mfu : share or array, above 0
        Model FLOP utilisation.

    Returns
    -------
    number or array [GPU-hour]

    Examples
    --------
    >>> hours = gpu_hours(training_flops(70e9, 2e12), 312e12, 0.434)
    >>> round(hours)  # Llama 2 70B: 1,720,320 A100-hours reported (arXiv:2307.09288, table 2)
    1723187
    """
    return flops / (peak_flops * mfu) / SECONDS_PER_HOUR


def usual_layers(parameters: Any) -> Any:
    """Layers of a dense transformer of that size; of experts, give the active parameters.

    N = 12 L h^2 and h = 128 L, so L = (N / (12 x 128^2))^(1/3), which need not be whole.

    >>> round(usual_layers(6.74e9)), round(usual_layers(69e9))  # Llama 2 7B has 32, 70B has 80
    (32, 71)
    """
    return np.cbrt(floats(parameters) / (PARAMETERS_PER_LAYER * WIDTH_PER_LAYER**2))


def usual_hidden(parameters: Any, layers: Any) -> Any:
    """Width that fits the parameters into those layers: h = sqrt(N / (12 L)).

    >>> round(float(usual_hidden(6.74e9, 32)))  # Llama 2 7B has 4,096
    4190
    """
    return np.sqrt(floats(parameters) / (PARAMETERS_PER_LAYER * layers))
