"""Facts: rows of data/*.csv become records; each number keeps its unit, date and source.

A file has the columns `id, field, value, low, high, unit, as_of, source, note`, one row per number. A changed number
is a further row with a later date: the newest row that is not later than the asked date wins (before the first row,
the first one). A row with low and high loads as a Range around its value. Units are compared with the glossary,
never converted. What belongs to no record (practice, own hardware, carbon, ...) loads as a `Fact`.
"""

from __future__ import annotations

import csv
import dataclasses
from collections.abc import Iterable
from datetime import UTC, date, datetime
from functools import cache
from pathlib import Path
from typing import Any, Union

import pandas as pd

from costmodel.core.errors import CatalogError, unknown
from costmodel.core.glossary import GLOSSARY, data_folder
from costmodel.core.public import public
from costmodel.core.ranges import Range
from costmodel.facts.records import (
    Embedder,
    Fact,
    Gpu,
    Graph,
    Labels,
    Model,
    Person,
    Reader,
    Rent,
    Reranker,
    Source,
    Store,
    Tuning,
)

COLUMNS = ("id", "field", "value", "low", "high", "unit", "as_of", "source", "note")
TEXTS = ("text", "date", "flag")  # units of what is not a number
CHANNELS = ("hyperscaler", "neocloud", "marketplace")
TERMS = ("on_demand", "spot", "reserved_12mo", "reserved_36mo")
RECORDS: dict[str, type] = {
    "gpus": Gpu,
    "rents": Rent,
    "models": Model,
    "people": Person,
    "labels": Labels,
    "stores": Store,
    "embedders": Embedder,
    "rerankers": Reranker,
    "tunings": Tuning,
    "readers": Reader,
    "graphs": Graph,
}
NOT_FACTS = ("sources", "glossary")
PLACES = (
    "facts",
    "calibration",
    "",
)  # where a row is a number; a folder of one's own needs no subfolders
Folder = Union[str, Path, None]


# -- reading and checking ------------------------------------------------------------------------------


def files(folder: Folder = None) -> list[str]:
    """Names of the files of facts, without `.csv` and without sources."""
    paths = [path for place in PLACES for path in (data_folder(folder) / place).glob("*.csv")]
    return sorted(path.stem for path in paths if path.stem not in NOT_FACTS)


def path_of(file: str, folder: Folder = None) -> Path:
    """The CSV file of this name, among the facts or the calibrated numbers."""
    here = data_folder(folder)
    return next(
        (path for place in PLACES if (path := here / place / f"{file}.csv").is_file()),
        here / f"{file}.csv",
    )


def _read(path: Path, columns: tuple[str, ...]) -> list[dict[str, str]]:
    """Rows of a CSV file as text, each with its line number under `line`."""
    if not path.is_file():
        raise unknown(
            "file",
            path.stem,
            [p.stem for p in path.parent.glob("*.csv")],
            where=f"the folder {path.parent.name}",
        )
    with path.open(encoding="utf-8", newline="") as file:
        reader = csv.DictReader(file)
        if tuple(reader.fieldnames or ()) != columns:
            raise CatalogError(f"{path.name}: the columns must be {', '.join(columns)}")
        rows = [{**row, "line": str(reader.line_num)} for row in reader]
    for row in rows:
        if None in row or None in row.values():
            raise CatalogError(
                f"{path.name} line {row['line']}: write {len(columns)} columns, and quote a text with a comma"
            )
    return rows


@cache
def measured(
    name: str, columns: tuple[str, ...], folder: Folder = None
) -> tuple[dict[str, str], ...]:
    """Rows of data/measured/<name>.csv as text: tables of measurements, whose columns their module states."""
    rows = _read(data_folder(folder) / "measured" / f"{name}.csv", columns)
    return tuple({k: v for k, v in row.items() if k != "line"} for row in rows)


def _check(row: dict[str, str], where: str, known: Iterable[str]) -> None:
    """Raise CatalogError, in one sentence, unless the row is right; `known` are the ids of the sources."""

    def need(ok: object, reason: str) -> None:
        if not ok:
            raise CatalogError(f"{where}: {row['id']}.{row['field']}: {reason}")

    if row["field"] not in GLOSSARY:
        raise unknown("field", row["field"], GLOSSARY, where=f"the glossary ({where})")
    if row["source"] not in known:
        raise unknown("source", row["source"], known, where=f"sources.csv ({where})")
    unit, text = GLOSSARY[row["field"]].unit, row["value"]
    need(row["unit"] == unit, f"the unit is {row['unit']!r}, the glossary says {unit!r}")
    need(_is_date(row["as_of"]), f"as_of is {row['as_of']!r}, write a date such as 2026-11-23")
    need(
        date.fromisoformat(row["as_of"]) <= datetime.now(UTC).date(),
        f"as_of {row['as_of']} lies in the future",
    )
    need(
        row["id"] and (text or row["low"]) and bool(row["low"]) == bool(row["high"]),
        "write an id and a value, or low and high, or all three",
    )
    if unit == "date":
        need(_is_date(text), f"{text!r} is not a date such as 2026-11-23")
    elif unit == "flag":
        need(text in ("true", "false"), f"{text!r} is not a flag, write true or false")
    elif unit not in TEXTS:
        numbers = [row[k] for k in ("low", "value", "high") if row[k]]
        need(all(map(_is_number, numbers)), "value, low and high must be finite numbers")
        order = list(map(float, numbers))
        need(order == sorted(order), "low must not exceed value, nor value high")


