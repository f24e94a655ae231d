"""Files: read as text or as rows, and written whole or not at all.

Every file that a user gives is read here, or refused in one sentence; every file of ours is written
beside its place and then put there, so that no fault leaves half of one. What a killed process left
behind goes at the next start.
"""

from __future__ import annotations

import codecs
import csv
import io
import os
import re
import shutil
import tempfile
import time
import unicodedata
import uuid
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from os.path import exists, isdir
from pathlib import Path
from typing import Any

from costmodel.core.errors import CatalogError, check, in_words

TEXT_MAX = 50_000_000  # bytes of a file that a user gives
ROOM = 1_000_000  # bytes that a disk must have left before anything is computed
STALE_S = 3_600.0  # after which a part of a file belongs to a process that is gone
FOLDER = "costmodel-"  # how our temporary folders begin; the id of their process follows
FORMULA = "=+-@"  # a cell that begins so is run by a spreadsheet, also in wide letters
BLANKS = re.compile(r"[\s\x00-\x1f\u200b\ufeff]*")  # which a spreadsheet may skip before it
AMOUNT = re.compile(r"[+-]\d[\d.,]*(?: ?%)?[A-Za-z ]*")  # a number in words, such as -49 % a year
UTF_16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


# -- reading ---------------------------------------------------------------------------------------


def is_named(text: str) -> bool:
    """Whether a text is a name of the package's own, and no path: no separator and no ending.

    >>> is_named("support_assistant"), is_named("./mine"), is_named("mine.yaml")
    (True, False, False)
    """
    return not (Path(text).suffix or set(text) & {"/", os.sep})


def read_text(path: str | Path) -> str:
    """The text of a file in UTF-8, or in UTF-16 where it begins with its mark, as Excel writes."""
    path = Path(path)
    try:
        size = path.stat().st_size
        if size > TEXT_MAX:
            raise OSError(f"it has {size:,} bytes, allowed are {TEXT_MAX:,}")
        raw = path.read_bytes()
    except FileNotFoundError:
        raise CatalogError(f"no file {in_words(str(path))}; write the path of one") from None
    except (OSError, ValueError) as error:
        raise CatalogError(f"{in_words(str(path))} cannot be read: {_why(error)}") from error
    try:
        return raw.decode("utf-16" if raw.startswith(UTF_16) else "utf-8-sig")
    except UnicodeDecodeError as error:
        raise CatalogError(
            f"{path.name} is not a text file in UTF-8; save it as UTF-8 (in Excel: 'CSV UTF-8')"
        ) from error


def read_rows(path: str | Path, apart: bool = False) -> list[dict[Any, str]]:
    """The rows of a CSV by the names of its first line.

    A name that is there twice, a quote that does not end and a row with more cells than names are
    errors with their line; a cell that a row lacks is empty. With `apart` a row with too many has
    its error under None, and the others stand.
    """
    path, text = Path(path), read_text(path)
    reader = csv.reader(io.StringIO(text, newline=""), strict=True)
    rows: list[dict[Any, str]] = []
    names: list[str] = []
    try:
        for cells in reader:
            if not any(cells):
                continue
            if not names:
                names = [cell.strip() for cell in cells]
                twice = next((name for name in names if names.count(name) > 1), None)
                check(
                    twice is None, f"{path.name} has two columns {in_words(twice)}; leave one out"
                )
                for sign, word in ((";", "semicolons"), ("\t", "tabs")):
                    check(
                        len(names) > 1 or sign not in cells[0],
                        f"{path.name} is separated by {word}; save it with commas",
                    )
                continue
            row: dict[Any, str] = dict.fromkeys(names, "") | dict(zip(names, cells, strict=False))
            if len(cells) > len(names):
                row[None] = (
                    f"{path.name} line {reader.line_num} has {len(cells)} cells and the first line "
                    f"{len(names)} names; put a text with a comma in quotes"
                )
                check(apart, row[None])
            rows.append(row)
    except csv.Error as error:
        why = "a quote does not end" if "end of data" in str(error) else str(error)
        raise CatalogError(f"{path.name} line {reader.line_num} is not valid CSV: {why}") from error
    return rows


# -- writing ---------------------------------------------------------------------------------------


def check_writable(path: str | Path, folder_too: bool = False) -> None:
    """Refuse a file that cannot be written, before anything is computed for it.

    With `folder_too` its folder is made when it is written.
    """
    path = _place(Path(path))
    folder = path.parent
    while folder_too and not exists(folder) and folder != folder.parent:
        folder = folder.parent
    if not isdir(folder):
        raise CatalogError(
            f"no folder {in_words(str(folder))} for {in_words(path.name)}; make it first, or write "
            "another path"
        )
    with _said(path):
        if shutil.disk_usage(folder).free < ROOM:
            raise OSError(f"its disk has less than {ROOM / 1e6:g} MB left")
        part = _part(folder / path.name)
        part.touch()
        part.unlink()


