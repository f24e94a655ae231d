"""One training run of a tune: on the GPUs of a Hosted serving as the calibrated laws predict it, or as a provider sells it."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from costmodel.choices.purchases import cite
from costmodel.choices.servings.hosted import Hosted
from costmodel.core.errors import Infeasible
from costmodel.core.units import GB, MTOK, SECONDS_PER_HOUR
from costmodel.laws.training.calibration import laws
from costmodel.laws.training.compute import (
    BYTES_PER_PARAMETER_BF16,
    BYTES_PER_PARAMETER_FULL,
    adapter_flops,
    gpu_hours,
    training_flops,
)
from costmodel.laws.training.memory import smallest_set
from costmodel.laws.training.run import RANK, Run, build, class_of, gpus_per_node
from costmodel.laws.training.speed import seconds_per_token


@dataclass(frozen=True)
class Purchase:
    """One run as it is bought: `quantity` units at `usd_per_unit`, with its formula and what it cites."""

    quantity: Any
    unit: str
    usd_per_unit: Any
    trend: str
    basis: str
    cites: tuple[str, ...]


SIZE = "{examples} examples x {tokens_per_example} tokens x {epochs} epochs"


def quoted(tune: Any) -> Purchase:
    """A run at a price that somebody named."""
    return Purchase(
        1.0, "run", tune.usd_per_run, "gpu", "one run at {usd_per_run}", cite(tune, "usd_per_run")
    )


def managed(tune: Any) -> Purchase:
    """A run at a provider: training tokens of all epochs at its price."""
    cites = (
        *cite(tune.tuning, "usd_per_mtok_train"),
        *cite(tune, "examples", "tokens_per_example", "epochs"),
    )
    return Purchase(tune.tokens / MTOK, "Mtok", tune.tuning.usd_per_mtok_train, "api", SIZE, cites)


def own(tune: Any, serving: Hosted, method: str) -> Purchase:
    """A run on the serving's GPUs: hours of computing, and the hours that every GPU of the set is held besides.

    GPU-hours = tokens x seconds per token / speed / (share of time at speed) + hours_per_run x GPUs, on the fewest GPUs
    that hold the run. With `mfu`, FLOP / (peak x mfu) replaces the prediction.
    """
    run = arrays(serving, method, tune.seq_len, tune.packed, tune.stack)
    gpus = smallest_set(run, laws()[1])
    if np.all(np.isnan(gpus)):
        raise Infeasible(
            f"{method} training of {serving.model.id} does not fit any number of {serving.gpu.id}; choose a larger GPU or method"
        )
    speed = laws()[0]
    how: tuple[str, ...] = ("mfu",)
    if tune.mfu is None:
        how, factor = ("speed_error", "seq_len"), widened(tune.speed_error, run)
        text = (
            ": time of a token by the measured laws / their error, from {speed_error} for adapters"
        )
        if tune.speed is not None:
            how, factor, text = (
                ("speed", "seq_len"),
                tune.speed,
                ": time of a token by the measured laws / {speed}",
            )
        seconds = seconds_per_token(replace(run, gpus=gpus, gpus_used=gpus), speed) / factor
        hours = tune.tokens * seconds / speed.whole_run / SECONDS_PER_HOUR
    else:
        flops = training_flops if method == "full" else adapter_flops
        hours = gpu_hours(
            flops(serving.model.active_parameters, tune.tokens),
            serving.gpu.peak_flops_bf16,
            tune.mfu,
        )
        text = ": FLOP / (peak x {mfu})"
    cites = (
        *cite(serving.rent, "usd_per_gpu_hour"),
        *cite(tune, "examples", "tokens_per_example", "epochs", "hours_per_run", *how),
    )
    return Purchase(
        hours + tune.hours_per_run * gpus,
        "GPU-hour",
        serving.rent.usd_per_gpu_hour,
        "gpu",
        SIZE + text + " + {hours_per_run} h on each GPU",
        cites,
    )


def widened(error: Any, run: Run) -> Any:
    """A draw of the error of adapter runs, widened to the band of this run's class: error^(ln band / ln adapter band)."""
    bands = laws()[2]
    kind = str(np.ravel(class_of(run))[0])
    return error ** (np.log(bands[kind]) / np.log(bands["adapter"]))


def arrays(serving: Hosted, method: str, seq_len: Any, packed: bool | None, stack: str) -> Run:
    """What the training laws read, for a tune of the serving's model on its GPU; numbers or draws."""
    model = serving.model
    return build(
        serving.gpu,
        gpus_per_node(serving.gpu.id),
        params=model.parameters,
        active_params=model.active_parameters,
        layers=model.layers,
        hidden=model.hidden,
        vocab=model.vocab,
        seq_len=seq_len,
        method=method,
        stack=stack,
        packed=packed,
    )


def checkpoint_gb(serving: Hosted, method: str) -> Any:
    """Size of what a tune leaves behind [GB]: all weights in bf16, or the adapter alone.

    The adapter's size follows from the states that the memory law gives it.
    """
    if method == "full":
        return serving.model.parameters * BYTES_PER_PARAMETER_BF16 / GB
    trained = (
        laws()[1].adapter_states
        * RANK
        * serving.model.layers
        * serving.model.hidden
        / BYTES_PER_PARAMETER_FULL
    )
    return trained * BYTES_PER_PARAMETER_BF16 / GB
