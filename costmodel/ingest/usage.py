"""Usage of your own: logs and exports become one table of calls, whatever tool wrote them.

Every reader states what its counts include and every row is held against it. A row that does not
add up is set aside with the reason; nothing is mended silently. Texts of prompts and answers are
not kept.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals
from tqdm import tqdm

from costmodel.core import MTOK, CatalogError, check, public
from costmodel.facts.cards import api_price
from costmodel.facts.pricelist import MODES
from costmodel.facts.prices import ApiPrice, Tokens, billed
from costmodel.ingest.files import (
    OTHER_ENCODING,
    Document,
    batched,
    documents,
    listed,
    loads,
    peeked,
)
from costmodel.ingest.partition import MONEY, NUMBERS, TEXTS, TIMED, partition
from costmodel.ingest.reader import TOKENS, Reader, by_columns, find
from costmodel.ingest.readers import bodies, exports, sessions, traces

READERS = (*exports.READERS, *traces.READERS, *sessions.READERS, *bodies.READERS)
COLUMNS = [*TIMED, *NUMBERS, *"batch tier team session status certainty".split()]
SELLERS = {"vertex_ai": "google", "gemini": "google", "google_genai": "google", "gcp": "google"}
USUAL_TIERS = ("", "standard", "default", "auto", "standard_only", "not_available", "batch")
READ_WHOLE = (dict, list, str, int, float, bool, type(None))  # not by the paths of a reader
REPEATED = "the id was there before; the last row of an id counts"


@public
@dataclass(frozen=True)
class Usage:
    """Calls of models, one row a call or a bucket of calls; `read` makes it.

    Parameters
    ----------
    table : DataFrame
        `time` [UTC], `provider`, `model`, `calls`, the token classes, which add up to all tokens
        (`input` is fresh input, `output` the visible one), `batch`, `tier`, `team`, `session`,
        `billed_usd` where the row has it, `fee_usd` (the part of it that is not for tokens),
        `elsewhere_usd` (paid under keys of your own), `status`, and `certainty`: "exact", or what
        is a lower bound or unknown. What is unknown is empty, never 0.
    set_aside : DataFrame
        `file`, `row` and `reason` of what was not used.
    notes : tuple of str
        What was assumed, and how many rows hold no usage.

    Examples
    --------
    >>> import costmodel as cm
    >>> day = pd.DataFrame({"time": ["2026-10-01"], "model": ["gpt-4o"], "input": [100_000]})
    >>> cm.ingest.Usage.of(day).price().usd.item()
    0.25
    """

    table: pd.DataFrame
    set_aside: pd.DataFrame
    notes: tuple[str, ...] = ()

    @classmethod
    def of(cls, table: pd.DataFrame) -> Usage:
        """Usage from a table with columns of that name; `time`, `model` and a token class at least.

        >>> Usage.of(pd.DataFrame({"time": [], "model": [], "inputs": []}))
        Traceback (most recent call last):
        costmodel.core.errors.CatalogError: no column 'inputs' in columns= of a usage; ...
        """
        reader = by_columns({name: name for name in table})
        plain = table.astype(object).where(table.notna(), None).to_dict("records")
        docs = [Document(k, row) for k, row in enumerate(plain, 1)]
        return joined([Rows("the table", [reader]).of(docs)])

    @property
    def bound(self) -> str:
        """Why the counts are a lower bound; empty where they are not."""
        kinds = self.table["certainty"].astype(str)
        return next(iter(kinds[kinds.str.startswith("lower bound")]), "")

    def price(self, on: str | None = None) -> pd.DataFrame:
        """The table with `usd`, at the price list of each row's day, and `unpriced`, why not.

        `on` prices all rows at one day, which rows without a time need.
        """
        usd, why = np.full(len(self.table), np.nan), np.full(len(self.table), "", object)
        for rows, by_class, error in priced(self.table, on):
            usd[rows] = sum(by_class.values()) if by_class else np.nan
            why[rows] = error
        return self.table.assign(usd=usd, unpriced=why)

    def summary(self) -> pd.DataFrame:
        """Calls, tokens by class and billed dollars by provider and model, with the first and last
        time.
        """
        by = self.table.groupby(["provider", "model"], observed=True, dropna=False)
        times = by["time"].agg(first="min", last="max")
        return times.join(by[["calls", *TOKENS, *MONEY]].sum(min_count=1))


def mode_of(tier: str) -> str:
    """The price mode of a service tier; one that is bought otherwise is an error."""
    name = tier.lower()
    check(name in (*USUAL_TIERS, *MODES), f"the tier {tier!r} has no price list")
    return name if name in MODES else "standard"


Priced = tuple[np.ndarray, dict[str, np.ndarray], str]  # rows, class -> USD, why there is none


def priced(table: pd.DataFrame, on: str | None = None) -> Iterator[Priced]:
    """What the rows of a table cost by class, at the price list of their day or of one day."""
    day = table["time"].dt.strftime("%Y-%m-%d") if on is None else pd.Series(on, table.index)
    keys = [*(table[k].astype(str) for k in ("provider", "model", "tier")), table["batch"], day]
    groups = table.groupby([k.to_numpy() for k in keys], dropna=False).indices
    for (provider, model, tier, batch, when), rows in groups.items():
        try:
            check(when == when, "the row has no time; write on= a day")
            mode = "batch" if batch else mode_of(tier)
            seller = SELLERS.get(provider, provider.partition(".")[0]) or None
            card = api_price(model, seller, when, mode)
            yield rows, list_usd(table.iloc[rows], card), ""
        except ValueError as error:
            yield rows, {}, str(error)


def list_usd(rows: pd.DataFrame, card: ApiPrice, factor: Any = 1.0) -> dict[str, np.ndarray]:
    """What rows cost on a card by class [USD], each call at the tier of its own prompt.

    A bucket of calls takes the tier of its mean prompt. `factor` scales the tokens, for a model
    that counts others.
    """
    calls = np.maximum(np.nan_to_num(rows["calls"].to_numpy(), nan=1.0), 1.0)
    each: dict[str, Any] = {n: np.nan_to_num(rows[n].to_numpy()) / calls * factor for n in TOKENS}
    each["cache_write"] = each.pop("cache_write_5m")
    found = billed(card, Tokens(**each))
    usd = {n.replace("write", "write_5m") if n == "cache_write" else n: count * rate / MTOK * calls
           for n, (count, rate) in found.items()}  # fmt: skip
    usd["requests"] = card.usd_per_request * calls
    return usd


@public
def read(
    paths: Any,
    columns: Mapping[str, str] | None = None,
    executor: Executor | None = None,
    progress: bool = False,
) -> Usage:
    """Read usage from files of any known format, told by their content.

    Answers of providers, exports of OpenAI, Anthropic, OpenRouter and Bedrock, logs of LiteLLM,
    traces of Langfuse, LangSmith and OpenTelemetry, sessions of Claude Code and Codex, or any
    table whose columns you name.

    Parameters
    ----------
    paths : path or list of paths
        Files, also compressed by gzip, and folders.
    columns : dict, optional
        Of a table in no known format: {our column: the column of the file}, such as
        `{"time": "Day", "model": "Engine", "prompt": "Tokens in", "completion": "Tokens out"}`.

    executor : Executor, optional
        Where the files are read: processes, or `client.get_executor(pure=False)` of a Dask cluster,
        with the same answer. Without it one after the other.
    progress : bool
        Whether a bar counts the files.

    Returns
    -------
    Usage

    Raises
    ------
    CatalogError
        Where no file can be read; the message names the nearest format and what it has.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> body = '{"model": "gpt-4o", "created": 1790000000, "usage": {"prompt_tokens": 1000, '
    >>> body += '"completion_tokens": 10, "prompt_tokens_details": {"cached_tokens": 900}}}'
    >>> with TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "log.json").write_text(body)
    ...     usage = read(folder)
    >>> usage.table[["input", "cache_read", "output"]].values.tolist()
    [[100.0, 900.0, 10.0]]
    >>> usage.price().usd.round(6).item()
    0.001475
    """
    parts: list[Part] = []
    refused: list[tuple[str, int, str]] = []
    files = listed(paths)
    if columns is not None:
        by_columns(columns)  # a wrong name is an error of its own
    found = (executor.map if executor else map)(partial(_file, columns=columns), files)
    bar = tqdm(found, total=len(files), unit="file", disable=not progress)
    for path, (made, why) in zip(files, bar, strict=True):
        parts += made
        if why:
            refused.append((path.name, 0, why))
    if not parts:
        raise CatalogError(f"{refused[0][0]}: {refused[0][2]}")
    return joined(parts, refused)


def _file(path: Path, columns: Mapping[str, str] | None) -> tuple[list[Part], str]:
    """All rows of a file, or why it cannot be read: what a worker does."""
    readers = READERS if columns is None else (by_columns(columns),)
    try:
        return list(read_file(path, readers)), ""
    except CatalogError as error:
        return [], str(error)


def read_file(path: Path, readers: tuple[Reader, ...]) -> Iterator[Part]:
    """The rows of one file, some thousands at a time."""
    start = peeked(documents(path))
    ours = {name: name for name in (start[0] if start else {}) if name in COLUMNS}
    if {"model", "input", "output"} <= ours.keys():
        readers = (by_columns(ours), *readers)
    first = find(start, readers, "usage")
    rows = Rows(path.name, [first, *readers])
    for batch in batched(documents(path, first.fast.decode if first.fast else loads)):
        yield rows.of(batch)


# -- from documents to rows ------------------------------------------------------------------------


@dataclass
class Part:
    """Columns of some rows, what was set aside, and how many rows hold nothing or odd letters."""

    data: list[dict[str, Any]]
    aside: list[tuple[str, int, str]]
    silent: int = 0
    odd: int = 0


class Rows:
    """The rows of one file: which reader each document takes, and what a reader remembers."""

    def __init__(self, file: str, readers: list[Reader]) -> None:
        self.file, self.readers = file, readers
        self.memory: dict[str, Any] = {}

    def of(self, batch: list[Document]) -> Part:
        """The rows of some documents."""
        part, by_reader = Part([], []), dict[tuple[Reader | None, type], list]()
        for row, doc, problem in batch:
            if doc is None and problem:
                part.aside.append((self.file, row, problem))
                continue
            part.odd += bool(problem)
            reader: Reader | None = self.readers[0]
            if type(doc) in READ_WHOLE:
                known = (r for r in self.readers if type(doc) is dict and r.known_by(doc))
                reader = next(known, None)
            by_reader.setdefault((reader, type(doc)), []).append((row, doc))
        for (reader, _), pairs in by_reader.items():
            if reader is None:
                part.silent += len(pairs)
            else:
                part.data.append(self._rows(reader, part, pairs))
        return part

    def _rows(self, reader: Reader, part: Part, pairs: list) -> dict[str, Any]:
        """The canonical columns of documents of one reader."""
        made = pairs
        if reader.rows:
            made = [(row, x) for row, doc in pairs for x in reader.rows(doc, self.memory)]
            part.silent += len(pairs) - len({row for row, _ in made})
        given = reader.columns([x for _, x in made])
        data, why, empty = partition(reader, given, len(made), self.memory)
        good = ~empty
        for reason, where in why:
            for k in np.flatnonzero(where & good):
                text = reason.format(**{name: column[k] for name, column in given.items()})
                part.aside.append((self.file, made[k][0], text))
            good &= ~where
        part.silent += int(empty.sum())
        return data if good.all() else {name: column[good] for name, column in data.items()}


# -- from parts to one table -----------------------------------------------------------------------


def joined(parts: list[Part], refused: Iterable[tuple[str, int, str]] = ()) -> Usage:
    """One table of all parts, without rows whose id comes again."""
    aside = [*refused, *(a for part in parts for a in part.aside)]
    table: dict[str, Any] = {}
    for name in ["id", *COLUMNS]:
        pieces = [found.pop(name) for part in parts for found in part.data]
        table[name] = _one(pieces, name)
    ids = table.pop("id")
    frame = pd.DataFrame(table, copy=False)
    repeated = pd.Series(ids).duplicated(keep="last").to_numpy() & (ids != 0)
    if repeated.any():
        aside.append(("all files", 0, f"{repeated.sum():,} rows: {REPEATED}"))
        frame = frame[~repeated].reset_index(drop=True)
    said = {
        "rows or lines hold no usage": sum(part.silent for part in parts),
        f"lines: the text {OTHER_ENCODING}": sum(part.odd for part in parts),
        "rows have no time": int(frame["time"].isna().sum()),
    }
    notes = tuple(f"{count:,} {text}" for text, count in said.items() if count)
    return Usage(frame, pd.DataFrame(aside, columns=["file", "row", "reason"]), notes)


def _one(pieces: list, name: str) -> Any:
    """The pieces of a column as one."""
    if name in TEXTS:
        return union_categoricals(pieces) if pieces else pd.Categorical([])
    if name == "time":
        return pieces[0].append(pieces[1:]) if pieces else pd.DatetimeIndex([], tz="UTC")
    return np.concatenate(pieces) if pieces else np.array([])
