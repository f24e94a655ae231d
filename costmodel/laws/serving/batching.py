"""From one forward pass to served requests: continuous batching, static batches and full queues.

In the time of one answer every other sequence is read in once: the rest follows by counting. Not in
it: requests of mixed lengths in one batch, pre-emption, priorities.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np

from costmodel.laws.serving.instance import Instance, kv_bytes, sequences_at_once
from costmodel.laws.serving.roofline import attention_s, pass_s, prompt_attention_s, step_s

ROUNDS = 3  # of the fixed point between answer time and running batch; the last changes below 1 %
MOST_READING = 0.95  # share of the time spent on prompts; above it no wait is bounded
APART_BUSY = 0.7  # share of the time that instances which only read prompts are planned for
NO_DRAFT = (0.0, 0.0, 0.0)
LN_20 = float(np.log(20.0))


@dataclass(frozen=True)
class Served:
    """What an instance does under a steady load."""

    ttft_s: Any
    tpot_s: Any
    output_tokens_per_s: Any
    running: Any  # sequences at once
    line_s: Any  # of the first token: mean wait for other prompts


def running_at_once(m: Instance, input_tokens: Any, output_tokens: Any, wanted: Any) -> Any:
    """Sequences that run at once [count]: those wanted, at most those that memory holds, or one.

    `input_tokens` are those of a sequence alone: a cached prefix is held once for all of them.
    """
    held = sequences_at_once(m, input_tokens + m.answer_held * output_tokens)
    return np.maximum(np.minimum(wanted, held), 1.0)


def decoding_at_once(m: Instance, running: Any, fresh: Any, output_tokens: Any) -> Any:
    """Sequences that one pass decodes [count]: those that run, at most those whose prompts are
    read while an answer is written; the others wait for a pass that reads theirs.

    chunk / prompt x answer: a pass reads `chunk` tokens of prompts, so that more requests do not
    make short answers slower.
    """
    read = m.data_parallel * m.chunk / fresh * np.maximum(output_tokens, 1.0)
    return np.maximum(np.minimum(running, read), 1.0)


def accepted_per_step(draft_tokens: Any, accepted: Any) -> Any:
    """Tokens of one step with a draft of g tokens, each accepted with chance a.

    (1 - a ^ (g + 1)) / (1 - a): Leviathan et al. 2023, arXiv:2211.17192, equation 1.

    >>> round(float(accepted_per_step(5, 0.8)), 2), float(accepted_per_step(0, 0.8))
    (3.69, 1.0)
    """
    chance = np.minimum(accepted, 1 - 1e-9)
    return (1 - chance ** (draft_tokens + 1)) / (1 - chance)


def attentions_s(m: Instance, fresh: Any, cached: Any, output: Any) -> tuple[Any, Any]:
    """Time of the attention of (an answer half done, a token in the middle of its prompt) [s]."""
    return (attention_s(m, cached + fresh + output / 2), prompt_attention_s(m, cached + fresh / 2))


def prompt_s(
    m: Instance,
    batch: Any,
    fresh: Any,
    output: Any,
    beside: Any,
    decodes: Any,
    decoding: Any,
    attentions: tuple[Any, Any],
) -> tuple[Any, Any]:
    """(what a prompt adds to the passes of a batch [s], passes for one token of every answer).

    In the time of an answer each sequence is read in once, so a token brings batch / output
    prompts. A pass takes one prompt or as many as come at once, in chunks of at most `chunk`
    tokens; `beside` prompts (at least) are there together. A pass `decodes` so many sequences,
    which takes `decoding` without prompts. More than one pass a token is needed where prompts fill
    more than answers take.
    """
    group = batch / m.data_parallel
    chunk = np.minimum(np.maximum(fresh * np.maximum(group / output, beside), fresh), m.chunk)
    mixed = pass_s(m, decodes, attentions[0], 1.0, chunk, attentions[1])
    waits = m.data_parallel**m.stagger  # groups read at different times, all meet at the experts
    added = (mixed - decoding) * fresh / chunk * waits + m.request_s * m.data_parallel
    return added, np.maximum(1.0, group * fresh / chunk / output)


def waits_s(read: Any, reading: Any) -> Any:
    """Mean wait of a prompt for those before it [s], where prompts come at random.

    M/D/1: r / (2 (1 - r)) prompts of `read` seconds, with the share r = `reading` of the time spent
    on them (Pollaczek and Khinchine; Kleinrock 1975, "Queueing Systems", volume 1, section 5.6).

    >>> float(waits_s(0.2, 0.5)), float(waits_s(0.2, 0.0))
    (0.1, 0.0)
    """
    return read * reading / (2 * (1 - reading))


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
    tpot = step + prompt x (batch - 1) / output. The batch is what memory holds; who
    waits, waits for answers to end (Little's law). `waves` is requests over concurrency: the first
    wave arrives at once, which delays the mean first token by (batch - 1) / (2 waves) prompts, and
    later ones by half of the prompts that are read in other passes; all other prompts come at
    random (`waits_s`). A draft of `draft_tokens`, each accepted with `draft_accepted` and costing
    `draft_cost` of a step, multiplies the tokens of a step. `cached` tokens of the prompt are held
    once for all sequences, so more of them fit.
    """
    running = running_at_once(m, input_tokens - cached, output_tokens, concurrency)
    group = running / m.data_parallel
    others = np.maximum(group - 1, 0.0)
    fresh, checked = np.maximum(input_tokens - cached, 1.0), 1 + draft_tokens
    steps_per_token = _steps_per_token(draft_tokens, draft_accepted, draft_cost)
    context = input_tokens + output_tokens / 2
    most = decoding_at_once(m, running, fresh, output_tokens)
    full = step_s(m, most, context)
    attentions = attentions_s(m, fresh, cached, output_tokens)
    case = (m, running, fresh, output_tokens)
    prompt, per_token = prompt_s(*case, 1.0, most, full, attentions)
    burst, _ = prompt_s(*case, 1 + others / waves, most, full, attentions)
    together = np.minimum(np.maximum(m.chunk / fresh, 1.0), np.maximum(group, 1.0))
    later = prompt * others * (1 - 1 / waves)
    waiting = (later + burst * np.maximum(group - together, 0.0) / 2 / waves) / output_tokens
    first = (
        m.first_token_s
        + m.first_token_s_per_token * input_tokens
        + m.first_token_s_per_stream * (running - 1)
        + first_pass_s(m, input_tokens, cached)
        + burst * others / 2 / waves
    )
    # a prompt comes in the middle of a pass, and waits until the engine looks for it
    passed = np.maximum(fresh / m.chunk, 0.5) + (m.polled - 1) / 2
    decoding, whole = most, first + output_tokens * (full * steps_per_token + waiting)
    attention = attention_s(m, context, checked)
    for _ in range(ROUNDS):
        step = pass_s(m, decoding, attention, checked)
        reading = np.minimum(prompt * others / whole, MOST_READING)
        line = waits_s(prompt, reading) * (1 - 1 / waves)
        ttft = first + line + step * (1 - 1 / np.maximum(decoding, 1.0)) * passed
        token = step * steps_per_token * per_token + waiting
        answer = output_tokens * token
        whole = ttft + answer
        decoding = np.clip(running * answer / whole, 1.0, most)
    queue = np.maximum(concurrency - running, 0.0) / running * whole * (1 - 1 / waves)
    return Served(ttft + queue, token, running * output_tokens / whole, running, line)