def make_folder(path: str | Path) -> Path:
    """Make a folder, with those above it, unless it is there."""
    with _said(Path(path)):
        Path(path).mkdir(parents=True, exist_ok=True)
    return Path(path)


def write(path: str | Path, content: str | bytes) -> Path:
    """Write a file whole or not at all."""
    write_all({Path(path): content})
    return Path(path)


def write_all(files: Mapping[Path, str | bytes]) -> None:
    """Write all these files or none: each beside its place first, then all are put there."""
    parts: dict[Path, Path] = {}
    places = {_place(path): content for path, content in files.items()}
    try:
        for path, content in places.items():
            with _said(path):
                path.parent.mkdir(parents=True, exist_ok=True)
                _sweep(path)
                parts[path] = _part(path)
                parts[path].write_bytes(content.encode() if isinstance(content, str) else content)
                if exists(path):  # who may read it stays who may
                    shutil.copymode(path, parts[path])
        for path, part in parts.items():
            with _said(path):
                os.replace(part, path)
    finally:
        for part in parts.values():
            part.unlink(missing_ok=True)


def as_csv(table: Any, index: bool = True) -> str:
    """A table as CSV, whose texts no spreadsheet takes for a formula: a quote stands before them.

    >>> import pandas as pd
    >>> as_csv(pd.DataFrame({"option": ["=1+1", "RAG"], "usd": [-1.5, 2]}), index=False)
    "option,usd\\n'=1+1,-1.5\\nRAG,2.0\\n"
    """
    safe = table.map(plain_cell)
    safe.columns = safe.columns.map(plain_cell)
    if index and safe.index.nlevels == 1:
        safe.index = safe.index.map(plain_cell)
    return safe.to_csv(index=index, lineterminator="\n")


def plain_cell(value: Any) -> Any:
    """A cell that no spreadsheet takes for a formula; numbers stay as they are."""
    if not isinstance(value, str):
        return value
    text = BLANKS.sub("", value, count=1)
    sign = unicodedata.normalize("NFKC", text[:1])
    runs = sign and sign in FORMULA and not AMOUNT.fullmatch(text)
    return f"'{value}" if runs or value.startswith(("\t", "\r")) else value


@contextmanager
def temporary_folder(name: str = "") -> Iterator[Path]:
    """A folder that goes with the block; those of processes that are gone go first."""
    home = Path(tempfile.gettempdir())
    for old in home.glob(f"{FOLDER}[0-9]*-*"):
        pid = old.name.removeprefix(FOLDER).partition("-")[0]
        if pid.isdigit() and not _lives(int(pid)):
            shutil.rmtree(old, ignore_errors=True)
    with tempfile.TemporaryDirectory(prefix=f"{FOLDER}{os.getpid()}-{name}") as folder:
        yield Path(folder)


def _lives(pid: int) -> bool:
    """Whether a process of that id runs; on Windows it is never asked, so that nothing ends."""
    if os.name == "nt":
        return True
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return False
    except OSError:
        return True
    return True


def _place(path: Path) -> Path:
    """Where a path is written: what a link leads to; nothing but a file is ever replaced."""
    place = Path(os.path.realpath(path))
    check(not isdir(place), f"{in_words(str(path))} is a folder; write the path of a file")
    is_file = not exists(place) or place.is_file()
    check(is_file, f"{in_words(str(path))} is a device or a pipe; write the path of a file")
    return place


def _part(path: Path) -> Path:
    return path.with_name(f".{path.name[:80]}.{uuid.uuid4().hex}.part")


def _sweep(path: Path) -> None:
    """Remove what a killed process left beside a file."""
    for old in path.parent.glob(f".*.{'[0-9a-f]' * 32}.part"):
        with suppress(OSError):
            if time.time() - old.stat().st_mtime > STALE_S:
                old.unlink()


@contextmanager
def _said(path: Path) -> Iterator[None]:
    """Say which file cannot be written, and why."""
    try:
        yield
    except (OSError, ValueError) as error:
        raise CatalogError(
            f"{in_words(str(path))} cannot be written: {_why(error)}; write to another folder"
        ) from error


def _why(error: Exception) -> str:
    said = getattr(error, "strerror", None) or str(error)
    return said[:1].lower() + said[1:]
