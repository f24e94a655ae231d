"""Usage of your own: logs and exports become one table of calls, whatever tool wrote them.

Every reader states what its counts include and every row is held against it. A row that does not
add up is set aside with the reason; nothing is mended silently. Texts of prompts and answers are
not kept.
"""

from __future__ import annotations

import gc
import re
from collections import Counter
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import Executor
from dataclasses import dataclass, field, replace
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pandas.api.types import union_categoricals
from tqdm import tqdm

from costmodel.core import KILO, MTOK, CatalogError, check, frozen, one_number, public
from costmodel.facts.cards import api_price
from costmodel.facts.pricelist import MODES
from costmodel.facts.prices import ApiPrice, Tokens, billed
from costmodel.ingest.collect import Part, parted, parts
from costmodel.ingest.files import OTHER_ENCODING, Block, listed
from costmodel.ingest.lookup import Lookup
from costmodel.ingest.partition import COLUMNS, FREE, NUMBERS, TEXTS, partition, with_count
from costmodel.ingest.reader import TOKENS, by_columns

SELLERS = {"vertex_ai": "google", "gemini": "google", "google_genai": "google", "gcp": "google"}
USUAL_TIERS = ("", "standard", "default", "auto", "standard_only", "not_available", "batch")
REPEATED = "the id was there before; the last row of an id counts"
SILENT, NO_TIME = "rows or lines hold no usage", "rows have no time"
NO_CALLS = (
    "rows do not count their calls: prices are those of the context window that a row names, "
    "otherwise those of short prompts"
)
UNPAID = f"rows are {FREE}"
ODD = f"lines: the text {OTHER_ENCODING}"
LEAST_CALLS = 1e-6  # a day, of an export that does not count them
# Lengths between which prompts are summed: powers of 2, and every context tier of the price list
SIZES = sorted({32_000, 100_000, 128_000, 199_999, 200_000, 256_000, 272_000, 512_000,
                *(2**k for k in range(24))})  # fmt: skip
SESSIONS = 1_000  # that are kept whole beside sums
MOST = 200_000  # rows of sums that are held before they are summed again