def first_token_late_s(
    m: Instance,
    input_tokens: Any,
    output_tokens: Any,
    concurrency: Any,
    draft: tuple[Any, Any, Any] = NO_DRAFT,
    apart: bool = False,
    cached: Any = 0.0,
    hits: Any = 0.0,
) -> tuple[Any, Any, Any, Any]:
    """Mean first token of a request without and with `cached` tokens of its prompt, what the 95th
    percentile waits on top, and the mean time of a later token [s].

    Requests arrive at random and `concurrency` of them run. Prompts are read one by one: who comes
    waits for those before (`waits_s`); the tail is taken as exponential, so its 95th percentile is
    ln 20 = 3 times the mean wait. `apart`: instances of their own read the prompts and send the
    cache, so that answers wait for no prompt. A share `hits` of the requests finds `cached` tokens;
    who waits, waits for prompts of that mean. Not in it: requests that find no free place (a fleet
    is sized for those).
    """
    found = hits * cached
    run = served(m, input_tokens, output_tokens, concurrency, np.inf, found, *draft)
    first, line, later = run.ttft_s, run.line_s, run.tpot_s
    usual = first_pass_s(m, input_tokens, found)
    if apart:
        line = waits_s(usual, APART_BUSY)
        first = m.first_token_s + m.first_token_s_per_token * input_tokens + usual + line
        context, checked = input_tokens + output_tokens / 2, 1 + draft[0]
        later = step_s(m, run.running, context, checked) * _steps_per_token(*draft)
    cold, warm = (first - usual + first_pass_s(m, input_tokens, x) for x in (0.0, cached))
    return cold, warm, (LN_20 - 1) * line, later


