"""The rows of small files of one kind: bills, evaluations and load tests."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from typing import Any, NamedTuple

from costmodel.core import CatalogError
from costmodel.ingest.files import documents, listed
from costmodel.ingest.reader import Reader, by_columns, find


class Rows(NamedTuple):
    """The columns of the rows of a file, and how many documents gave none."""

    file: str
    reader: Reader
    columns: dict[str, Any]
    rows: int
    lost: int


def collect(
    paths: Any, readers: Iterable[Reader], kind: str, columns: Mapping[str, str] | None = None
) -> Iterator[Rows]:
    """The rows of every file, by the reader that knows it or by the columns that the user names."""
    own = None if columns is None else by_columns(columns, kind)
    for path in listed(paths):
        found, memory = list(documents(path)), dict[str, Any]()
        docs = [d.value for d in found if isinstance(d.value, dict)]
        try:
            reader = find(docs, [own] if own else readers, kind)
        except CatalogError as error:
            raise CatalogError(f"{path.name}: {error}") from error
        known = [d for d in docs if reader.known_by(d)]
        rows = [r for d in known for r in (reader.rows(d, memory) if reader.rows else [d])]
        yield Rows(path.name, reader, reader.columns(rows), len(rows), len(found) - len(known))
