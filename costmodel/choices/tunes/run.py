"""One training run of a tune: on own GPUs, at a provider, or at a price that you know."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any

import numpy as np

from costmodel.choices.purchases import Line, cite
from costmodel.choices.schedule import Schedule
from costmodel.core import GB, MTOK, SECONDS_PER_HOUR, Infeasible
from costmodel.laws.training.calibration import laws
from costmodel.laws.training.compute import (
    BYTES_PER_PARAMETER_BF16,
    BYTES_PER_PARAMETER_FULL,
    adapter_flops,
    gpu_hours,
    training_flops,
)
from costmodel.laws.training.memory import fitting, smallest_set
from costmodel.laws.training.run import RANK, Run, build, class_of, gpus_per_node
from costmodel.laws.training.speed import seconds_per_token

SIZE = "{examples} examples x {tokens_per_example} tokens x {epochs} epochs"


@dataclass(frozen=True)
class RunPrice:
    """One run as it is bought: `quantity` units at `usd_per_unit`, and its formula."""

    quantity: Any
    unit: str
    usd_per_unit: Any
    trend: str
    basis: str
    cites: tuple[str, ...] = ()

    def line(
        self,
        item: str,
        phase: str,
        runs: Any,
        when: Schedule,
        words: str = "",
        cites: tuple[str, ...] = (),
        treatment: str = "opex",
    ) -> Line:
        """So many of these runs."""
        return Line(
            item,
            phase,
            runs * self.quantity,
            self.unit,
            self.usd_per_unit,
            when,
            self.trend,
            treatment,
            words + self.basis,
            (*self.cites, *cites),
        )


def quoted_run(tune: Any) -> RunPrice:
    """A run at a price that somebody named."""
    return RunPrice(1.0, "run", tune.usd_per_run, "gpu", "one run at {usd_per_run}")


def managed_run(tune: Any) -> RunPrice:
    """A run at a provider: training tokens of all epochs at its price."""
    usd = tune.tuning.usd_per_mtok_train
    if usd is None:
        raise Infeasible(
            f"the training price of {tune.tuning.id} is not known; choose another offer"
        )
    return RunPrice(tune.tokens / MTOK, "Mtok", usd, "api", SIZE, ("usd_per_mtok_train",))


def own_run(tune: Any, serving: Any) -> RunPrice:
    """A run on the serving's GPUs: hours of computing, and hours that each GPU is held besides.

    GPU-hours = tokens x seconds per token / speed / (share of time at speed)
    + hours_per_run x GPUs, on the fewest GPUs that hold the run. With `mfu`, FLOP / (peak x mfu)
    replaces the prediction.
    """
    speed, memory, _ = laws()
    run = training_run(serving, tune.method, tune.seq_len, tune.packed, tune.stack)
    gpus = smallest_set(run, memory)
    if np.all(np.isnan(gpus)):
        raise Infeasible(
            f"{tune.method} training of {serving.model.id} does not fit any number of "
            f"{serving.gpu.id}; choose a larger GPU or method"
        )
    cites = cite(serving.rent, "usd_per_gpu_hour")
    if tune.mfu is not None:
        flops = training_flops if tune.method == "full" else adapter_flops
        work, words = flops(serving.model.active_parameters, tune.tokens), "FLOP / (peak x {mfu})"
        hours = gpu_hours(work, serving.gpu.peak_flops_bf16, tune.mfu)
    else:
        words, factor = "time of a token by the measured laws / {speed}", tune.speed
        if factor is None:
            words = (
                "time of a token by the measured laws / their error, "
                "from {speed_error} for adapters"
            )
            factor = widened_error(tune.speed_error, run)
        run = fitting(replace(run, gpus=gpus, gpus_used=gpus), gpus, memory)
        seconds = seconds_per_token(run, speed) / factor
        hours = tune.tokens * seconds / speed.whole_run / SECONDS_PER_HOUR
        cites += ("seq_len",)
    return RunPrice(
        hours + tune.hours_per_run * gpus,
        "GPU-hour",
        serving.rent.usd_per_gpu_hour,
        "gpu",
        f"{SIZE}: {words} + {{hours_per_run}} h on each GPU",
        cites,
    )


def widened_error(error: Any, run: Run) -> Any:
    """The error of adapter runs, widened to the band of this run's class.

    error^(ln band / ln adapter band)
    """
    bands = laws()[2]
    kind = str(np.ravel(class_of(run))[0])
    return error ** (np.log(bands[kind]) / np.log(bands["adapter"]))


def training_run(serving: Any, method: str, seq_len: Any, packed: bool | None, stack: str) -> Run:
    """What the training laws read, for a tune of the serving's model on one of its GPUs."""
    model, gpu = serving.model, serving.gpu
    return build(
        gpu,
        gpus_per_node(gpu.id),
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


def checkpoint_gb(serving: Any, method: str) -> Any:
    """Size of what a tune leaves behind [GB]: all weights in bf16, or the adapter alone.

    The adapter's size follows from the states that the memory law gives it.
    """
    model = serving.model
    if method == "full":
        trained = model.parameters
    else:
        states = laws()[1].adapter_states * RANK * model.layers * model.hidden
        trained = states / BYTES_PER_PARAMETER_FULL
    return trained * BYTES_PER_PARAMETER_BF16 / GB