def transfer_s(m: Instance, tokens: Any) -> Any:
    """Time to send the cache of a prompt from the GPUs that read it to those that decode [s].

    Bytes on one GPU / link: DistServe (arXiv:2401.09670, section 4.3). Not in it: layers that are
    sent while later ones are computed.
    """
    return kv_bytes(m, tokens) / (m.interconnect / 2 * m.link_efficiency)


def first_pass_s(m: Instance, input_tokens: Any, cached: Any = 0.0) -> Any:
    """Time of the passes that read one prompt, nothing else running and no server around it [s]."""
    fresh = np.maximum(input_tokens - cached, 1.0)
    chunk = np.minimum(fresh, m.chunk)
    return step_s(m, 0.0, 1.0, 1.0, chunk, cached + fresh / 2) * fresh / chunk


def static_batch_s(m: Instance, input_tokens: Any, output_tokens: Any, batch: Any) -> Any:
    """Time of a batch that starts and ends together [s]; sequences beyond memory run later."""
    fits = np.maximum(sequences_at_once(m, input_tokens + output_tokens), 1.0)
    at_once = np.minimum(batch, fits)
    step = step_s(m, at_once, input_tokens + output_tokens / 2)
    fresh = np.maximum(input_tokens, 1.0)
    attentions = attentions_s(m, fresh, 0.0, output_tokens)
    case = (m, at_once, fresh, output_tokens)
    prompt, _ = prompt_s(*case, at_once / m.data_parallel, at_once, step, attentions)
    read = prompt * batch / m.data_parallel
    return read + output_tokens * np.maximum(batch / fits, 1.0) * step


def saturated_tokens_per_s(m: Instance, input_tokens: Any, output_tokens: Any, most: Any) -> Any:
    """Output tokens per second of an instance whose queue never empties.

    At most `most` sequences run in an attention group.
    """
    batch = running_at_once(m, input_tokens, output_tokens, most * m.data_parallel)
    fresh = np.maximum(input_tokens, 1.0)
    decodes = decoding_at_once(m, batch, fresh, output_tokens)
    step = step_s(m, decodes, input_tokens + output_tokens / 2)
    attentions = attentions_s(m, fresh, 0.0, output_tokens)
    prompt, per_token = prompt_s(m, batch, fresh, output_tokens, 1.0, decodes, step, attentions)
    read = prompt * batch / m.data_parallel
    return batch * output_tokens / (output_tokens * step * per_token + read)


def seconds_per_request(
    m: Instance,
    input_tokens: Any,
    output_tokens: Any,
    concurrency: Any,
    cached: Any = 0.0,
    draft: tuple[Any, Any, Any] = NO_DRAFT,
    apart: bool = False,
) -> Any:
    """Time of a whole instance that one request takes [s]: 1 / (requests per second).

    `served` without the fixed point: everything that runs also decodes, which is within 2 % and
    lets an answer be empty. A fleet's load in instances is arrivals per second times this; multiply
    with the band of the time per token. `cached` tokens of the prompt are held once for all
    sequences, so more of them fit. `draft` is (tokens, chance that each is accepted, cost of each
    as a share of a step). `apart` adds the time of an instance that reads prompts alone to that of
    one that decodes alone.
    """
    batch = running_at_once(m, input_tokens - cached, output_tokens, concurrency)
    fresh = np.maximum(input_tokens - cached, 1.0)
    answer = np.maximum(output_tokens, 1.0)
    context, steps = input_tokens + output_tokens / 2, _steps_per_token(*draft)
    decodes = batch if apart else decoding_at_once(m, batch, fresh, output_tokens)
    step = step_s(m, decodes, context, 1 + draft[0])
    if apart:
        read = first_pass_s(m, input_tokens, cached) + transfer_s(m, fresh) + m.request_s
        return read + (output_tokens + 1.0) * steps * step / batch
    plain = step_s(m, decodes, context) if np.any(draft[0]) else step
    attentions = attentions_s(m, fresh, cached, answer)
    prompt, per_token = prompt_s(m, batch, fresh, answer, 1.0, decodes, plain, attentions)
    first = m.first_token_s + m.first_token_s_per_token * input_tokens
    decoded = (output_tokens * per_token + 1.0) * steps * step
    return (first + decoded + prompt * batch / m.data_parallel) / batch


def _steps_per_token(draft_tokens: Any, accepted: Any, cost: Any) -> Any:
    """Decoding steps, drafts included, for one token that stays."""
    return (1 + draft_tokens * cost) / accepted_per_step(draft_tokens, accepted)
