"""Files of other people: opened, decompressed and cut into blocks, whatever their name is.

A document is one JSON object, one row of a table, or one YAML file. What cannot be read is handed
on with its row and a reason that quotes nothing of the text.
"""

from __future__ import annotations

import csv
import gzip
import io
import json
import re
import zipfile
import zlib
from collections import Counter, deque
from collections.abc import Callable, Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import chain, islice
from os.path import exists
from pathlib import Path
from typing import Any

from costmodel.core import CatalogError, in_words
from costmodel.ingest.lookup import Lookup

BLOCK = 10_000  # documents that are in memory at once
VECTORS = 40, 5  # of 2,048 rows of a Parquet file: as columns, and as documents
PEEK = 200_000  # bytes by which the kind of a file is told
FEW = 200  # documents by which its format is told
BROKEN = "the line is no complete JSON"
NO_ROW = "the line is no row of a table, or opens a quote that is not closed"
BRACKETS = re.compile(
    r'"[^"\\]*(?:\\.[^"\\]*)*"|[][{}]', re.DOTALL
)  # and texts, which may hold some
csv.field_size_limit(10_000_000)  # a prompt may stand in a field
DAMAGED = "the file is damaged, or only a part of it; copy or export it again"
NO_LOG = (
    "this archive is no inspect-ai log; unpack it, or save a sheet of a workbook as CSV, and give "
    "that file"
)
OTHER_ENCODING = "is not UTF-8 and was read as Windows-1252"
Shorten = Callable[[list[bytes]], Lookup | None]

loads: Callable[[bytes], Any] = json.loads
with suppress(ImportError):  # the same, faster, with the extra `ingest`
    from msgspec.json import decode

    loads = decode


@dataclass
class Block:
    """Documents of a file with the rows that they stand in.

    `docs` holds them; or they are all of the format that was asked for, and `found` looks up what
    it needs of them. `odd` counts lines in another encoding, and `at` says how many bytes of the
    file, unpacked, were read up to here.
    """

    rows: Sequence[int]
    docs: list[Any] = field(default_factory=list)
    problems: list[tuple[int, str]] = field(default_factory=list)
    odd: int = 0
    found: Lookup | None = None
    at: int = 0


def listed(paths: Any) -> list[Path]:
    """The files of a path, a folder or a list of them; a path that is not there is an error."""
    found: list[Path] = []
    given = [paths] if isinstance(paths, (str, Path)) else paths
    if not isinstance(given, (list, tuple)) or not all(isinstance(x, (str, Path)) for x in given):
        raise CatalogError(f"the path is {in_words(paths)}, it must be a path or a list of paths")
    for path in map(Path, given):
        if not exists(path):
            raise CatalogError(
                f"no file or folder {in_words(str(path))}; write the path of one that is"
            )
        if not path.is_dir() and not path.is_file():
            raise CatalogError(f"{in_words(str(path))} is a device or a pipe; save it as a file")
        inside = (p for p in sorted(path.rglob("*")) if p.is_file())
        found += inside if path.is_dir() else [path]
    if not found:
        raise CatalogError("there is no file to read; write the path of a file or a folder")
    for path, times in Counter(path.resolve() for path in found).items():
        if times > 1:
            raise CatalogError(f"{in_words(str(path))} is given twice; name each file once")
    return found


def blocks(
    path: Path, shorten: Shorten | None = None, keep: Iterable[str] | None = None
) -> Iterator[Block]:
    """The documents of a file.

    `shorten` decodes lines of JSON of one format without what it does not need, or gives None.
    `keep` names the columns of a Parquet file that are read; then they come as columns.
    """
    try:
        with _opened(path) as stream:
            for block in _blocks(stream, path, shorten, keep):
                block.at = stream.tell()
                yield block
    except (zipfile.BadZipFile, gzip.BadGzipFile, zlib.error) as error:
        raise CatalogError(DAMAGED) from error


def _blocks(
    stream: Any, path: Path, shorten: Shorten | None, keep: Iterable[str] | None
) -> Iterator[Block]:
    """The documents of an open file."""
    head = stream.peek(PEEK)[:PEEK]
    text = head.decode("utf-8-sig", "replace").lstrip()
    first = text.partition("\n")[0]
    if b"\0" in head and not head.startswith((b"PK", b"PAR1")):
        raise CatalogError("this is no text; give a CSV, JSON, YAML, Parquet or inspect-ai file")
    if head.startswith(b"PK"):
        yield _whole(_zipped(path))
    elif head.startswith(b"PAR1"):
        yield from _parquet(path, keep)
    elif text[:1] in ("{", "["):
        lines = _lines(stream)
        start = list(islice(lines, 2))
        alone = len(start) == 2 and _by_line((1, 2), start).docs
        whole = chain(start, lines)
        yield from _json_lines(whole, shorten) if alone else [_json(b"".join(whole))]
    elif first.rstrip().endswith(":"):
        import yaml

        try:
            yield _whole([yaml.safe_load(b"".join(_lines(stream)))])
        except yaml.YAMLError as error:
            raise CatalogError("this is no YAML, though its first line ends with ':'") from error
    else:
        yield from _table(first, _lines(stream))