def _is_date(text: str) -> bool:
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _is_number(text: str) -> bool:
    try:
        return abs(float(text)) < float("inf")
    except ValueError:
        return False


@cache
def _sources(folder: Path) -> dict[str, Source]:
    found: dict[str, Source] = {}
    for row in _read(path_of("sources", folder), tuple(f.name for f in dataclasses.fields(Source))):
        line = row.pop("line")
        if row["id"] in found:
            raise CatalogError(f"sources.csv line {line}: the id {row['id']!r} is there twice")
        found[row["id"]] = Source(**row)
    return found


@cache
def _rows(file: str, folder: Path) -> tuple[dict[str, str], ...]:
    """All rows of one file, checked, in the order of the file."""
    rows, seen, known = _read(path_of(file, folder), COLUMNS), set(), _sources(folder)
    for row in rows:
        where = f"{file}.csv line {row['line']}"
        _check(row, where, known)
        key = (row["id"], row["field"], row["as_of"])
        if key in seen:
            raise CatalogError(
                f"{where}: {row['id']}.{row['field']} has two rows of {row['as_of']}"
            )
        seen.add(key)
    return tuple(rows)


def _newest(file: str, folder: Path, on: str | None) -> dict[str, dict[str, dict[str, str]]]:
    """{id: {field: row}} with the newest row of each number that is not later than `on` (None: of all)."""
    found: dict[str, dict[str, dict[str, str]]] = {}
    for row in sorted(_rows(file, folder), key=lambda r: r["as_of"]):
        fields = found.setdefault(row["id"], {})
        if on is None or row["as_of"] <= on or row["field"] not in fields:
            fields[row["field"]] = row
    return found


# -- from rows to records ------------------------------------------------------------------------------


def _as_range(row: dict[str, str], name: str | None = None) -> Range:
    low, high = float(row["low"] or row["value"]), float(row["high"] or row["value"])
    share = row["unit"].startswith("share") and low > 0 and high < 1
    form = "share" if share else "amount" if low > 0 else "change" if low > -1 else "signed"
    mid = float(row["value"]) if row["value"] else None
    return Range(low, high, mid, name=name, form=form, source=row["source"], why=row["note"])  # type: ignore[arg-type]


def _as_value(row: dict[str, str], kind: str) -> Any:
    """The value of a row for a field annotated `kind`: text, flag, int, float or Range."""
    if row["unit"] == "flag":
        return row["value"] == "true"
    if row["unit"] in TEXTS:
        return row["value"]
    if kind == "Range" or row["low"] != row["high"]:
        return _as_range(row)
    number = float(row["value"] or row["low"])
    return int(number) if kind.startswith("int") else number


@cache
def _records(file: str, folder: Path, on: str | None) -> dict[str, Any]:
    record, found = RECORDS[file], {}
    fields = {f.name: f for f in dataclasses.fields(record)}
    for id, rows in _newest(file, folder, on).items():
        values: dict[str, Any] = {}
        if record is Rent:
            values = dict(zip(("gpu", "channel", "term"), id.rsplit(".", 2), strict=True))
        for name, row in rows.items():
            if name not in fields:
                raise unknown(
                    "field",
                    name,
                    fields,
                    where=f"{record.__name__} ({file}.csv line {row['line']})",
                )
            values[name] = _as_value(row, str(fields[name].type))
        missing = [
            n
            for n, f in fields.items()
            if f.default is dataclasses.MISSING and n != "id" and n not in values
        ]
        if missing:
            raise CatalogError(f"{file}.csv: {id} has no row for {', '.join(missing)}")
        found[id] = record(
            id=id, **values, sources=tuple((n, r["source"]) for n, r in rows.items())
        )
    return found


@cache
def _facts(file: str, folder: Path, on: str | None) -> dict[str, Fact]:
    found = {}
    for id, rows in _newest(file, folder, on).items():
        for field, row in rows.items():
            value: Any = row["value"] if row["unit"] == "date" else _as_range(row, f"{id}.{field}")
            found[f"{id}.{field}"] = Fact(
                id, field, value, row["unit"], row["as_of"], ((field, row["source"]),)
            )
    return found


