"""From one forward pass to served requests: continuous batching, static batches and full queues.

In the time of one answer every other sequence is read in once: the rest follows by counting. Not in
it: requests of mixed lengths in one batch, pre-emption, priorities.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from costmodel.laws.serving.roofline import (
    Instance,
    decode_step_s,
    prefill_fixed_s,
    prefill_work_s,
    sequences_at_once,
)

ANSWER_HELD = 0.75  # of an answer, in the memory that engines reserve when they admit a request
ROUNDS = 3  # of the fixed point between answer time and running batch; the last changes below 1 %
MOST_READING = 0.95  # share of the time spent on prompts; above it no wait is bounded
LN_20 = float(np.log(20.0))
PROMPTS_TOGETHER = 16.0  # most prompts of a full queue that share one reading of the experts


@dataclass(frozen=True)
class Served:
    """What an instance does under a steady load."""

    ttft_s: Any
    tpot_s: Any
    output_tokens_per_s: Any
    running: Any  # sequences at once


def running_at_once(m: Instance, input_tokens: Any, output_tokens: Any, wanted: Any) -> Any:
    """Sequences that run at once [count]: those wanted, at most those that memory holds, or one."""
    held = sequences_at_once(m, input_tokens + ANSWER_HELD * output_tokens)
    return np.maximum(np.minimum(wanted, held), 1.0)


def accepted_per_step(draft_tokens: Any, accepted: Any) -> Any:
    """Tokens of one step with a draft of g tokens, each accepted with chance a.

    (1 - a ^ (g + 1)) / (1 - a): Leviathan et al. 2023, arXiv:2211.17192, equation 1.

    >>> round(float(accepted_per_step(5, 0.8)), 2), float(accepted_per_step(0, 0.8))
    (3.69, 1.0)
    """
    chance = np.minimum(accepted, 1 - 1e-9)
    return (1 - chance ** (draft_tokens + 1)) / (1 - chance)


def served(
    m: Instance,
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
    tpot = step + interference x prefill x (batch - 1) / output. The batch is what memory holds; who
    waits, waits for answers to end (Little's law). `waves` is requests over concurrency: the first
    wave arrives at once, which delays the mean first token by (batch - 1) / (2 waves) prefills. A
    draft of `draft_tokens`, each accepted with `draft_accepted` and costing `draft_cost` of a step,
    multiplies the tokens of a step.
    """
    running = running_at_once(m, input_tokens, output_tokens, concurrency)
    others = np.maximum(running / m.data_parallel - 1, 0.0)
    prefill = prefill_work_s(m, input_tokens, 1.0, cached) + prefill_fixed_s(m)
    context, checked = input_tokens + output_tokens / 2, 1 + draft_tokens
    steps_per_token = (1 + draft_tokens * draft_cost) / accepted_per_step(
        draft_tokens, draft_accepted
    )
    waiting = m.interference * (1 - 0.5 / waves) * prefill * others / output_tokens
    decoding = running
    for _ in range(ROUNDS):
        step = decode_step_s(m, decoding, context, checked) * steps_per_token
        ttft = m.first_token_s + step + prefill * (1 + others / (2 * waves))
        answer = output_tokens * (step + waiting)
        decoding = np.maximum(running * answer / (ttft + answer), 1.0)
    whole = ttft + answer
    queue = np.maximum(concurrency - running, 0.0) / running * whole * (1 - 1 / waves)
    return Served(ttft + queue, step + waiting, running * output_tokens / whole, running)


def first_token_late_s(
    m: Instance, input_tokens: Any, output_tokens: Any, concurrency: Any
) -> tuple[Any, Any, Any]:
    """Mean and 95th percentile of the first token, and the mean time of a later one [s].

    Requests arrive at random and `concurrency` of them run. Prompts are read one by one: who comes
    waits for those before, M/D/1 with the share r of the time that is spent on reading, whose mean
    wait is r / (2 (1 - r)) prompts; the tail is taken as exponential, so its 95th percentile is
    ln 20 = 3 times that. Not in it: requests that find no free place (a fleet is sized for those).
    """
    run = served(m, input_tokens, output_tokens, concurrency, waves=np.inf)
    read = prefill_work_s(m, input_tokens) + prefill_fixed_s(m)
    whole = run.ttft_s + output_tokens * run.tpot_s
    reading = np.minimum(read * run.running / m.data_parallel / whole, MOST_READING)
    wait = read * reading / (2 * (1 - reading))
    return run.ttft_s + wait, run.ttft_s + LN_20 * wait, run.tpot_s


def static_batch_s(m: Instance, input_tokens: Any, output_tokens: Any, batch: Any) -> Any:
    """Time of a batch that starts and ends together [s]; sequences beyond memory run later."""
    fits = np.maximum(sequences_at_once(m, input_tokens + output_tokens), 1.0)
    read = prefill_work_s(m, input_tokens, batch) * batch / m.data_parallel
    context = input_tokens + output_tokens / 2
    step = decode_step_s(m, np.minimum(batch, fits), context)
    return read + prefill_fixed_s(m) + output_tokens * np.maximum(batch / fits, 1.0) * step


def saturated_tokens_per_s(m: Instance, input_tokens: Any, output_tokens: Any, most: Any) -> Any:
    """Output tokens per second of an instance whose queue never empties.

    At most `most` sequences run in an attention group. Prompts of waiting requests are read
    together, so experts are read once for several.
    """
    batch = running_at_once(m, input_tokens, output_tokens, most * m.data_parallel)
    step = decode_step_s(m, batch, input_tokens + output_tokens / 2)
    together = np.minimum(batch, PROMPTS_TOGETHER)
    read = prefill_work_s(m, input_tokens, together) * batch / m.data_parallel
    return batch * output_tokens / (output_tokens * step + read)


def seconds_per_request(
    m: Instance, input_tokens: Any, output_tokens: Any, concurrency: Any, cached: Any = 0.0
) -> Any:
    """Time of a whole instance that one request takes [s]: 1 / (requests per second).

    `served` without the fixed point: everything that runs also decodes, which is within 2 % and
    lets an answer be empty. A fleet's load in instances is arrivals per second times this; multiply
    with the band of the time per token. `cached` tokens of the prompt are held once for all
    sequences, so more of them fit.
    """
    batch = running_at_once(m, input_tokens - cached, output_tokens, concurrency)
    step = decode_step_s(m, batch, input_tokens + output_tokens / 2)
    read = prefill_work_s(m, input_tokens, 1.0, cached) + prefill_fixed_s(m)
    read = read * (1 + m.interference * (batch / m.data_parallel - 1))
    return (m.first_token_s + (output_tokens + 1.0) * step + read) / batch
