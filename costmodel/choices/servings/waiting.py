"""How long a user waits: for the first token, and for the whole answer, of an API or of own GPUs.

    first token = search and rerank + reading the prompt + reasoning
    answer      = first token + answer tokens x time of a token

An agent does both once for each of its steps; a second part of a Mix waits for the first. The 95th
percentile of an API is its median times `Waiting.tail`; that of own GPUs is in
`laws.serving.batching`, and the fleet is sized so that a request in twenty may find no free place.
Not in it: queues at a rate limit, the network, and people who answer.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from costmodel.choices.workload import ANSWER
from costmodel.core import (
    HOURS_PER_DAY,
    MTOK,
    SECONDS_PER_HOUR,
    Number,
    checked,
    middle,
    number_text,
    unchecked,
)
from costmodel.facts.catalog import practice
from costmodel.laws.agents import attempts
from costmodel.laws.retrieval import first_token_s

BATCH_S = HOURS_PER_DAY * SECONDS_PER_HOUR  # what providers promise for a batch
HALVES = 8  # of a batch that are tried: 64, 32 ... 1
HALF, LATE = 0.5, 0.95  # the percentiles, and the cached shares from which they see a hit


@checked
class Waiting:
    """How long a hosted API takes; wide, because models and hours differ.

    Parameters
    ----------
    first_token_s : float or Range
        The wait for a prompt without tokens [second].
    seconds_per_mtok : float or Range
        What a million prompt tokens add [second].
    seconds_per_token : float or Range
        Time of a token that is written, reasoning included [second].
    cached_wait_share : float or Range
        What is left of reading for tokens that are read from a cache [share].
    tail : float or Range
        The wait of one request in twenty for its first token, over the usual one [x].

    Raises
    ------
    ValueError
        When a field is outside its range.

    Examples
    --------
    >>> import costmodel as cm
    >>> slow = cm.knowledge.Waiting(first_token_s=1.0, seconds_per_mtok=20.0, tail=3.0)
    >>> option, work = cm.Option(cm.Api("gpt-6-sol")), cm.Workload(1_000, input_tokens=100_000)
    >>> waits = cm.knowledge.latency(option, work, waiting=slow, draws=10)
    >>> waits[["p50", "p95"]].round(1).to_dict("records")
    [{'p50': 3.0, 'p95': 9.0}]
    """

    first_token_s: Number = practice("api.first_token_s")
    seconds_per_mtok: Number = practice("api.seconds_per_mtok")
    seconds_per_token: Number = practice("api.seconds_per_token")
    cached_wait_share: Number = practice("api.cached_wait_share")
    tail: Number = practice("api.tail")


Waits = tuple[Any, Any]  # seconds of half of the requests, and of 19 in 20


def waits(cases: list[Any], of: str, waiting: Waiting | None = None) -> Waits | None:
    """Seconds that an option takes to its first token or its whole answer; None where people do.

    `cases` are those of its parts; `waiting` replaces what each API says of itself.
    """
    before: Any = 0.0
    usual: Any = None
    late: Any = None
    for case in cases:
        found = _of_case(case, of, waiting)
        if found is None:
            return None
        sees = case.requests_per_month / case.work.requests_per_month
        cold, half, most = found
        usual = before + half if usual is None else np.where(sees >= HALF, before + half, usual)
        late = before + most if late is None else np.where(sees >= 1 - LATE, before + most, late)
        before = before + cold
    return usual, late


def _of_case(case: Any, of: str, waiting: Waiting | None) -> tuple[Any, Any, Any] | None:
    """(an uncached request, the median, the 95th percentile) of one part [s]."""
    call, own, api = case.request.main, case.serving, getattr(case.serving, "api", case.serving)
    hits = _hits(case)
    if hasattr(own, "waits_s"):
        cold, warm, late, token = own.waits_s(call, hits)
        half, most = (np.where(hits >= share, warm, cold) for share in (HALF, LATE))
        most = most + late
    elif hasattr(api, "waiting"):
        if api.mode == "batch":
            return BATCH_S, BATCH_S, BATCH_S
        said = waiting or api.waiting or middle(Waiting())
        cold, warm = _prompt(call, api, said)
        half, most = (np.where(hits >= share, warm, cold) for share in (HALF, LATE))
        most = said.tail * most
        token = said.seconds_per_token
    else:
        return None
    before = sum((t.wait_s(case) for t in case.techniques if hasattr(t, "wait_s")), 0.0)
    whole = call.generated_tokens * token
    last = whole if of == ANSWER else call.reasoning_tokens * token
    steps = np.maximum(call.per_request, 1.0) - 1  # those of an agent before its last
    return tuple(before + steps * (half + whole) + x + last for x in (cold, half, most))


def _hits(case: Any) -> Any:
    """Share of the requests that find their prefix cached."""
    cache = case.request.main.cache
    arrivals = case.work.arrivals_per_s(case.requests_per_month)
    return 0.0 if cache is None else cache.hit_rate(arrivals)


def _prompt(call: Any, api: Any, usual: Waiting) -> tuple[Any, Any]:
    """Seconds of the prompt without and with a cached prefix, failed calls included."""
    tries = attempts(api.failed, api.attempts_max)

    def seconds(tokens: Any) -> Any:
        return first_token_s(tokens, usual.first_token_s, usual.seconds_per_mtok)

    cold = seconds(call.prompt_tokens) * tries
    if call.cache is None:
        return cold, cold
    stable = call.stable_tokens / MTOK * usual.seconds_per_mtok * usual.cached_wait_share
    return cold, (seconds(call.prompt_tokens - call.stable_tokens) + stable) * tries


def too_late(cases: list[Any]) -> tuple[Any, str] | None:
    """By how many seconds an option misses the need of its workload, and the reason in words.

    None where the workload states no need, or people answer.
    """
    work = cases[0].work
    found = None if work.latency_s is None else waits(cases, work.latency_of)
    if found is None:
        return None
    late = found[1]
    if any(getattr(case.serving, "mode", "") == "batch" for case in cases):
        words = "a batch is answered within a day"
    else:
        shown = number_text(late) if np.ndim(late) == 0 else "too many"
        words = f"one request in twenty waits {shown} s or more for its {work.latency_of}"
    return late - work.latency_s, (
        f"{words}, the workload needs {number_text(work.latency_s)} s; take a faster model, a "
        "shorter prompt or answer, or fewer steps, or give what you measured, Api(waiting=...)"
    )


def sized_in_time(case: Any) -> Any:
    """The case with own GPUs that answer so few sequences at once that the need is met.

    It is the largest batch, of `batch_max` and its halves. A measured throughput is that of its own
    batch, which stays.
    """
    need, own = case.work.latency_s, case.serving
    if need is None or not hasattr(own, "waits_s") or own.requests_per_s is not None:
        return case
    best: Any = 1.0
    for halves in reversed(range(HALVES)):
        batch = np.maximum(own.batch_max / 2**halves, 1.0)
        trial = replace(case, serving=unchecked(own, batch_max=batch))
        found: Any = waits([trial], case.work.latency_of)
        best = np.where(found[1] <= need, batch, best)
    return replace(case, serving=unchecked(own, batch_max=best if np.ndim(best) else float(best)))
