"""What a reader is: a table of fields and conventions, and the engine that reads any such table.

A `Reader` says by which fields a format is known, where each column stands and what the counts of
tokens include. The engine takes a column at a time, because a million calls are read in seconds
so.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from itertools import chain
from typing import Any, NamedTuple, Optional

import numpy as np
import pandas as pd
from pandas.api.types import is_datetime64_any_dtype

from costmodel.core import KILO, LARGEST, check_known
from costmodel.ingest.files import Shorten
from costmodel.ingest.lookup import Lookup, Path, dig

NUMBER, TEXT, TIME, FLAG = "number", "text", "time", "flag"
TOKENS = "input cache_read cache_write_5m cache_write_1h output reasoning".split()
_OF_KIND = {
    "usage": {
        TEXT: "id provider model tier context team session status",
        TIME: "time",
        FLAG: "batch own_keys",
        NUMBER: f"calls {' '.join(TOKENS)} total written other_tokens billed_usd fee_usd "
        "tokens_usd elsewhere_usd",
    },
    "bill": {
        TEXT: "provider model item kind currency team",
        TIME: "time",
        NUMBER: "quantity amount credit",
    },
    "evaluation": {
        TEXT: "item option grader accepted",
        NUMBER: "score trials latency_s input output usd",
    },
    "load test": {
        TEXT: "model",
        NUMBER: "concurrency rate_per_s duration_s completed failed input output requests_per_s "
        "output_per_s ttft_s ttft_p99_s tpot_s tpot_p99_s e2e_s e2e_p99_s start_s end_s",
    },
}
COLUMNS = {  # kind -> its columns, and what each holds
    kind: {name: holds for holds, names in table.items() for name in names.split()}
    for kind, table in _OF_KIND.items()
}
NEEDED = {  # kind -> the columns by which a table of our own columns is known
    "usage": {"model", "input", "output"},
    "bill": {"time", "item", "amount"},
    "evaluation": {"item", "accepted"},
}
WHOLE = {"prompt": "input", "completion": "output"}  # of usage: with what is cached, reasoned
# "path@unit": a number in that unit becomes seconds, dollars or tokens
UNITS = {"": 1.0, "s": 1.0, "ms": 1 / KILO, "ns": 1e-9, "per_min": 1 / 60, "cents": 0.01}
YES = {"true", "1", "1.0", "batch", "yes"}
NULLS = ("", "NULL", "NONE")
_ABSENT = object()


class Place(NamedTuple):
    """Where a column stands: at a path, at several (numbers are added, texts joined), or a text
    that it always is.
    """

    paths: tuple[Path, ...]
    unit: str = ""
    always: str = ""


def fields(table: str) -> dict[str, list[Place]]:
    """The fields of a format from a table of texts: our column, then where it stands.

    A path goes into a document by "/". "a + b" is the sum of two, "a, b" joins two texts, "=text"
    is always that, "path@unit" a number in that unit. A line that begins with a space is another
    place of the column above, which counts where the first has nothing; one that follows a "+" or
    a "," goes on with it.

    Examples
    --------
    >>> fields("time  created@s\\ninput  usage/sent + usage/tools")["input"][0].paths
    (('usage', 'sent'), ('usage', 'tools'))
    """
    found: dict[str, list[Place]] = {}
    column = ""
    for line in filter(None, re.sub(r"([+,])\n\s+", r"\1 ", table).splitlines()):
        if not line.startswith(" "):
            column, line = line.split(maxsplit=1)
        text, _, unit = line.strip().partition("@")
        paths = tuple(tuple(path.split("/")) for path in re.split(r" \+ |, ", text))
        place = Place((), always=text[1:]) if text.startswith("=") else Place(paths, unit)
        found.setdefault(column, []).append(place)
    return found


@dataclass(frozen=True, eq=False)
class Reader:
    """One format of one tool.

    Parameters
    ----------
    name : str
        As its makers call it, for messages.
    needs : str
        Paths that a document of this format has, with commas between them.
    fields : dict of column to places
        Made by `fields`.
    kind : {"usage", "bill", "evaluation", "load test"}
    cached, reasoning : {"inside", "outside", "either"}
        Whether the input holds what was cached, and the output what was reasoned. "either": senders
        disagree, and the total or an impossible count decides.
    absent_is_zero : bool
        Whether a class that is not given is 0; otherwise it is unknown.
    bound : str
        Why the counts are a lower bound; empty where they are exact.
    rows : callable, optional
        From (document, memory of the file) to the rows of the format.
    fits : callable, optional
        Whether a document is of this format, where `needs` cannot tell.
    """

    name: str
    needs: str
    fields: Mapping[str, list[Place]]
    kind: str = "usage"
    cached: str = "inside"
    reasoning: str = "inside"
    absent_is_zero: bool = True
    bound: str = ""
    rows: Callable[[dict, dict], Iterable[dict]] | None = None
    fits: Callable[[Any], bool] | None = None

    @cached_property
    def needed(self) -> list[Path]:
        """The paths of `needs`, cut."""
        return [tuple(path.split("/")) for path in self.needs.split(", ") if path]

    @cached_property
    def paths(self) -> list[Path]:
        """Every path of the format."""
        places = (place.paths for column in self.fields.values() for place in column)
        return list(dict.fromkeys(chain(self.needed, *places)))

    def lacks(self, doc: Any, paths: list[Path]) -> list[str]:
        """Which of these paths a document lacks; what is empty is there."""
        return ["/".join(path) for path in paths if dig(doc, path, _ABSENT) is _ABSENT]

    def known_by(self, doc: Any) -> bool:
        """Whether a document is of this format."""
        return not self.lacks(doc, self.needed) and (self.fits is None or self.fits(doc))

    def frame(self, found: Lookup, n: int) -> pd.DataFrame:
        """The columns of n rows; what a format does not say is NaN, NaT, "" or False."""
        rows, columns = pd.RangeIndex(n), COLUMNS[self.kind].items()
        return pd.DataFrame(
            {name: _column(holds, self.fields.get(name, []), found, rows)
             for name, holds in columns},
            copy=False,
        )  # fmt: skip

    @cached_property
    def shorten(self) -> Shorten | None:
        """A decoder of lines that skips everything but the paths of this format, where msgspec is
        installed: prompts and answers are then not even unpacked. None where a line is of another
        format.
        """
        try:
            import msgspec
        except ImportError:
            return None
        if self.rows or self.fits:
            return None
        tree: dict = {}
        for path in self.paths:
            node = tree
            for key in path:
                node = node.setdefault(key, {})

        def shape(node: dict) -> Any:
            names = [f"at{k}" for k in range(len(node))]
            kinds = [Optional[shape(inside)] if inside else Any for inside in node.values()]  # noqa: UP045
            rename = dict(zip(names, node, strict=True))
            given = [(name, kind, None) for name, kind in zip(names, kinds, strict=True)]
            return msgspec.defstruct("Row", given, rename=rename, gc=False)

        row = shape(tree)
        decode = msgspec.json.Decoder(row).decode

        def shortened(lines: list[bytes]) -> Lookup | None:
            try:
                found = Lookup.of_rows(list(map(decode, lines)), tree)
            except ValueError:
                return None
            there = (found.at(path) for path in self.needed)
            return found if all(values and None not in values for values in there) else None

        return shortened


def by_columns(columns: Mapping[str, str], kind: str = "usage") -> Reader:
    """A reader of a table whose columns the user names: {ours: theirs}.

    "prompt" is all input and "completion" all output; "input" and "output" are those without what
    was cached and reasoned.
    """
    whole = WHOLE if kind == "usage" else {}
    for name in columns:
        check_known("column", name, {**COLUMNS[kind], **whole}, f"columns= of a {kind}")
    theirs = set(columns.values())
    return Reader(
        "your columns",
        "",
        {whole.get(name, name): [Place(((given,),))] for name, given in columns.items()},
        kind,
        cached="inside" if "prompt" in columns else "outside",
        reasoning="inside" if "completion" in columns else "outside",
        fits=lambda doc: theirs <= doc.keys(),
    )


# -- columns ---------------------------------------------------------------------------------------


def _column(holds: str, places: list[Place], found: Lookup, rows: pd.RangeIndex) -> pd.Series:
    """One column of some rows: of each row what stands at the first place that has something."""
    nothing, dtype, read = HOLDS[holds]
    column = None
    for place in places:
        given = [v for path in place.paths if (v := found.at(path)) is not None]
        if given or place.always:
            values = read(given, place.unit) if given else place.always
            new = pd.Series(values, rows, dtype)
            empty = column is None or column.isna() | (column == nothing)
            column = new if column is None else column.mask(empty, new)
    return pd.Series(nothing, rows, dtype) if column is None else column


def _sum(given: list, unit: str) -> np.ndarray:
    """Numbers of one or several places together, in their unit."""
    parts = [_numbers(values) for values in given]
    whole = parts[0] if len(parts) == 1 else pd.DataFrame(parts).sum(min_count=1).to_numpy()
    return whole * UNITS[unit]


def _numbers(values: Any) -> np.ndarray:
    """Numbers, NaN where there is none, and infinity where a text is no number or too large."""
    try:
        read = np.array(values, float)
    except (TypeError, ValueError, OverflowError):
        read = np.array([_number(v) for v in values])
    return np.where(np.abs(read) > LARGEST, np.inf, read)


def _number(value: Any) -> float:
    if value is None or (isinstance(value, str) and value.strip().upper() in NULLS):
        return np.nan
    try:
        return float(value)
    except (TypeError, ValueError, OverflowError):
        return np.inf


def _texts(given: list, unit: str) -> list[str]:
    """Texts of one or several places together, "" where there is none."""
    parts = [
        list(values)
        if set(map(type, values)) == {str}
        else ["" if v is None or v != v else str(v) for v in values]
        for values in given
    ]
    if len(parts) == 1:
        return parts[0]
    return ["/".join(row) if any(row) else "" for row in zip(*parts, strict=True)]


def _flags(given: list, unit: str) -> list[bool]:
    return [str(v).lower() in YES for v in given[0]]


def _times(given: list, unit: str) -> pd.DatetimeIndex:
    """Times in UTC: texts of ISO 8601, with or without an offset, or numbers in their unit."""
    values = given[0]
    if is_datetime64_any_dtype(getattr(values, "dtype", None)):
        return pd.DatetimeIndex(pd.to_datetime(values, utc=True))
    seconds = _numbers(values) * UNITS[unit] if unit else np.full(len(values), np.inf)
    numbers = pd.to_datetime(np.where(np.isinf(seconds), np.nan, seconds), unit="s", utc=True,
                             errors="coerce").as_unit("us")  # fmt: skip
    if not np.isinf(seconds).any():
        return numbers
    texts = [v if isinstance(v, str) and s == np.inf else None
             for v, s in zip(values, seconds, strict=True)]  # fmt: skip
    read = pd.DatetimeIndex(pd.to_datetime(texts, utc=True, format="ISO8601", errors="coerce"))
    return read.as_unit("us").where(read.notna(), numbers)


# what a column holds -> what stands for nothing, its type, and how values become it
HOLDS: dict[str, tuple[Any, str, Callable[[list, str], Any]]] = {
    NUMBER: (np.nan, "float64", _sum),
    TEXT: ("", "object", _texts),
    FLAG: (False, "bool", _flags),
    TIME: (pd.NaT, "datetime64[us, UTC]", _times),
}