def _one(kind: str, file: str, id: str, folder: Folder, on: str | None) -> Any:
    found = _records(file, data_folder(folder), on)
    if not isinstance(id, str) or id not in found:
        raise unknown(kind, id, found, where=f"{file}.csv")
    return found[id]


def _all(file: str, folder: Folder, on: str | None) -> dict[str, Any]:
    return dict(_records(file, data_folder(folder), on))


# -- asking: every function takes `folder` (another folder of facts) and `on` (an ISO date) ----------------


@public
def gpus(folder: Folder = None, on: str | None = None) -> dict[str, Gpu]:
    """All GPUs by id."""
    return _all("gpus", folder, on)


@public
def gpu(id: str, folder: Folder = None, on: str | None = None) -> Gpu:
    """One GPU.

    >>> gpu("H100-SXM").memory
    80000000000.0
    >>> gpu("H100-SMX")
    Traceback (most recent call last):
    costmodel.core.errors.CatalogError: no GPU 'H100-SMX' in gpus.csv; did you mean 'H100-SXM' or ...?
    """
    return _one("GPU", "gpus", id, folder, on)


@public
def models(folder: Folder = None, on: str | None = None) -> dict[str, Model]:
    """All open models by id."""
    return _all("models", folder, on)


@public
def model(id: str, folder: Folder = None, on: str | None = None) -> Model:
    """One open model, named as its maker does, in lower case.

    >>> model("llama-3.1-8b").kv_heads
    8
    """
    return _one("open model", "models", id, folder, on)


@public
def people(folder: Folder = None, on: str | None = None) -> dict[str, Person]:
    """All roles by id."""
    return _all("people", folder, on)


@public
def person(id: str, folder: Folder = None, on: str | None = None) -> Person:
    """One role: engineer, analyst, expert or annotator.

    >>> person("engineer").usd_per_hour.mid
    118.0
    """
    return _one("role", "people", id, folder, on)


def labels(folder: Folder = None, on: str | None = None) -> dict[str, Labels]:
    """All kinds of label by id."""
    return _all("labels", folder, on)


def label(id: str, folder: Folder = None, on: str | None = None) -> Labels:
    """The price of one kind of label."""
    return _one("kind of label", "labels", id, folder, on)


@public
def stores(folder: Folder = None, on: str | None = None) -> dict[str, Store]:
    """All vector, object and graph stores by id."""
    return _all("stores", folder, on)


@public
def store(id: str, folder: Folder = None, on: str | None = None) -> Store:
    """One vector, object or graph store."""
    return _one("store", "stores", id, folder, on)


def embedders(folder: Folder = None, on: str | None = None) -> dict[str, Embedder]:
    """All embedding models by id."""
    return _all("embedders", folder, on)


def embedder(id: str, folder: Folder = None, on: str | None = None) -> Embedder:
    """One embedding model."""
    return _one("embedding model", "embedders", id, folder, on)


def rerankers(folder: Folder = None, on: str | None = None) -> dict[str, Reranker]:
    """All rerankers by id."""
    return _all("rerankers", folder, on)


def reranker(id: str, folder: Folder = None, on: str | None = None) -> Reranker:
    """One reranker."""
    return _one("reranker", "rerankers", id, folder, on)


def readers(folder: Folder = None, on: str | None = None) -> dict[str, Reader]:
    """All classes of readers by id."""
    return _all("readers", folder, on)


def reader(id: str, folder: Folder = None, on: str | None = None) -> Reader:
    """How a class of models reads a long prompt: "frontier", "strong" or "small".

    >>> reader("frontier").context_decay.mid < reader("small").context_decay.mid
    True
    """
    return _one("class of readers", "readers", id, folder, on)


def graphs(folder: Folder = None, on: str | None = None) -> dict[str, Graph]:
    """All kinds of graph index by id."""
    return _all("graphs", folder, on)


def graph(id: str, folder: Folder = None, on: str | None = None) -> Graph:
    """One kind of graph index: full, light, lazy, fast, hipporag or guided."""
    return _one("graph index", "graphs", id, folder, on)


@public
def tunings(folder: Folder = None, on: str | None = None) -> dict[str, Tuning]:
    """All managed fine-tuning offers by id."""
    return _all("tunings", folder, on)


@public
def tuning(id: str, folder: Folder = None, on: str | None = None) -> Tuning:
    """One managed fine-tuning offer, such as "vertex.gemini-3.1-flash-lite"."""
    return _one("managed fine-tuning", "tunings", id, folder, on)


def rents(folder: Folder = None, on: str | None = None) -> dict[str, Rent]:
    """All GPU rents by `gpu.channel.term`."""
    return _all("rents", folder, on)


