"""What a reader is: a table of fields and conventions, and the engine that reads any such table.

A `Reader` says by which fields a format is known, where each column stands and what the counts of
tokens include. The engine takes a column at a time, because a million calls are read in seconds
so.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from costmodel.core import KILO, CatalogError, check_known

NUMBER, TEXT, TIME, FLAG = "number", "text", "time", "flag"
TOKENS = "input cache_read cache_write_5m cache_write_1h output reasoning".split()
# kind -> its columns, and what each holds
COLUMNS: dict[str, dict[str, str]] = {
    "usage": {
        **dict.fromkeys("id provider model tier team session status".split(), TEXT),
        "time": TIME,
        **dict.fromkeys("batch own_keys".split(), FLAG),
        **dict.fromkeys(["calls", *TOKENS, "total", "written", "other_tokens"], NUMBER),
        **dict.fromkeys("billed_usd fee_usd tokens_usd elsewhere_usd".split(), NUMBER),
    },
    "bill": {
        **dict.fromkeys("id provider model item kind currency team".split(), TEXT),
        "time": TIME,
        **dict.fromkeys("quantity amount credit".split(), NUMBER),
    },
    "evaluation": {
        **dict.fromkeys("item option grader accepted".split(), TEXT),
        **dict.fromkeys("score trials latency_s input output usd".split(), NUMBER),
    },
    "load test": {
        "model": TEXT,
        **dict.fromkeys(
            "concurrency rate_per_s duration_s completed failed input output requests_per_s "
            "output_per_s ttft_s ttft_p99_s tpot_s tpot_p99_s e2e_s e2e_p99_s start_s "
            "end_s".split(),
            NUMBER,
        ),
    },
}
# "path@unit": a number in that unit becomes seconds, dollars or tokens
_ABSENT = object()
NOTHING: dict[str, Callable[[int], Any]] = {
    NUMBER: lambda n: np.full(n, np.nan),
    TIME: lambda n: pd.DatetimeIndex([pd.NaT] * n, tz="UTC"),
    TEXT: lambda n: [None] * n,
}
UNITS = {"s": 1.0, "ms": 1 / KILO, "ns": 1e-9, "per_min": 1 / 60, "cents": 0.01}
YES = {"true", "1", "1.0", "batch", "yes"}


@dataclass(frozen=True, eq=False)
class Reader:
    """One format of one tool.

    A path goes into a document by "/". A field is a path, "a | b" (the first that is there),
    "a + b" (their sum), "a, b" (joined, for ids), "=text" (always that), or "path@unit".

    Parameters
    ----------
    name : str
        As its makers call it, for messages.
    needs : str
        Paths that a document of this format has, with commas between them.
    fields : dict of column to field
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
    fields: Mapping[str, str]
    kind: str = "usage"
    cached: str = "inside"
    reasoning: str = "inside"
    absent_is_zero: bool = True
    bound: str = ""
    rows: Callable[[dict, dict], Iterable[dict]] | None = None
    fits: Callable[[Any], bool] | None = None

    @cached_property
    def needed(self) -> list[list[str]]:
        """The paths of `needs`, cut."""
        return [path.split("/") for path in self.needs.split(", ") if path]

    @cached_property
    def paths(self) -> list[str]:
        """Every path of the format."""
        of_fields = (path for field in self.fields.values() for path in _paths(field))
        return list(dict.fromkeys([*filter(None, self.needs.split(", ")), *of_fields]))

    def missing(self, doc: Any) -> list[str]:
        """Paths of `needs` that a document lacks; what is empty is there."""
        return ["/".join(path) for path in self.needed if dig(doc, path, _ABSENT) is _ABSENT]

    def known_by(self, doc: Any) -> bool:
        """Whether a document is of this format."""
        for path in self.needed:
            if dig(doc, path, _ABSENT) is _ABSENT:
                return False
        return self.fits is None or self.fits(doc)

    def columns(self, docs: list[Any]) -> dict[str, Any]:
        """Every column of these rows: arrays of numbers, of times, and lists of texts."""
        memo: dict[str, list | None] = {"": docs}
        if docs and type(docs[0]) is not dict and self.fast:
            memo = {path: _some(map(get, docs)) for path, get in self.fast.getters.items()}
        return {
            name: _column(len(docs), field, COLUMNS[self.kind][name], memo)
            for name, field in self.fields.items()
        }

    @cached_property
    def fast(self) -> Fast | None:
        """A decoder that skips everything but the paths of this format, where msgspec is installed:
        prompts and answers are then not even unpacked.
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
            for key in path.split("/"):
                node = node.setdefault(key, {})
        names: dict[str, str] = {}

        def struct(node: dict, path: str, attribute: str) -> Any:
            fields: list[Any] = []
            for k, (key, inside) in enumerate(node.items()):
                name, at = f"f{k}", f"{path}/{key}" if path else key
                names[at] = f"{attribute}{name}"
                kind = struct(inside, at, f"{names[at]}.") if inside else Any
                needed = any(f"{path}/".startswith(f"{at}/") for path in self.needs.split(", "))
                fields.append((name, kind) if needed else (name, kind, kind() if inside else None))
            fields.sort(key=len)
            keys = {f"f{k}": key for k, key in enumerate(node)}
            return msgspec.defstruct("Row", fields, rename=keys, gc=False, frozen=True)

        short = msgspec.json.Decoder(struct(tree, "", "")).decode

        def decode(line: bytes) -> Any:
            try:
                return short(line)
            except msgspec.ValidationError:  # a row of another format, or a null inside
                return msgspec.json.decode(line)

        return Fast(decode, {path: attrgetter(names[path]) for path in self.paths})


class Fast(NamedTuple):
    """How the rows of a format are decoded, and how a path is found in one."""

    decode: Callable[[bytes], Any]
    getters: dict[str, Callable[[Any], Any]]


def dig(doc: Any, path: Iterable[str], absent: Any = None) -> Any:
    """What stands at a path of a document, or `absent`; a number goes into a list."""
    for key in path:
        if type(doc) is dict and key in doc:
            doc = doc[key]
        elif type(doc) is list and key.isdigit() and int(key) < len(doc):
            doc = doc[int(key)]
        else:
            return absent
    return doc


def find(docs: Any, readers: Iterable[Reader], kind: str) -> Reader:
    """The reader of the first document that any of them knows; otherwise the error names the
    nearest format and what it misses.
    """
    readers = list(readers)
    for doc in docs:
        for reader in readers:
            if reader.known_by(doc):
                return reader
    seen: Any = next(iter(docs), {})
    nearest = max(readers, key=lambda reader: _likeness(reader, seen))
    lacks = ", ".join((nearest.missing(seen) or _lacking(nearest, seen))[:5])
    raise CatalogError(
        f"this is no {kind} that is read here; the nearest is {nearest.name}, which also has "
        f"{lacks}; name its columns with columns={{...}}"
    )


def _likeness(reader: Reader, doc: Any) -> tuple[float, float]:
    """Shares of what a format needs, and of all its paths, that a document has."""
    lacks, all_paths = len(_lacking(reader, doc)), len(reader.paths)
    needs = len(reader.needed)
    return (1 - len(reader.missing(doc)) / needs if needs else 0.0), 1 - lacks / all_paths


def _lacking(reader: Reader, doc: Any) -> list[str]:
    """Paths of a format that a document lacks."""
    return [p for p in reader.paths if dig(doc, p.split("/"), _ABSENT) is _ABSENT]


def by_columns(columns: Mapping[str, str], kind: str = "usage") -> Reader:
    """A reader of a table whose columns the user names: {ours: theirs}.

    "prompt" is all input and "completion" all output; "input" and "output" are those without what
    was cached and reasoned.
    """
    whole = {"prompt": "input", "completion": "output"} if kind == "usage" else {}
    for name in columns:
        check_known("column", name, {**COLUMNS[kind], **whole}, f"columns= of a {kind}")
    fields = {whole.get(name, name): theirs for name, theirs in columns.items()}
    return Reader(
        "your columns",
        ", ".join(path for field in fields.values() for path in _paths(field)),
        fields,
        kind,
        cached="inside" if "prompt" in columns else "outside",
        reasoning="inside" if "completion" in columns else "outside",
    )


# -- columns ---------------------------------------------------------------------------------------


def _paths(field: str) -> list[str]:
    """The paths of a field."""
    if field.startswith("="):
        return []
    parts = field.replace(" + ", "|").replace(", ", "|").split("|")
    return [part.strip().partition("@")[0] for part in parts]


def _column(n: int, field: str, holds: str, memo: dict[str, list | None]) -> Any:
    """One column of the rows."""
    if field.startswith("="):
        return [field[1:]] * n
    if " + " in field:
        parts = [_column(n, part, holds, memo) for part in field.split(" + ")]
        return np.where(np.isnan(parts).all(axis=0), np.nan, np.nansum(parts, axis=0))
    if ", " in field:
        parts = [_values(part, memo) or [None] * n for part in field.split(", ")]
        joined = zip(*parts, strict=True)
        return ["/".join(map(str, p)) if any(x is not None for x in p) else None for p in joined]
    found: Any = None
    for part in field.split(" | "):
        path, _, unit = part.strip().partition("@")
        if (values := _values(path, memo)) is None:
            continue
        if holds == NUMBER:
            new: Any = _numbers(values) * (UNITS[unit] if unit else 1.0)
            found = new if found is None else np.where(np.isnan(found), new, found)
        elif holds == TIME:
            new = _times(values, unit)
            found = new if found is None else found.where(found.notna(), new)
        elif found is None:
            found = values
        else:
            found = [b if a is None else a for a, b in zip(found, values, strict=True)]
    if holds == FLAG:
        return np.array([str(x).lower() in YES for x in found or [None] * n], bool)
    return NOTHING[holds](n) if found is None else found


def _values(path: str, memo: dict[str, list | None]) -> list | None:
    """What stands at a path of each row, or None where no row has it; the levels above are looked
    up once.
    """
    if path not in memo:
        parent, _, key = path.rpartition("/")
        above = _values(parent, memo) if parent else memo.get("")
        if key.isdigit():
            memo[path] = above and _some(dig(x, (key,)) for x in above)
        else:
            memo[path] = above and _some(x.get(key) if type(x) is dict else None for x in above)
    return memo[path]


def _some(values: Iterable[Any]) -> list | None:
    """A list, or None where nothing is in it."""
    found = list(values)
    return None if found.count(None) == len(found) else found


def _numbers(values: list) -> np.ndarray:
    """Numbers, NaN where there is none, and infinity where a text is no number."""
    try:
        return np.array(values, float)
    except (TypeError, ValueError):
        return np.array([_number(v) for v in values])


def _number(value: Any) -> float:
    if value is None or (isinstance(value, str) and value.strip().upper() in ("", "NULL", "NONE")):
        return np.nan
    try:
        return float(value)
    except (TypeError, ValueError):
        return np.inf


def _times(values: list, unit: str) -> pd.DatetimeIndex:
    """Times in UTC: texts of ISO 8601, with or without an offset, or numbers in their unit."""
    texts, found = values, None
    if unit:
        seconds = _numbers(values) * UNITS[unit]
        found = pd.to_datetime(
            np.where(np.isinf(seconds), np.nan, seconds), unit="s", utc=True, errors="coerce"
        )
        if not np.isinf(seconds).any():
            return found
        texts = [v if i else None for v, i in zip(values, np.isinf(seconds), strict=True)]
    texts = [v if isinstance(v, str) else None for v in texts]
    read = pd.DatetimeIndex(pd.to_datetime(texts, utc=True, format="ISO8601", errors="coerce"))
    return read if found is None else found.where(found.notna(), read)