def peeked(path: Path) -> list[dict]:
    """The first documents of a file that could be read."""
    docs = (doc for block in blocks(path) for doc in block.docs)
    return [doc for doc in islice(docs, FEW) if isinstance(doc, dict)]


def why_nothing(path: Path) -> str:
    """Why a file has no document; "" where it has some that are of no kind."""
    with _opened(path) as stream:
        text = stream.read(PEEK).strip(b"\xef\xbb\xbf \r\n\t")
    if not text:
        return "the file is empty"
    if text.startswith((b"{", b"[")):
        return "the JSON has no record, or none that is complete"
    return "" if b"\n" in text else "the file has a header and no rows below it"


def _opened(path: Path) -> Any:
    """The bytes of a file: gzip is unpacked, UTF-16 (Excel) becomes UTF-8."""
    with open(path, "rb") as file:
        start = file.read(2)
    if start == b"\x1f\x8b":
        return io.BufferedReader(gzip.open(path), PEEK)
    if start in (b"\xff\xfe", b"\xfe\xff"):
        return io.BufferedReader(io.BytesIO(path.read_bytes().decode("utf-16").encode()))
    return open(path, "rb", buffering=PEEK)


def _lines(stream: Any) -> Iterator[bytes]:
    """The lines of a file; a cut archive ends with one that is not complete."""
    with suppress(EOFError):
        yield next(stream, b"").removeprefix(b"\xef\xbb\xbf")
        yield from stream
        return
    yield b"{"


def _whole(docs: Iterable[Any]) -> Block:
    """One block of all documents."""
    docs = list(docs)
    return Block(range(1, len(docs) + 1), docs)


def _decoded(line: bytes) -> Any:
    """What a line of JSON says, or None; a line that is not UTF-8 raises UnicodeDecodeError."""
    try:
        return loads(line)
    except UnicodeDecodeError:
        raise
    except (ValueError, RecursionError):  # msgspec also refuses NaN, and names no encoding
        line.decode()
        with suppress(ValueError, RecursionError):
            return json.loads(line)
    return None


def _json_lines(lines: Iterator[bytes], shorten: Shorten | None) -> Iterator[Block]:
    """One document a line."""
    end = 0
    while batch := list(islice(lines, BLOCK)):
        rows: Sequence[int] = range(end + 1, end + 1 + len(batch))
        end += len(batch)
        if not all(map(bytes.strip, batch)):
            rows = [row for row, line in zip(rows, batch, strict=True) if line.strip()]
            batch = [line for line in batch if line.strip()]
        found = shorten(batch) if shorten else None
        yield Block(rows, found=found) if found else _by_line(rows, batch)


def _by_line(rows: Sequence[int], lines: list[bytes]) -> Block:
    """The documents of lines, each by itself."""
    block = Block([])
    kept: list[int] = []
    for row, line in zip(rows, lines, strict=True):
        try:
            doc = _decoded(line)
        except UnicodeDecodeError:
            doc = _decoded(line.decode("cp1252", "replace").encode())
            block.odd += doc is not None
        if doc is None:
            block.problems.append((row, BROKEN))
        else:
            kept.append(row)
            block.docs.append(doc)
    block.rows = kept
    return block


def _json(body: bytes) -> Block:
    """One object or one list over many lines; of a list that is cut off, what is whole."""
    text = body.decode("utf-8", "replace").strip()
    problems = []
    try:
        whole = json.loads(text)
    except json.JSONDecodeError as error:
        text, count = _cut_back(text[: error.pos])
        whole = json.loads(text or "[]")
        why = f"the JSON breaks off after {count:,} records; those are used" if count else BROKEN
        problems = [(count + 1, why)]
    except (ValueError, RecursionError):  # a number of thousands of digits, or too deep
        return Block([], problems=[(1, BROKEN)])
    block = _whole(whole if isinstance(whole, list) else [whole])
    block.problems = problems
    return block