@public
def rent(
    gpu: str,
    channel: str = "neocloud",
    term: str = "on_demand",
    folder: Folder = None,
    on: str | None = None,
) -> Rent:
    """The rent of one GPU by channel and term; the error names what is known for that GPU.

    >>> rent("T4", "marketplace")
    Traceback (most recent call last):
    costmodel.core.errors.CatalogError: no rent of T4 from a marketplace, on_demand, in rents.csv; known: ...
    """
    found = _records("rents", data_folder(folder), on)
    if f"{gpu}.{channel}.{term}" in found:
        return found[f"{gpu}.{channel}.{term}"]
    known = {
        "GPU": (gpu, {r.gpu for r in found.values()}),
        "channel": (channel, CHANNELS),
        "term": (term, TERMS),
    }
    for kind, (name, names) in known.items():
        if name not in names:
            raise unknown(kind, name, names, where="rents.csv")
    offers = ", ".join(f"{r.channel} {r.term}" for r in found.values() if r.gpu == gpu)
    raise CatalogError(f"no rent of {gpu} from a {channel}, {term}, in rents.csv; known: {offers}")


def facts_of(file: str, folder: Folder = None, on: str | None = None) -> dict[str, Fact]:
    """All facts of one file (practice, residency, own, carbon, ...) by `id.field`."""
    if file in (*RECORDS, *NOT_FACTS) or not path_of(file, folder).is_file():
        raise unknown("file of facts", file, [f for f in files(folder) if f not in RECORDS])
    return dict(_facts(file, data_folder(folder), on))


def fact(file: str, key: str, folder: Folder = None, on: str | None = None) -> Fact:
    """One fact by `id.field`, or by a field that only one id has."""
    found = facts_of(file, folder, on)
    keys = [key] if key in found else [k for k, f in found.items() if f.field == key]
    if len(keys) > 1:
        raise CatalogError(
            f"{key!r} in {file}.csv could be {' or '.join(sorted(keys))}; write one of them"
        )
    if not keys:
        raise unknown("fact", key, found, where=f"{file}.csv")
    return found[keys[0]]


@public
def practice(key: str, folder: Folder = None, on: str | None = None) -> Range:
    """What is usual, as a Range named `id.field` with its source; low equals high where no range is known.

    >>> practice("rag.build_weeks")
    Range(low=1.0, high=8.0, mid=3.0, ... name='rag.build_weeks', ...)
    """
    return fact("practice", key, folder, on).value


def shortest_cached(
    provider: str, model: str, folder: Folder = None, on: str | None = None
) -> Range:
    """Shortest prefix that a prompt cache holds [token]: the rule of the model, else of its provider, else the usual one.

    >>> shortest_cached("anthropic", "claude-haiku-4-5").mid, shortest_cached("toys", "toy").mid
    (4096.0, 1024.0)
    """
    rules = facts_of("caches", folder, on)
    for id in (model, provider, "usual"):
        if f"{id}.cache_min_tokens" in rules:
            return rules[f"{id}.cache_min_tokens"].value  # a Range named `id.cache_min_tokens`
    raise CatalogError("caches.csv has no row usual.cache_min_tokens")


def residency(provider: str, region: str, folder: Folder = None, on: str | None = None) -> float:
    """Price with data residency over the list price [x].

    >>> residency("openai", "eu")
    1.1
    """
    return fact("residency", f"{provider}.{region}.uplift", folder, on).value.mid


@public
def retirement(model: str, folder: Folder = None, on: str | None = None) -> str | None:
    """The announced last day of an API model, or None where none is known.

    >>> retirement("gpt-5-mini"), retirement("gpt-6.1-terra")
    ('2026-12-11', None)
    """
    found = facts_of("retirements", folder, on).get(f"{model}.retires")
    return found.value if found else None


@public
def sources(folder: Folder = None) -> dict[str, Source]:
    """All sources by id."""
    return dict(_sources(data_folder(folder)))


@public
def source(id: str, folder: Folder = None) -> Source:
    """One source."""
    found = _sources(data_folder(folder))
    if not isinstance(id, str) or id not in found:
        raise unknown("source", id, found, where="sources.csv")
    return found[id]


@public
def facts(folder: Folder = None) -> pd.DataFrame:
    """Every row of every file, history included, with a column `file`: the analyst's view.

    Values stay text because dates, names and flags are among them; low and high are numbers.
    """
    place = data_folder(folder)
    table = pd.DataFrame(
        [{"file": file, **row} for file in files(folder) for row in _rows(file, place)]
    )
    return table.drop(columns="line").assign(
        low=pd.to_numeric(table["low"]), high=pd.to_numeric(table["high"])
    )
