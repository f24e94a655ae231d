"""History under other options: what the same calls would have cost, and what breaks a cache."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.mixes import Mix
from costmodel.choices.options import Option
from costmodel.choices.servings.api import Api
from costmodel.choices.techniques.prompting import FewShot, PromptCache, TokenSizes
from costmodel.choices.terms import Terms
from costmodel.core import (
    DAYS_PER_MONTH,
    MTOK,
    SECONDS_PER_MINUTE,
    CatalogError,
    Infeasible,
    check,
    middle,
    public,
)
from costmodel.facts.catalog import fact
from costmodel.facts.prices import ApiPrice, rates
from costmodel.facts.tokens import basis
from costmodel.ingest.reader import TOKENS
from costmodel.ingest.usage import Usage, list_usd, modes_of, paid
from costmodel.ledgers.book import ledger
from costmodel.studies.history.traffic import workload

CACHED, PROMPT = TOKENS[1:4], TOKENS[:4]
AS_IT_WAS = "as it was"
CARRYING = ("serving", "retrieval")  # phases that a bill of tokens stands beside
COLUMNS = ["option", "day", "class", "usd", "low", "high", "why_not"]
BY_CALL = FewShot, PromptCache, TokenSizes  # with which each call can be priced as it was logged
BROKEN = 0.5  # share of the last prompt that is found again, below which a cache was broken


@public
def reprice(
    usage: Usage, options: Mapping[str, Any], context_max: float | None = None, draws: int = 500
) -> pd.DataFrame:
    """What the calls of your history would have cost under other options, per day and class.

    What serves and what shapes a prompt is priced, without people, evaluation and upkeep, which no
    bill of calls has. An API is priced call by call, each at the context tier of its own prompt;
    tokens are scaled by the tokenizers of both makers, whose doubt is the band. What was cached
    stays cached where the price card has cached tokens; `PromptCache` also reads what repeats
    within a session, and `FewShot` adds its examples to every call. A Mix of APIs takes the share
    of every call that each part sees, or, with `TokenSizes` for each part, the calls of its own
    model. Any other option (own GPUs, retrieval) is priced by its ledger for a month of this
    workload, and spread over the days by their calls.

    Parameters
    ----------
    usage : Usage
    options : dict of label to Option, Api or model id
    context_max : float, optional
        Tokens to which every prompt is cut, as a policy that drops old context does.
    draws : int
        Draws behind the options that their ledger prices.

    Returns
    -------
    DataFrame
        `option` ("as it was" first), `day`, `class` of tokens (or phase), `usd`, `low` and `high`
        (the doubt of the tokenizer; empty where several models answer, or one whose tokenizer
        nobody has measured), and `why_not` where an option cannot run, with its reason; at "as it
        was", how many rows have no price and are left out.

    Raises
    ------
    CatalogError
        For an unknown model or tokenizer.
    ValueError
        Where the usage has no calls with a time.

    Examples
    --------
    >>> import costmodel as cm
    >>> day = {"time": ["2026-10-01"], "model": ["gpt-4o"], "input": [1_000_000], "calls": [100]}
    >>> small = cm.Api("gpt-4o-mini", on="2026-10-01")
    >>> made = reprice(cm.ingest.Usage.of(pd.DataFrame(day)), {"small": small})
    >>> made.groupby("option")["usd"].sum().round(4).to_dict()
    {'as it was': 2.5, 'small': 0.15}
    """
    table = usage.table[usage.table["time"].notna()]
    check(len(table), "the usage has no calls with a time")
    was, table, left_out = _as_it_was(table)
    found = [was, left_out]
    for label, given in options.items():
        option = _calls_alone(Option(Api(given)) if isinstance(given, str) else given)
        try:
            fixed = middle(option)
            cut = _cut(table, context_max)
            if all(_by_call(part) for part, _, _ in fixed.parts()):
                found += [_call_by_call(label, *part) for part in _parts(fixed, cut)]
            else:
                found.append(_by_ledger(label, option, usage, cut, draws))
        except Infeasible as error:
            reason = (label, "", "", np.nan, np.nan, np.nan, str(error))
            found.append(pd.DataFrame([reason], columns=COLUMNS))
    return pd.concat([part for part in found if len(part)], ignore_index=True)


@public
def cache_breaks(usage: Usage, ttl_s: float = 300.0) -> pd.DataFrame:
    """What breaks the cache in sessions, and what it costs.

    A cache is broken where a call of a session reads less than half of the prompt before it, which
    had been cached. What had to be paid anew is priced at the difference to a cache read.

    Parameters
    ----------
    usage : Usage
        With sessions.
    ttl_s : float
        Seconds that a prefix lives.

    Returns
    -------
    DataFrame
        By `cause` (a pause, another model, or a changed prefix): `times`, `tokens` and `usd`, most
        dollars first.

    Examples
    --------
    >>> import costmodel as cm
    >>> times = ["2026-10-01T10:00:00Z", "2026-10-01T10:20:00Z"]
    >>> table = {"time": times, "model": "claude-sonnet-4-5", "session": "s", "cache_read": 0}
    >>> log = pd.DataFrame(table | {"cache_write_5m": [100_000, 101_000], "output": 1})
    >>> cache_breaks(cm.ingest.Usage.of(log)).values.tolist()
    [['a pause of over 5 minutes', 1, 100000.0, 0.345]]
    """
    table = _in_sessions(usage.table)
    kept = np.minimum(table["before"], tokens_of(table, PROMPT))
    lost = kept - table["cache_read"].fillna(0.0)
    broken = (lost > BROKEN * kept) & (table["cached_before"] > 0)
    table, lost = table[broken], lost[broken]
    pause = f"a pause of over {ttl_s / SECONDS_PER_MINUTE:g} minutes"
    cause = np.where(table["model"] != table["model_before"], "another model",
                     np.where(table["gap_s"] > ttl_s, pause, "a changed prefix"))  # fmt: skip
    dear = tokens_of(table, TOKENS[2:4]) > 0
    usd = pd.Series(0.0, table.index)
    for model, rows in table.groupby("model"):
        with suppress(CatalogError):
            tier = rates(Api(str(model), on=f"{rows['time'].max():%Y-%m-%d}").model)
            read, fresh, write = (tier.usd_per_mtok_cache_read, tier.usd_per_mtok_in,
                                  tier.usd_per_mtok_cache_write)  # fmt: skip
            if read is not None:
                paid_for = np.where(dear[rows.index], write, fresh) - read
                usd[rows.index] = lost[rows.index] * paid_for / MTOK
    made = pd.DataFrame({"cause": cause, "times": 1, "tokens": lost, "usd": usd})
    return made.groupby("cause").sum().sort_values("usd", ascending=False).reset_index()


# -- an option that is priced call by call ---------------------------------------------------------


def _calls_alone(given: Any) -> Option | Mix:
    """An option with what changes its calls alone: techniques that adapt a serving or shape a
    request.
    """
    if isinstance(given, Mix):
        parts = tuple(replace(part, option=_calls_alone(part.option)) for part in given.mix)
        return replace(given, mix=parts)
    option = given if isinstance(given, Option) else Option(given)
    kept = (t for t in option.techniques if hasattr(t, "adapt") or hasattr(t, "shape"))
    return replace(option, techniques=tuple(kept))


def _by_call(option: Option) -> bool:
    plain = all(isinstance(t, BY_CALL) for t in option.techniques)
    return isinstance(option.serving, Api) and plain


def _parts(option: Option | Mix, table: pd.DataFrame) -> list[tuple[Option, pd.DataFrame, float]]:
    """The parts of an option, the calls of each and the share of them that it sees."""
    parts = option.parts()
    sized = (any(isinstance(t, TokenSizes) for t in part.techniques) for part, _, _ in parts)
    if len(parts) == 1 or not all(sized):
        return [(part, table, float(sees)) for part, sees, _ in parts]
    sold = [(part.serving.model.id, part.serving.mode) for part, _, _ in parts]
    place = {name: k for k, (name, _) in reversed([*enumerate(sold)])}
    place |= {ways: k for k, ways in enumerate(sold)}
    names = {name: _id(name) for name in table["model"].unique()}
    keys = zip(table["model"].astype(str).map(names), modes_of(table), strict=True)
    at = pd.Series([place.get(key, place.get(key[0], 0)) for key in keys], table.index)
    calls = [table[at == k] for k in range(len(parts))]
    return [(part, rows, 1.0) for (part, _, _), rows in zip(parts, calls, strict=True) if len(rows)]


def _id(model: str) -> str:
    """The id of a model in the price list; its own name where the list has none."""
    with suppress(CatalogError):
        return Api(model).model.id
    return model


def _as_it_was(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame, pd.DataFrame]:
    """What was paid for tokens and fees (a billed cost, otherwise the list price of the day), the
    rows for which that is known, and a line on the others.
    """
    usd, why = paid(table.assign(fee_usd=0.0))
    known = (why == "").to_numpy()
    check(known.any(), f"what was used has no price: {why.max()}")
    reason = f"{(~known).sum():,} of {len(known):,} rows have no price and are left out of every "
    rows = [(AS_IT_WAS, "", "", *[np.nan] * 3, f"{reason}option: {why.max()}")]
    left_out = pd.DataFrame(rows if not known.all() else [], columns=COLUMNS)
    return _tidy(AS_IT_WAS, table[known], usd[known]), table[known], left_out


def _call_by_call(label: str, option: Option, table: pd.DataFrame, sees: float) -> pd.DataFrame:
    """A share of every call at the price card of an option, with the tokenizer of its model."""
    card: ApiPrice = replace(option.serving.model, discount=0.0)
    for cache in (t for t in option.techniques if isinstance(t, PromptCache)):
        table = _repeated(table, card, float(cache.ttl_s))
    for few in (t for t in option.techniques if isinstance(t, FewShot)):
        more = _counted(table) * few.examples * few.tokens_per_example
        caches = any(isinstance(t, PromptCache) for t in option.techniques)
        column = np.where(caches | (table["cache_read"] > 0), "cache_read", "input")
        longer = {n: table[n].fillna(0.0) + more * (column == n) for n in ("input", "cache_read")}
        table = table.assign(**longer)
    if rates(card).usd_per_mtok_cache_read is None:
        table = table.assign(input=tokens_of(table, PROMPT), **dict.fromkeys(CACHED, 0.0))
    off = sees * (1 - middle(option.serving.discount))
    found = []
    for model, part in table.groupby(table["model"].astype(str)):
        low, mid, high = token_factor(str(model), card.id)
        _check_window(part, card, mid)
        ends = [list_usd(part, card, factor) * off for factor in (mid, low, high)]
        found.append(_tidy(label, part, *ends))
    return pd.concat(found, ignore_index=True)


def token_factor(source: str, target: str) -> tuple[float, float, float]:
    """Tokens of the target model over those of the source for the same text: low, middle, high.

    >>> token_factor("gpt-4o", "gpt-5"), token_factor("gpt-4o", "claude-sonnet-4-5")
    ((1.0, 1.0, 1.0), (1.05, 1.18, 1.3))
    """
    families = [basis(model) for model in (source, target)]
    if families[0] == families[1]:
        return 1.0, 1.0, 1.0
    ends = []
    for _, family in families:
        found = family and fact("tokenizers", f"{family}.tokens_per_o200k_token").value
        ends.append((found.low, found.mid, found.high) if found else (1.0, 1.0, 1.0))
    (s_low, s_mid, s_high), (t_low, t_mid, t_high) = ends
    return t_low / s_high, t_mid / s_mid, t_high / s_low


def _check_window(part: pd.DataFrame, card: ApiPrice, factor: float) -> None:
    each = tokens_of(part, TOKENS) / part["calls"].clip(lower=1.0) * factor  # of sums: unknown
    over = int((each > card.window).sum()) if card.window else 0
    if over:
        raise Infeasible(
            f"{over:,} of {len(part):,} calls do not fit the {card.window:,.0f}-token window of "
            f"{card.id}"
        )


def _cut(table: pd.DataFrame, most: float | None) -> pd.DataFrame:
    """Prompts cut to a most, all their classes alike."""
    if most is None:
        return table
    share = np.minimum(1.0, most * _counted(table) / tokens_of(table, PROMPT).clip(lower=1.0))
    return table.assign(**{name: table[name] * share for name in PROMPT})


def _counted(table: pd.DataFrame) -> pd.Series:
    """The calls of each row, which say how long a prompt is."""
    unknown = int(table["calls"].isna().sum())
    if unknown:
        raise Infeasible(
            f"{unknown:,} rows do not count their calls, so the length of a prompt is unknown; "
            "give them by usage.with_calls(per_day=...)"
        )
    return table["calls"]


def _repeated(table: pd.DataFrame, card: ApiPrice, ttl_s: float) -> pd.DataFrame:
    """The same calls with a cache: within a session a call reads the prompt before it."""
    named = table["session"].astype(str) != ""
    if not named.any() or table[CACHED].fillna(0.0).to_numpy().any():
        return table
    ordered = _in_sessions(table)
    prompt = ordered["input"].fillna(0.0)
    shortest = getattr(card.cache_min_tokens, "mid", card.cache_min_tokens)
    read = np.minimum(ordered["before"], prompt)
    read = read.where((ordered["gap_s"] <= ttl_s) & (read >= shortest), 0.0)
    rest = prompt - read
    writes = rates(card).usd_per_mtok_cache_write != rates(card).usd_per_mtok_in
    column = "cache_write_1h" if ttl_s > 300 else "cache_write_5m"
    written = rest.where(writes & (prompt >= shortest), 0.0)
    made = ordered.assign(input=rest - written, cache_read=read, **{column: written})
    return pd.concat([made, table[~named]])


def _in_sessions(table: pd.DataFrame) -> pd.DataFrame:
    """The calls of sessions in order, each with the prompt, the model and the time before it."""
    named = table[table["session"].astype(str) != ""].sort_values("time", kind="stable")
    by = named["session"].astype(str)
    prompt = tokens_of(named, PROMPT)
    cached = tokens_of(named, CACHED)
    return named.assign(
        model=named["model"].astype(str),
        before=prompt.groupby(by).shift(fill_value=0.0),
        cached_before=cached.groupby(by).shift(fill_value=0.0),
        model_before=named["model"].astype(str).groupby(by).shift(),
        gap_s=named["time"].groupby(by).diff().dt.total_seconds().fillna(np.inf),
    )


def tokens_of(table: pd.DataFrame, names: list[str]) -> pd.Series:
    """Tokens of these classes together, by row."""
    return table[names].fillna(0.0).sum(axis=1)


def _tidy(
    label: str,
    rows: pd.DataFrame,
    mid: pd.DataFrame,
    low: pd.DataFrame | None = None,
    high: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Dollars of rows by day and class."""
    day = rows["time"].dt.strftime("%Y-%m-%d").rename("day")
    ends = {"usd": mid, "low": mid if low is None else low, "high": mid if high is None else high}
    sums = [end.groupby(day).sum().rename_axis(columns="class").stack() for end in ends.values()]
    table = pd.concat(sums, axis=1, keys=[*ends]).reset_index().assign(option=label, why_not="")
    return table.loc[table["usd"] > 0, COLUMNS]