@frozen
class Usage:
    """Calls of models, one row a call or a bucket of calls; `read` makes it.

    Parameters
    ----------
    table : DataFrame
        `time` [UTC], `provider`, `model`, `calls`, the token classes, which add up to all tokens
        (`input` is fresh input, `output` the visible one), `batch`, `tier`, `context` (the lengths
        of prompts that the row is of, such as "> 200k"), `team`, `session`,
        `billed_usd` where the row has it, `fee_usd` (the part of it that is not for tokens),
        `elsewhere_usd` (paid under keys of your own), `status`, and `certainty`: "exact", or what
        is a lower bound or unknown. What is unknown is empty, never 0.
    set_aside : DataFrame
        `file`, `row` and `reason` of what was not used.
    notes : tuple of str
        What was assumed, and how many rows hold no usage.
    sessions : DataFrame or None
        Where the rows of the table are sums: the calls of some whole sessions.

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
    sessions: pd.DataFrame | None = None

    @classmethod
    def of(cls, table: pd.DataFrame) -> Usage:
        """Usage from a table with columns of that name; `time`, `model` and a token class at least.

        >>> Usage.of(pd.DataFrame({"time": [], "model": [], "inputs": []}))
        Traceback (most recent call last):
        costmodel.core.errors.CatalogError: no column 'inputs' in columns= of a usage; ...
        """
        reader = by_columns({name: name for name in table})
        block = Block(range(1, len(table) + 1), found=Lookup([], table))
        return joined([rows_of("the table", parted(block, [reader], {}))])

    @property
    def bound(self) -> str:
        """Why the counts are a lower bound; empty where they are not."""
        kinds = map(str, self.table["certainty"].unique())
        return next((kind for kind in kinds if kind.startswith("lower bound")), "")

    def price(self, on: str | None = None) -> pd.DataFrame:
        """The table with `usd`, at the price list of each row's day, and `unpriced`, why not.

        `on` prices all rows at one day, which rows without a time need.
        """
        usd, why = priced(self.table, on)
        return self.table.assign(usd=usd.sum(axis=1, min_count=1), unpriced=why)

    def with_calls(self, per_day: float) -> Usage:
        """The usage with so many calls a day where an export does not count them; the rows of a day
        share them by their tokens.
        """
        one_number("per_day", per_day, LEAST_CALLS)
        tokens = self.table[TOKENS].sum(axis=1)
        unknown = self.table["calls"].isna()
        by_day = tokens[unknown].groupby(self.table["time"].dt.floor("D")).transform("sum")
        calls = self.table["calls"].fillna(per_day * tokens / by_day)
        notes = tuple(note for note in self.notes if not note.endswith(NO_CALLS.partition(":")[2]))
        said = f"{unknown.sum():,} rows share {per_day:g} calls a day, which you gave"
        return replace(self, table=self.table.assign(calls=calls), notes=(*notes, said))


def mode_of(tier: str) -> str:
    """The price mode of a service tier; one that is bought otherwise is an error."""
    name = tier.lower()
    check(name in (*USUAL_TIERS, *MODES), f"the tier {tier!r} has no price list")
    return name if name in MODES else "standard"


def modes_of(table: pd.DataFrame) -> pd.Series:
    """How each row is sold: "batch", another mode of the price list, or "standard"."""
    names = table["tier"].astype(str).str.lower()
    return names.where(names.isin(MODES), "standard").mask(table["batch"], "batch")


def priced(table: pd.DataFrame, on: str | None = None) -> tuple[pd.DataFrame, pd.Series]:
    """What each row costs by class [USD], at the price list of its day or of one day, and why a
    row has no price; the rows of both are those of the table.
    """
    day = table["time"].dt.strftime("%Y-%m-%d").fillna("") if on is None else on
    keys = table[["provider", "model", "tier", "batch"]].assign(day=day)
    usd = pd.DataFrame(np.nan, table.index, [*TOKENS, "requests"])
    why = pd.Series("", table.index, object)
    for (provider, model, tier, batch, when), rows in keys.groupby([*keys]).indices.items():
        try:
            check(when, "the row has no time; write on= a day")
            mode = "batch" if batch else mode_of(tier)
            seller = SELLERS.get(provider, provider.partition(".")[0]) or None
            usd.iloc[rows] = list_usd(table.iloc[rows], api_price(model, seller, when, mode))
        except ValueError as error:
            why.iloc[rows] = str(error)
    return usd, why


def paid(table: pd.DataFrame) -> tuple[pd.DataFrame, pd.Series]:
    """What the tokens of each row cost by class [USD], and why a row has no price.

    What was billed for tokens, where the row has it, is spread over the classes as the list prices
    are; without a list price it is all of the class "billed".
    """
    usd, why = priced(table)
    bill = table["billed_usd"] - table["fee_usd"].fillna(0.0)
    listed_usd = usd.sum(axis=1)
    usd = usd.mul((bill / listed_usd).where(bill.notna() & (listed_usd > 0), 1.0), axis=0)
    return usd.assign(billed=bill.where(listed_usd == 0)), why.mask(bill.notna(), "")


def list_usd(rows: pd.DataFrame, card: ApiPrice, factor: Any = 1.0) -> pd.DataFrame:
    """What rows cost on a card by class [USD], each call at the tier of its own prompt.

    A bucket of calls takes the tier of its mean prompt. Where calls are not counted it is that of
    the prompts that the row's `context` is of, otherwise the lowest. `factor` scales the tokens,
    for a model that counts others.
    """
    prompt = rows[TOKENS[:4]].fillna(0.0).sum(axis=1)
    least = rows["context"].map(least_prompt).astype(float) + 1
    calls = rows["calls"].fillna(prompt / least).clip(lower=1.0).to_numpy()
    each: dict[str, Any] = {n: rows[n].fillna(0.0).to_numpy() / calls * factor for n in TOKENS}
    each["cache_write"] = each.pop("cache_write_5m")
    found = billed(card, Tokens(**each))
    usd: dict[str, Any] = {name: count * rate / MTOK for name, (count, rate) in found.items()}
    usd |= {"cache_write_5m": usd.pop("cache_write", 0.0), "requests": card.usd_per_request}
    columns = {name: usd.get(name, 0.0) * calls for name in TOKENS}
    return pd.DataFrame(columns | {"requests": usd["requests"] * rows["calls"]}, rows.index)


def least_prompt(context: str) -> float:
    """Tokens above which the prompts of a context window lie, as exports name it.

    >>> [least_prompt(text) for text in ("≤ 200k", "> 200k", "0-200k", "200k-1M", "")]
    [0.0, 200000.0, 0.0, 200000.0, 0.0]
    """
    found = re.match(r">\s*(\d+)([kM]?)|(\d+)([kM]?)-", context)
    number, unit = [part for part in found.groups() if part is not None] if found else ("0", "")
    return float(number) * {"": 1.0, "k": KILO, "M": MTOK}[unit]


@public
def read(
    paths: Any,
    columns: Mapping[str, str] | None = None,
    executor: Executor | None = None,
    progress: bool = False,
    every: str | None = None,
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
        Whether a bar counts the bytes of the files.
    every : str, optional
        A time such as "1h": calls of one hour, model and size (prompts between two powers of 2, and
        of one context tier) are summed into one row as they are read, so that memory stays flat at
        any size. Of the sessions a sample of 1,000 is kept beside them, and ids are compared
        within some thousands of rows alone.

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
    files = listed(paths)
    if columns is not None:
        by_columns(columns)  # a wrong name is an error of its own
    work = partial(_file, columns=columns, every=every)
    sizes = [path.stat().st_size for path in files]
    with tqdm(total=sum(sizes), unit="B", unit_scale=True, disable=not progress) as bar:
        found = executor.map(work, files) if executor else (work(path, bar=bar) for path in files)
        made = []
        for one, end in zip(found, np.cumsum(sizes), strict=True):
            made.append(one)
            bar.update(end - bar.n)
    refused = [(path.name, 0, one) for path, one in zip(files, made, strict=True)
               if isinstance(one, str)]  # fmt: skip
    if len(refused) == len(files):
        raise CatalogError(refused[0][2])
    usage = joined([one for one in made if not isinstance(one, str)], every)
    return replace(usage, set_aside=pd.concat([aside(refused), usage.set_aside], ignore_index=True))


def _file(
    path: Path, columns: Mapping[str, str] | None, every: str | None, bar: Any = None
) -> Rows | str:
    """All rows of a file, or why it cannot be read: what a worker does."""
    collected = gc.isenabled()
    gc.disable()  # JSON has no circles, and looking for them would take half of the time
    try:
        found = parts(path, "usage", columns)
        return rows_of(path.name, _shown(found, bar) if bar else found, every)
    except CatalogError as error:
        return str(error)
    finally:
        if collected:
            gc.enable()


def _shown(found: Iterable[Part], bar: Any) -> Iterator[Part]:
    """The parts of a file, which move a bar; bytes count as unpacked, so that it may run ahead."""
    start = bar.n
    for part in found:
        bar.update(max(min(start + part.at, bar.total) - bar.n, 0))
        yield part


# -- from parts of files to one table --------------------------------------------------------------


@dataclass
class Rows:
    """Columns of the rows of a file, what was set aside, and how many rows are of which note."""

    pieces: list[dict[str, Any]]
    aside: list[tuple[str, int, str]]
    said: Counter[str]
    sessions: pd.DataFrame | None = None
    first: dict[str, str] = field(default_factory=dict)  # where a note holds first


def rows_of(file: str, found: Iterable[Part], every: str | None = None) -> Rows:
    """The rows of a file that add up; with `every` their sums."""
    rows, memory = Rows([], [], Counter()), dict[str, Any]()
    for part in found:
        data, why, empty = partition(part.reader, part.frame, memory)
        rows.said.update({SILENT: part.silent + int(empty.sum()), ODD: part.odd})
        rows.aside += [(file, row, reason) for row, reason in part.problems]
        good = ~empty
        for text, where in ((SILENT, empty), (NO_TIME, good & data["time"].isna())):
            if where.any():
                rows.first.setdefault(text, f"{file} row {part.frame.index[where][0]}")
        for reason, where in why:
            for row, given in part.frame[where & good].iterrows():
                rows.aside.append((file, int(str(row)), reason.format(**given)))
            good &= ~where
        rows.pieces.append({name: column[good] for name, column in data.items()}
                           if not good.all() else data)  # fmt: skip
        if every:
            frame, repeated = distinct(table_of([rows.pieces.pop()]))
            rows.said[REPEATED] += repeated
            rows.sessions = some_sessions([rows.sessions, frame])
            rows.pieces.append(columns_of(sums(frame, every)))
            if sum(len(piece["id"]) for piece in rows.pieces) > MOST:
                rows.pieces = [columns_of(sums(table_of(rows.pieces), every))]
    return rows


def joined(found: list[Rows], every: str | None = None) -> Usage:
    """One table of the rows of all files, without those whose id comes again."""
    said = sum((rows.said for rows in found), Counter[str]())
    table = table_of([piece for rows in found for piece in rows.pieces])
    sessions = None
    if every:
        table, sessions = sums(table, every), some_sessions([rows.sessions for rows in found])
    else:
        table, said[REPEATED] = distinct(table)
    rows = [line for rows in found for line in rows.aside]
    if repeated := said.pop(REPEATED, 0):
        rows.append(("all files", 0, with_count(repeated, f"rows: {REPEATED}")))
    said[NO_TIME] = int(table["time"].isna().sum())
    said[NO_CALLS] = int(table["calls"].isna().sum())
    said[UNPAID] = int(table["status"].str.endswith(FREE).sum())
    first = {text: where for rows in reversed(found) for text, where in rows.first.items()}
    notes = [with_count(count, text) + (f"; the first is {first[text]}" if text in first else "")
             for text, count in said.items() if count]  # fmt: skip
    notes += [f"rows are sums of {every}, without sessions"] if every else []
    if sessions is not None:
        notes.append(f"steps and context are those of {sessions['session'].nunique():,} sessions")
    return Usage(table[COLUMNS], aside(rows), tuple(notes), sessions)


def aside(rows: list[tuple[str, int, str]]) -> pd.DataFrame:
    """Rows that are not used, as a table."""
    return pd.DataFrame(rows, columns=["file", "row", "reason"])


def table_of(pieces: list[dict[str, Any]]) -> pd.DataFrame:
    """Pieces of columns as one table; the pieces are used up, so that memory is."""
    table: dict[str, Any] = {}
    for name in [*COLUMNS, "id"]:
        given = [piece.pop(name) for piece in pieces]
        table[name] = (union_categoricals(given) if name in TEXTS
                       else pd.concat(map(pd.Series, given), ignore_index=True))  # fmt: skip
    return pd.DataFrame(table, copy=False)


def columns_of(table: pd.DataFrame) -> dict[str, Any]:
    """The columns of a table as a piece."""
    return {name: table[name].array for name in table}


def distinct(table: pd.DataFrame) -> tuple[pd.DataFrame, int]:
    """The last row of each id, and how many came before; a row without an id is one of its own."""
    repeated = table["id"].duplicated(keep="last") & (table["id"] != 0)
    count = int(repeated.sum())
    return (table[~repeated].reset_index(drop=True) if count else table), count


def some_sessions(found: Iterable[pd.DataFrame | None]) -> pd.DataFrame | None:
    """The calls of the sessions whose names have the least hashes, or None where nothing has one.

    Such a sample is the same in whatever parts and order the rows come, and each session of it is
    whole.
    """
    columns = ["time", "session", *NUMBERS[:5]]
    named = [rows.loc[(rows["session"] != "").to_numpy(), columns].astype({"session": "object"})
             for rows in found if rows is not None]  # fmt: skip
    if not (named := [part for part in named if len(part)]):
        return None
    rows = pd.concat(named)
    keys = pd.util.hash_array(rows["session"].to_numpy(), categorize=False)
    return rows[np.isin(keys, np.unique(keys)[:SESSIONS])]


def size_of(table: pd.DataFrame) -> pd.Series:
    """Between which of `SIZES` the mean prompt of each row lies."""
    prompts = table[TOKENS[:4]].sum(axis=1) / table["calls"].fillna(1.0).clip(lower=1.0)
    return pd.Series(np.searchsorted(SIZES, prompts), table.index)


def sums(table: pd.DataFrame, every: str) -> pd.DataFrame:
    """Sums of the rows by time, texts, size of a prompt, and which of their numbers are known."""
    size = size_of(table).rename("size")
    known = (table[NUMBERS].isna() @ (2 ** np.arange(len(NUMBERS)))).rename("known")
    texts = [table[name] for name in TEXTS if name != "session"]
    keys = [table["time"].dt.floor(every), *texts, table["batch"], size, known]
    by = table.groupby(keys, observed=True, dropna=False, sort=False)
    made = by[NUMBERS].sum(min_count=1).reset_index()
    session = pd.Categorical.from_codes(np.zeros(len(made), int), [""])
    return made.assign(session=session, id=np.uint64(0))[[*COLUMNS, "id"]]
