"""The GPU memory of a training run, full, LoRA or QLoRA: states, activations, logits, framework.

The functions take the numbers of a `run.Run`. The bytes are fitted within the limits of physics
(benchmarks/fit_training.py) and live in data/calibration/training.csv. Not in it: pipeline
schedules, optimisers that keep low-rank states.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from costmodel.laws.serving.instance import NAMED_MEMORY
from costmodel.laws.training.compute import (
    BYTES_PER_PARAMETER_BF16,
    BYTES_PER_PARAMETER_FP32,
    PARAMETERS_PER_LAYER,
)

TIED_BELOW = 4e9  # smaller models usually share the input and the output embedding
USABLE = 0.95  # share of the named memory that runs are laid out for
# ... and that they fill before they fail: 24 GB are 24 GiB (fsdp_qlora used 23.05 GiB of them)
FILLED = USABLE * NAMED_MEMORY
ROUNDING = 1 + 1e-9
MOST_GPUS = 2**14  # where the search for the smallest set ends
UNPACKED = 0.4  # of the window that the longest example of a padded batch fills; assumption
MOST_SPLIT = 64.0  # GPUs over which one sequence is split: torchtitan's 405B runs
LAYERS_GATHERED = 2  # the one at work and the next one


@dataclass(frozen=True)
class MemoryLaw:
    """Bytes that a training run needs, fitted within the limits of physics.

    Activations are per token, layer and unit of width: Korthikanti et al. 2022, table 2 count 34
    with dropout and a GELU block, 2 of them the input of the layer that full checkpointing keeps.
    """

    # -- states
    states: float  # weights, gradients and optimiser of one trained parameter, fp32 states [byte]
    states_pure_bf16: float  # the same, all bf16 [byte]
    quantised_weight: float  # of one 4-bit weight with its scales [byte]
    adapter_states: float  # trained adapter, per layer, unit of width and rank [byte]
    # -- activations
    activation: float  # full training, nothing checkpointed [byte]
    activation_adapter: float  # LoRA: frozen layers keep fewer inputs [byte]
    activation_quantised: float  # more for QLoRA: 4-bit layers keep their inputs [byte]
    activation_selective: float  # selective checkpointing [byte]
    activation_checkpointed: float  # full checkpointing [byte]
    # -- the rest
    logits: float  # of one token and word of the vocabulary, loss in chunks [byte]
    logits_naive: float  # the same, loss in fp32 at once [byte]
    framework: float  # CUDA context, libraries, buffers [byte]
    fragmentation: float  # reserved over used [x]


def _body(run: Any, parameters: Any) -> Any:
    """Parameters without the embeddings, at least half of them."""
    embeddings = np.where(run.params < TIED_BELOW, 1.0, 2.0) * run.vocab * run.hidden
    return np.maximum(parameters - embeddings, parameters / 2)


def state_memory(run: Any, law: MemoryLaw) -> Any:
    """Weights, gradients and optimiser states of the whole model [byte], before any sharding.

    Full: `states` per parameter. Adapters: the frozen base in bf16 or 4 bits (embeddings stay
    bf16; plain scripts of PEFT cast them to fp32, `prepare_model_for_kbit_training`), and the
    adapter. DPO and RL also hold a reference model in bf16, unless an adapter is
    trained: its base is the reference. An 8-bit optimiser keeps its two moments in one byte each,
    one in the host's memory (paged, ZeRO-Offload) leaves weights and gradients in bf16; a step
    fused with the backward pass keeps no gradients.
    """
    bf16 = BYTES_PER_PARAMETER_BF16 * run.params
    moments = np.where(run.pure_bf16, 2 * BYTES_PER_PARAMETER_BF16, 2 * BYTES_PER_PARAMETER_FP32)
    states = np.where(run.pure_bf16, law.states_pure_bf16, law.states)
    states = states - run.optimizer_8bit * (moments - 2)
    states = np.where(run.optimizer_offload, 2 * BYTES_PER_PARAMETER_BF16, states)
    full = (states - run.fused_step * BYTES_PER_PARAMETER_BF16) * run.params
    full = full + np.where(run.forwards > 0, bf16, 0.0)  # the reference
    body = _body(run, run.params)
    lower = (BYTES_PER_PARAMETER_BF16 - law.quantised_weight) * body
    cast = np.where(run.naive, BYTES_PER_PARAMETER_FP32 - BYTES_PER_PARAMETER_BF16, 0.0)
    base = bf16 - np.where(run.quantised, lower - cast * (run.params - body), 0.0)
    adapter = law.adapter_states * run.rank * run.layers * run.hidden
    return np.where(run.adapter, base + adapter, full)


def relative_width(run: Any) -> Any:
    """Width of a layer's feed-forward block over the usual one, as far as it fills memory [x].

    1/3 + 2/3 x parameters of a layer / 12 h^2: a third of the activations belong to attention.
    Gemma's blocks are two to three times as wide as usual.
    """
    usual = run.layers * PARAMETERS_PER_LAYER * run.hidden**2
    return 1 / 3 + 2 / 3 * _body(run, run.active_params) / usual


def token_memory(run: Any, law: MemoryLaw) -> Any:
    """Activations and logits of one token in flight [byte]."""
    kept = np.where(run.adapter, law.activation_adapter, law.activation)
    kept = (kept + np.where(run.quantised, law.activation_quantised, 0.0)) * relative_width(run)
    every = kept * run.layers
    some = np.minimum(law.activation_selective * run.layers, every)
    inputs = np.where(run.activation_offload, 0.0, law.activation_checkpointed * run.layers)
    activations = np.select(
        [run.checkpointed >= 1, run.checkpointed > 0], [inputs + kept, some], every
    )
    logits = np.where(run.chunked_loss, law.logits, law.logits_naive)
    return activations * run.hidden + logits * run.vocab


def peak_memory(run: Any, gpus: Any, law: MemoryLaw) -> Any:
    """Peak memory of one GPU [byte] when states are sharded over all GPUs (ZeRO-3, FSDP).

    Sharded states + two gathered layers + tokens in flight x (activations + logits) + framework.
    When that exceeds the GPU, the sequence is split over up to 64 GPUs (tensor and context
    parallel), only as far as it must, so the peak stays near the card until even that is not
    enough. With offload the states live in the host's memory.
    """
    return _peak(run, np.asarray(gpus, float), law, *_demand(run, law))


def least_memory(run: Any, gpus: Any, law: MemoryLaw) -> Any:
    """Peak memory of one GPU [byte] with one sequence in flight, where the micro-batch is free."""
    return peak_memory(replace(run, tokens_in_flight=run.fewest_in_flight), gpus, law)


def smallest_set(run: Any, law: MemoryLaw) -> Any:
    """Fewest GPUs on which the run fits, whole; NaN where even 16,384 are too few."""
    run = replace(run, tokens_in_flight=run.fewest_in_flight)
    demand, room = _demand(run, law), FILLED * run.memory * ROUNDING
    low = np.ones_like(demand[0] + demand[2])
    high = low * MOST_GPUS
    for _ in range(int(np.log2(MOST_GPUS)) + 1):
        middle = np.floor((low + high) / 2)
        fits = _peak(run, middle, law, *demand) <= room
        low, high = np.where(fits, low, middle), np.where(fits, middle, high)
    high = np.where(_peak(run, high, law, *demand) <= room, high, np.nan)
    return np.where(_peak(run, 1.0, law, *demand) <= room, 1.0, high)  # alone it gathers no layers


def fitting(run: Any, gpus: Any, law: MemoryLaw) -> Any:
    """The run with the largest micro-batch that its GPUs hold, where none was given.

    At most the usual tokens in flight, at least one sequence: who trains fills the card.
    """
    states, gathered, tokens = _demand(run, law)
    held = states / gpus + np.where(gpus > 1, gathered, 0.0)
    room = USABLE * run.memory / law.fragmentation - law.framework - held
    share = np.clip(room / tokens, 0.0, 1.0) * run.tokens_in_flight / run.seq_len
    whole = np.maximum(np.floor(share) * run.seq_len, run.fewest_in_flight)
    return replace(run, tokens_in_flight=np.minimum(whole, run.tokens_in_flight))


def shortage(run: Any, law: MemoryLaw) -> Any:
    """Bytes that one of 16,384 GPUs lacks for the run; zero or less where it fits."""
    return least_memory(run, float(MOST_GPUS), law) - FILLED * run.memory


def _demand(run: Any, law: MemoryLaw) -> tuple[Any, Any, Any]:
    """(states to shard, layers gathered at once, activations and logits in flight) [byte]."""
    width = np.where(run.quantised, law.quantised_weight, BYTES_PER_PARAMETER_BF16)
    states = np.where(run.offload, 0.0, state_memory(run, law))
    # experts stay where they are, unless a plain script or offload gathers all of them
    moved = np.where(run.naive | run.offload, run.params, run.active_params)
    filled = np.where(run.packed, 1.0, UNPACKED) * run.tokens_in_flight
    return (states, LAYERS_GATHERED * width * moved / run.layers, filled * token_memory(run, law))


def _peak(run: Any, gpus: Any, law: MemoryLaw, states: Any, gathered: Any, tokens: Any) -> Any:
    held = states / gpus + np.where(gpus > 1, gathered, 0.0)
    room = USABLE * run.memory / law.fragmentation - law.framework
    split, whole = held + tokens / np.minimum(gpus, MOST_SPLIT), held + tokens
    used = np.where(whole <= room, whole, np.maximum(np.minimum(room, whole), split))
    return (used + law.framework) * law.fragmentation
