"""How fast a GPU trains: a roofline with few, bounded efficiencies that hold for GPUs and methods never measured.

Time of one token = compute / (peak x efficiency), against kernel launches and the gathering of sharded weights, plus
the unpacking of 4-bit weights and, for RL, the rollouts. The efficiencies are fitted to published runs
(benchmarks/fit_training.py) and live in data/training_calibration.csv.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from .training import BYTES_PER_PARAMETER_BF16, FLOP_PER_PARAMETER_PASS, attention_flops, passes

REFERENCE_BALANCE = 2.0e12 / 3.12e14  # byte/FLOP of the A100 80 GB, to which `efficiency` refers
CEILING = 0.9  # no real matrix multiplication runs closer to the dense peak
OVERLAP = 3.0  # power of the sum of what runs side by side: the longest decides, the rest shows a little
TUNED_LAUNCHES = 0.25  # share of launch time left by CUDA graphs and fused kernels; assumption
SELECTIVE = 0.15  # share of the forward pass that selective checkpointing does again; assumption


@dataclass(frozen=True)
class SpeedLaw:
    """Calibrated numbers. An efficiency is a share of the dense peak; a factor compares with the standard stack."""

    efficiency: float  # matrix multiplication of a wide model in bf16 on an A100 80 GB, standard stack [share]
    balance_power: float  # how efficiency follows bandwidth over peak, over GPUs and precisions [power]
    half_width: float  # hidden size at which everything around the matrix multiplications takes as long as they do
    attention_efficiency: float  # the same for attention [share]
    tuned: float  # vendor stack over standard [x]
    naive: float  # plain script over standard [x]
    offload: float  # states or weights in host memory over standard [x]
    adapter: float  # adapters over full training, beside their fewer FLOPs [x]
    launch_s: float  # one layer, one pass: kernel launches [s]
    dequantisation_bytes: float  # bytes moved to unpack one 4-bit weight in a step [byte]
    doubling_loss: float  # time added by each doubling of GPUs beyond a node, batch grown with them [share]
    doubling_loss_tune: float  # the same for adapters and RL, whose batch stays [share]
    moe: float  # mixture of experts over dense [x]
    moe_across: float  # further, where experts lie on several nodes [x]
    rollouts: float  # sequences that share one reading of the weights, per GPU, while RL generates [count]
    packing: float  # useful share of a batch without packing [share]
    whole_run: float  # steady speed that a whole run keeps: start, evaluation, checkpoints, failures [share]


def efficiency(run: Any, law: SpeedLaw) -> Any:
    """Share of the peak that the matrix multiplications reach.

    base x (bandwidth / peak relative to an A100)^power x stack, at most CEILING, and less for narrow models whose
    norms, activations and optimiser weigh more: / (1 + half_width / hidden). The peak is that of the precision, so the
    same power says how far fp8 stays below its double speed.
    """
    reached = law.efficiency * (run.bandwidth / run.peak / REFERENCE_BALANCE) ** law.balance_power * _stack(run, law)
    wide = np.minimum(reached, CEILING) / (1 + law.half_width / run.hidden)
    return wide * np.where(run.adapter, law.adapter, 1.0) * _experts(run, law)


def _stack(run: Any, law: SpeedLaw) -> Any:
    return np.where(run.tuned, law.tuned, np.where(run.naive, law.naive, np.where(run.offload, law.offload, 1.0)))


def _experts(run: Any, law: SpeedLaw) -> Any:
    across = np.where(run.gpus_used > run.node, law.moe_across, 1.0)
    return np.where(run.active_params < run.params, law.moe * across, 1.0)


def seconds_per_token(run: Any, law: SpeedLaw) -> Any:
    """GPU-seconds of one useful token while the run is at speed [s].

    compute = 2 N passes / (peak x efficiency) + attention / (bf16 peak x attention efficiency)
    launches = launch_s x layers x passes / tokens in flight; gathering = weight bytes x passes / link / tokens in flight
    time = (compute^3 + launches^3 + gathering^3)^(1/3) + dequantisation + rollouts, then scale-out and packing.
    """
    times = passes(run.every_weight, run.recompute, run.forwards)
    compute = FLOP_PER_PARAMETER_PASS * run.active_params * times / (run.peak * efficiency(run, law))
    balance = (run.bandwidth / run.peak_bf16 / REFERENCE_BALANCE) ** law.balance_power
    share = np.minimum(law.attention_efficiency * balance * _stack(run, law), CEILING) * _experts(run, law)
    compute = compute + attention_flops(run.layers, run.hidden, run.seq_len, run.recompute) / (run.peak_bf16 * share)
    launches = law.launch_s * np.where(run.tuned, TUNED_LAUNCHES, 1.0) * run.layers * times / run.tokens_in_flight
    width = np.where(run.quantised, BYTES_PER_PARAMETER_BF16 / 4, BYTES_PER_PARAMETER_BF16)
    one_way = run.interconnect / 2
    gathering = width * run.active_params * times * (1 - 1 / run.gpus_used) / one_way / run.tokens_in_flight
    seconds = (compute**OVERLAP + launches**OVERLAP + gathering**OVERLAP) ** (1 / OVERLAP)
    seconds = seconds + np.where(run.quantised, law.dequantisation_bytes * run.params / run.bandwidth / run.tokens_in_flight, 0.0)
    read = BYTES_PER_PARAMETER_BF16 * run.params / (run.bandwidth * law.rollouts)
    seconds = seconds + np.where(run.generates, read, 0.0)
    loss = np.where(run.adapter | run.generates, law.doubling_loss_tune, law.doubling_loss)
    seconds = seconds * (1 + loss * np.maximum(0.0, np.log2(run.gpus_used / run.node)))
    return seconds / np.where(run.packed, 1.0, law.packing)
