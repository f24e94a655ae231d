"""Which reader knows a file, and the rows that it finds there."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pandas as pd

from costmodel.core import CatalogError, check_known, data_folder, public
from costmodel.ingest.files import Block, blocks, listed, peeked, why_nothing
from costmodel.ingest.lookup import Lookup
from costmodel.ingest.partition import with_count
from costmodel.ingest.reader import COLUMNS, NEEDED, WHOLE, Reader, by_columns
from costmodel.ingest.readers import billing, bodies, evals, exports, loads, sessions, traces

READERS: dict[str, list[Reader]] = {
    "evaluation": evals.READERS,
    "load test": loads.READERS,
    "bill": billing.READERS,
    "usage": [*exports.READERS, *traces.READERS, *sessions.READERS, *bodies.READERS],
}
NEAR = 0.5  # of the fields that tell a format: below, a file is like none
SUCH_AS = {  # kind -> how the columns of a table are named in a terminal
    "usage": "time=Day,model=Engine,prompt=Tokens in,completion=Tokens out",
    "bill": "time=Day,item=Line,amount=USD",
    "evaluation": "item=Question,option=Model,accepted=Right",
}


@dataclass
class Part:
    """Rows of a block that one reader knows; their index is the row of the file.

    `silent` counts documents without a row, `odd` lines in another encoding, `problems` says which
    rows could not be read, and `at` is that of the block.
    """

    reader: Reader
    frame: pd.DataFrame
    problems: list[tuple[int, str]] = field(default_factory=list)
    silent: int = 0
    odd: int = 0
    at: int = 0


def known(docs: list[dict], kind: str) -> Reader | None:
    """The reader of the first document that any of this kind knows; a table of our own columns
    comes last, because logs name their texts "input" and "output" too.
    """
    found = (reader for doc in docs for reader in READERS[kind] if reader.known_by(doc))
    own = (by_columns({name: name for name in doc if name in COLUMNS[kind]}, kind)
           for doc in docs if kind in NEEDED and NEEDED[kind] <= doc.keys())  # fmt: skip
    return next(found, None) or next(own, None)


def find(docs: list[dict], kind: str, columns: Mapping[str, str] | None = None) -> Reader:
    """The reader of documents: that of the columns where these have them, otherwise a known one.

    Without any the error names what is missing: a named column, or fields of a near format.
    """
    own = [by_columns(columns, kind)] if columns is not None else []
    reader = next((r for r in own for d in docs if r.known_by(d)), None)
    if reader := reader or known(docs, kind):
        return reader
    seen: Any = next(iter(docs), {})

    def likeness(reader: Reader) -> tuple[float, float]:
        shares = [1 - len(reader.lacks(seen, p)) / max(len(p), 1)
                  for p in (reader.needed, reader.paths)]  # fmt: skip
        return (shares[0] if reader.needed else 0.0), shares[1]

    nearest = max(own or READERS[kind], key=likeness)
    lacks = nearest.lacks(seen, nearest.needed) or nearest.lacks(seen, nearest.paths)
    said = f"the nearest is {nearest.name}, which also has {', '.join(lacks[:5])}"
    if own:
        said = f"it has no column {lacks[0]!r}, which you named"
    elif likeness(nearest)[0] < NEAR:
        said = "it is like no known format"
    if kind in SUCH_AS:
        said += f'; name its columns: columns={{...}} in Python, --columns "{SUCH_AS[kind]}"'
        said += " in a terminal"
    raise CatalogError(f"this is no {kind} that is read here; {said}")


def kind_named(columns: Mapping[str, str]) -> str:
    """The kind of table that knows most of these columns.

    >>> kind_named({"time": "Day", "amount": "USD"}), kind_named({"time": "Day", "prompt": "In"})
    ('bill', 'usage')
    """
    names = {kind: {*COLUMNS[kind], *(WHOLE if kind == "usage" else ())} for kind in NEEDED}
    return max(names, key=lambda kind: len(columns.keys() & names[kind]))


def parts(path: Path, kind: str, columns: Mapping[str, str] | None = None) -> Iterator[Part]:
    """The rows of a file, some thousands at a time."""
    try:
        docs = peeked(path)
        if why := "" if docs else why_nothing(path):
            raise CatalogError(why)
        first = find(docs, kind, columns)
    except CatalogError as error:
        raise CatalogError(f"{path.name}: {error}") from error
    keep = None if first.rows else {path[0] for path in first.paths}
    memory: dict[str, Any] = {}
    for block in blocks(path, first.shorten, keep):
        yield from parted(block, [first, *READERS[kind]], memory)


def parted(block: Block, readers: list[Reader], memory: dict[str, Any]) -> Iterator[Part]:
    """The rows of a block, those of one reader together; documents are of the first reader that
    knows them.
    """
    first = readers[0]
    part = Part(first, first.frame(Lookup([]), 0), block.problems, odd=block.odd, at=block.at)
    if block.found:
        part.frame = first.frame(block.found, len(block.rows)).set_axis(pd.Index(block.rows))
        yield part
        return
    found: dict[Reader, list[tuple[int, dict]]] = {}
    for row, doc in zip(block.rows, block.docs, strict=True):
        reader = next((r for r in readers if type(doc) is dict and r.known_by(doc)), None)
        if reader is None:
            part.silent += 1
        else:
            found.setdefault(reader, []).append((row, doc))
    yield part
    for reader, pairs in found.items():
        made = pairs
        if reader.rows:
            made = [(row, x) for row, doc in pairs for x in reader.rows(doc, memory)]
        at = [row for row, _ in made]
        frame = reader.frame(Lookup([x for _, x in made]), len(made)).set_axis(
            pd.Index(at, dtype=int)
        )
        yield Part(reader, frame, silent=len(pairs) - len(set(at)))


def collected(
    paths: Any, kind: str, columns: Mapping[str, str] | None = None
) -> Iterator[tuple[str, pd.DataFrame, Reader, list[int]]]:
    """(file, rows by their number, reader, the rows that gave none) of small files of one kind.

    A document without a row, of which no reader knows the number, is row 0.
    """
    for path in listed(paths):
        found = list(parts(path, kind, columns))
        lost = [row for part in found for row, _ in part.problems]
        lost += [0] * sum(part.silent for part in found)
        yield path.name, pd.concat([part.frame for part in found]), found[-1].reader, lost


def not_read(file: str, rows: list[int], why: str) -> list[str]:
    """A note on rows of a file that are not used, the first of them by its number.

    >>> not_read("a.csv", [7, 3], "rows hold no amount"), not_read("a.csv", [], "")
    (['a.csv: 2 rows hold no amount; the first is row 3'], [])
    """
    first = f"; the first is row {min(filter(None, rows))}" if any(rows) else ""
    return [f"{file}: {with_count(len(rows), why)}{first}"] if rows else []


@public
def by_kind(
    paths: Any, columns: Mapping[str, Mapping[str, str]] | None = None
) -> dict[str, list[Path]]:
    """The files of each kind; one that is of none is taken for usage, whose reader says why not.

    Parameters
    ----------
    paths : path or list of paths
    columns : dict of kind to {our column: the column of the file}, optional
        Of tables in no known format. A file in a known one is of its own kind.

    Returns
    -------
    dict of kind to list of Path
        "evaluation", "load test", "bill" and "usage".

    Raises
    ------
    CatalogError
        Where there is no usage among them, or none has the columns of a kind.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "x.csv").write_text("item,option,accepted\\n1,A,yes\\n")
    ...     by_kind(folder)
    Traceback (most recent call last):
    costmodel.core.errors.CatalogError: there is no usage among these files, only evaluation; ...
    """
    found: dict[str, list[Path]] = {kind: [] for kind in READERS}
    own = [by_columns(named, kind) for kind, named in (columns or {}).items()]
    lacks: dict[Reader, list[list[str]]] = {reader: [] for reader in own}
    for path in listed(paths):
        docs: list[dict] = []
        with suppress(CatalogError):  # the reader of usage says why
            docs = peeked(path)
        for reader in own:
            lacks[reader] += [reader.lacks(doc, reader.paths) for doc in docs]
        kinds = [kind for kind in READERS if known(docs, kind)]
        kinds += [reader.kind for reader in own if any(map(reader.known_by, docs))]
        found[next(iter(kinds), "usage")].append(path)
    for reader, missing in lacks.items():
        if missing and all(missing):
            raise CatalogError(
                f"no file has the column {min(missing, key=len)[0]!r}, which you named for the "
                f"{reader.kind}; write a column as the header of the file does"
            )
    if not found["usage"]:
        given = ", ".join(kind for kind, files in found.items() if files)
        raise CatalogError(f"there is no usage among these files, only {given}; add a usage export")
    return found


@public
def example(name: str = "usage") -> Path:
    """A file of an invented history, in the columns of this package.

    Parameters
    ----------
    name : {"usage", "invoice", "evaluation"}

    Returns
    -------
    Path

    Raises
    ------
    CatalogError
        For another name.

    Examples
    --------
    >>> import costmodel as cm
    >>> len(cm.ingest.read(cm.ingest.example()).set_aside)
    0
    """
    files = {path.stem: path for path in listed(data_folder() / "examples")}
    check_known("example", name, files, "data/examples")
    return files[name]
