"""Files of other people: opened, decompressed and cut into documents, whatever their name is.

A document is one JSON object, one row of a CSV, or one YAML file. What cannot be read is handed on
with its row and a reason that quotes nothing of the text.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from itertools import chain, islice
from pathlib import Path
from typing import IO, Any, NamedTuple

from costmodel.core import CatalogError

BATCH = 10_000  # documents that are in memory at once
PEEK = 200_000  # bytes by which the kind of a file is told
BROKEN = "the line is no complete JSON"
OTHER_ENCODING = "is not UTF-8 and was read as Windows-1252"


loads: Callable[[bytes], Any] = json.loads
with suppress(ImportError):  # the same, faster, with the extra `ingest`
    from msgspec.json import decode

    loads = decode


class Document(NamedTuple):
    """A document with the row it stands in; `value` is None where `problem` says why."""

    row: int
    value: Any
    problem: str = ""


def listed(paths: Any) -> list[Path]:
    """The files of a path, a folder or a list of them; a path that is not there is an error."""
    found: list[Path] = []
    for given in [paths] if isinstance(paths, (str, Path)) else paths:
        path = Path(given)
        if not path.exists():
            raise CatalogError(f"no file or folder {str(path)!r}; write the path of one that is")
        inside = (p for p in sorted(path.rglob("*")) if p.is_file())
        found += inside if path.is_dir() else [path]
    if not found:
        raise CatalogError("there is no file to read; write the path of a file or a folder")
    return found


def documents(path: Path, decode: Callable[[bytes], Any] = loads) -> Iterator[Document]:
    """The documents of a file. `decode` turns a line of JSON into an object."""
    with _opened(path) as stream:
        head = stream.peek(PEEK)[:PEEK]
        if head.startswith(b"PK"):
            yield from _zipped(path)
            return
        text = head.decode("utf-8-sig", "replace").lstrip()
        lines = _lines(stream)
        if text[:1] in ("{", "["):
            yield from _json(lines, decode)
        elif text.partition("\n")[0].rstrip().endswith(":"):
            import yaml

            yield Document(1, yaml.safe_load(b"".join(line for _, line in lines)))
        else:
            yield from _csv(text.partition("\n")[0], lines)


def _opened(path: Path) -> Any:
    """The bytes of a file: gzip is unpacked, UTF-16 (Excel) becomes UTF-8."""
    with open(path, "rb") as file:
        start = file.read(2)
    if start == b"\x1f\x8b":
        return io.BufferedReader(gzip.open(path), PEEK)
    if start in (b"\xff\xfe", b"\xfe\xff"):
        return io.BufferedReader(io.BytesIO(path.read_bytes().decode("utf-16").encode()))
    return open(path, "rb", buffering=PEEK)


def _lines(stream: IO[bytes]) -> Iterator[tuple[int, bytes]]:
    """(number, line) of every line that is not blank; a cut archive ends with an empty one."""
    number = 0
    try:
        for number, line in enumerate(stream, 1):
            if not line.isspace():
                yield number, line.removeprefix(b"\xef\xbb\xbf") if number == 1 else line
    except EOFError:
        yield number + 1, b""


def _json(lines: Any, decode: Callable[[bytes], Any]) -> Iterator[Document]:
    """One object a line where one of the first two lines is one, otherwise one over all lines."""
    start = list(islice(lines, 2))
    alone = [_loaded(line).value is not None for _, line in start]
    if len(start) == 2 and any(alone):
        for number, line in chain(start, lines):
            yield _loaded(line, decode, number)
        return
    body = b"".join(line for _, line in chain(start, lines))
    whole = _loaded(body)
    if isinstance(whole.value, list):
        yield from (Document(k, value) for k, value in enumerate(whole.value, 1))
    elif whole.value is None and body.startswith(b"["):
        yield from _elements(body.decode("utf-8", "replace"))
    else:
        yield whole


def _loaded(line: bytes, decode: Callable[[bytes], Any] = loads, number: int = 1) -> Document:
    try:
        return Document(number, decode(line))
    except UnicodeDecodeError:
        pass
    except ValueError:  # of json, and of msgspec also for a line that is not UTF-8
        try:
            return Document(number, json.loads(line))
        except UnicodeDecodeError:
            pass
        except ValueError:
            return Document(number, None, BROKEN)
    try:
        return Document(number, json.loads(line.decode("cp1252", "replace")), OTHER_ENCODING)
    except ValueError:
        return Document(number, None, BROKEN)


def _elements(text: str) -> Iterator[Document]:
    """The elements of a list whose end is cut off."""
    decoder, at, count = json.JSONDecoder(), 1, 0
    while True:
        at += len(text[at:]) - len(text[at:].lstrip(", \r\n\t"))
        count += 1
        try:
            value, at = decoder.raw_decode(text, at)
        except ValueError:
            yield Document(count, None, "the file ends early")
            return
        yield Document(count, value)


def _csv(header: str, lines: Any) -> Iterator[Document]:
    """The rows of a table, by its header; the separator is the most frequent one there."""
    odd: set[int] = set()

    def texts() -> Iterator[str]:
        for number, line in lines:
            try:
                yield line.decode("utf-8")
            except UnicodeDecodeError:
                odd.add(number)
                yield line.decode("cp1252", "replace")

    rows = csv.reader(texts(), delimiter=max(",;\t", key=header.count))
    names = [name.strip() for name in next(rows, [])]
    for row in rows:
        if len(row) == len(names):
            problem = OTHER_ENCODING if odd else ""
            odd.clear()
            yield Document(rows.line_num, dict(zip(names, row, strict=True)), problem)
        else:
            yield Document(
                rows.line_num, None, f"the row has {len(row)} fields, the header {len(names)}"
            )


def _zipped(path: Path) -> Iterator[Document]:
    """The samples of an inspect-ai log, each with the header of its log."""
    with zipfile.ZipFile(path) as archive:
        names = [n for n in archive.namelist() if n.startswith("samples/")]
        head = (
            json.loads(archive.read("header.json")) if "header.json" in archive.namelist() else {}
        )
        for k, name in enumerate(names, 1):
            yield Document(
                k, {"eval": head.get("eval"), "samples": [json.loads(archive.read(name))]}
            )


def batched(found: Iterator[Document]) -> Iterator[list[Document]]:
    """Documents by the thousand, so that memory stays flat."""
    while batch := list(islice(found, BATCH)):
        yield batch


def peeked(found: Iterator[Document], most: int = 200) -> list[Any]:
    """The first documents that could be read."""
    return [d.value for d in islice(found, most) if isinstance(d.value, dict)]