# -- an option that its ledger prices --------------------------------------------------------------


def _by_ledger(
    label: str, option: Any, usage: Usage, table: pd.DataFrame, draws: int
) -> pd.DataFrame:
    """Serving and retrieval of a month of this workload, spread over the days of the history.

    Where one model answers, its tokenizer counts the workload, which makes the band.
    """
    servings = [part.serving for part, _, _ in middle(option).parts()]
    targets = {getattr(getattr(s, "model", None), "id", "") for s in servings}
    target = targets.pop() if len(targets) == 1 else ""
    try:
        basis(target)
    except CatalogError:  # of your own
        target = ""
    of_model = {m: token_factor(str(m), target) for m in table["model"].unique()} if target else {}
    ends = np.array([of_model.get(m, (1.0, 1.0, 1.0)) for m in table["model"]]).T
    mid = _of_phases(option, usage, table, ends[1], draws)
    low = high = mid
    if np.ptp(ends, axis=0).any():
        low, high = (_of_phases(option, usage, table, end, draws) for end in (ends[0], ends[2]))
    day = table["time"].dt.strftime("%Y-%m-%d")
    calls = table["calls"].fillna(0.0).groupby(day.to_numpy()).sum()
    share = calls / calls.sum() * len(pd.date_range(calls.index.min(), calls.index.max()))
    known = 1.0 if target else np.nan
    rows = [
        (label, day, phase, usd * part, low[phase] * part * known, high[phase] * part * known, "")
        for phase, usd in mid.items()
        for day, part in (share / DAYS_PER_MONTH).items()
    ]
    return pd.DataFrame(rows, columns=COLUMNS)


def _of_phases(
    option: Any, usage: Usage, table: pd.DataFrame, factor: np.ndarray, draws: int
) -> pd.Series:
    """Dollars of a month by phase, with the tokens of each row times a factor."""
    scaled = replace(usage, table=table.assign(**table[TOKENS].mul(factor, axis=0)))
    work = workload(scaled, growth_per_year=0.0, seasons=None)
    start = f"{table['time'].min():%Y-%m}-01"  # the month of the history, in which its models lived
    lines = ledger(option, work, Terms(months=1, start=start), draws=draws)
    lines = lines[(lines["month"] == 1) & lines["phase"].isin(CARRYING)]
    return lines.groupby("phase")["usd"].sum()