def _cut_back(text: str) -> tuple[str, int]:
    """JSON that breaks off, closed after the last whole record of its outermost list, and how many
    records that leaves.

    >>> _cut_back('{"data": [{"a": 1}, {"a": 2}, {"a"')
    ('{"data": [{"a": 1}, {"a": 2}]}', 2)
    """
    opened, end, count, closed = "", 0, 0, ""
    for found in BRACKETS.finditer(text):
        mark = found.group()
        if mark in ("{", "["):
            opened += mark
            count = 0 if mark == "[" and opened.count("[") == 1 else count
        elif mark in ("}", "]"):
            opened = opened[:-1]
            if mark == "}" and opened.endswith("[") and opened.count("[") == 1:
                end, count = found.end(), count + 1
                closed = opened[::-1].translate({91: "]", 123: "}"})
    return text[:end] + closed, count


def _table(header: str, lines: Iterator[bytes]) -> Iterator[Block]:
    """The rows of a CSV, by its header; the separator is the most frequent one there."""
    block = Block([])

    def texts() -> Iterator[str]:
        for line in lines:
            try:
                yield line.decode()
            except UnicodeDecodeError:
                block.odd += 1
                yield line.decode("cp1252", "replace")

    table = _rows(texts(), max(",;\t", key=header.count))
    names = [name.strip() for name in next(table, (0, []))[1] or []]
    while batch := list(islice(table, BLOCK)):
        good = [(at, row) for at, row in batch if row and len(row) == len(names)]
        block.rows = [at for at, _ in good]
        block.docs = [dict(zip(names, row, strict=True)) for _, row in good]
        block.problems = [
            (at, f"the row has {len(row)} fields, the header {len(names)}" if row else NO_ROW)
            for at, row in batch
            if row is None or len(row) not in (0, len(names))
        ]
        yield block
        block = Block([])


def _rows(lines: Iterator[str], delimiter: str) -> Iterator[tuple[int, list[str] | None]]:
    """(line, fields) of each row of a CSV.

    A quote that is not closed would swallow the rows below: then the fields are None, and the
    lines below are read again.

    >>> list(_rows(iter(["a,b\\n", '1,"2\\n', "3,4\\n"]), ","))
    [(1, ['a', 'b']), (2, None), (3, ['3', '4'])]
    """
    held: list[str] = []  # the lines of a row; an empty one is the end of the file
    again: deque[str] = deque()

    def noted() -> Iterator[str]:
        while line := again.popleft() if again else next(lines, ""):
            held.append(line)
            yield line
        held.append("")

    at, width, table = 0, 0, csv.reader(noted(), delimiter=delimiter)
    while True:
        held.clear()
        row: list[str] | None = None
        with suppress(csv.Error):
            row = next(table, [])
        if held == [""]:
            return
        width = width or len(row or ())
        if row is None or held[-1] == "" or (len(held) > 1 and len(row) != width):
            row = None
            again.extendleft(reversed([line for line in held[1:] if line]))
            table = csv.reader(noted(), delimiter=delimiter)
        at += 1 if row is None else len(held)
        yield at, row


def _parquet(path: Path, keep: Iterable[str] | None) -> Iterator[Block]:
    """The rows of a Parquet file."""
    try:
        import duckdb
    except ImportError as error:
        raise CatalogError("Parquet needs the extra: pip install costmodel[ingest]") from error
    with duckdb.connect() as base:
        base.execute("set threads = 1; set enable_progress_bar = false")
        try:
            there = base.read_parquet(str(path)).columns
        except duckdb.Error as error:
            raise CatalogError(DAMAGED) from error
        names = [name for name in there if keep is None or name in set(keep)]
        quoted = ", ".join('"' + name.replace('"', '""') + '"' for name in names)
        base.execute(f"select {quoted} from read_parquet(?)", [str(path)])
        end = 0
        while len(frame := base.fetch_df_chunk(VECTORS[keep is None])):
            rows = range(end + 1, end + 1 + len(frame))
            end += len(frame)
            if keep is None:
                plain = frame.astype(object).where(frame.notna(), None)
                yield Block(rows, plain.to_dict("records"))
            else:
                yield Block(rows, found=Lookup([], frame))


def _zipped(path: Path) -> Iterator[dict]:
    """The samples of an inspect-ai log, each with the header of its log."""
    with zipfile.ZipFile(path) as archive:
        names = archive.namelist()
        if not any(name.startswith("samples/") for name in names):
            raise CatalogError(NO_LOG)
        head = json.loads(archive.read("header.json")) if "header.json" in names else {}
        for name in names:
            if name.startswith("samples/"):
                yield {"eval": head.get("eval"), "samples": [json.loads(archive.read(name))]}
