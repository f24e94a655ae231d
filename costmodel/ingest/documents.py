"""Documents of your own: how many there are, their tokens, their repeats, and how they change."""

from __future__ import annotations

import io
import re
import subprocess
import zipfile
from collections import defaultdict
from collections.abc import Callable
from contextlib import redirect_stderr
from hashlib import blake2b
from os.path import isdir
from pathlib import Path

import pandas as pd

from costmodel.core import CatalogError, check, frozen, middle, public
from costmodel.facts.tokens import count_tokens

SHINGLE = 5  # words that make one fingerprint
SKETCH = 128  # fingerprints that are kept of a document
BANDS = 8  # of them that two documents must share one of to be compared
ALIKE = 0.8  # share of common fingerprints from which documents repeat each other


@frozen
class Documents:
    """A folder of documents; `read_documents` makes it. Their texts are not kept.

    Parameters
    ----------
    table : DataFrame
        By document, its path: `kind`, `tokens`, `words`, `repeats` (the document that it nearly
        repeats, or "") and `changed` (against the older folder, where one is given).
    skipped : DataFrame
        `document` and `reason` of what was not read.

    Examples
    --------
    >>> table = pd.DataFrame({"tokens": [700, 900], "repeats": ["", ""], "changed": [False, True]})
    >>> Documents(table, pd.DataFrame()).changed_share
    0.5625
    """

    table: pd.DataFrame
    skipped: pd.DataFrame

    @property
    def tokens(self) -> float:
        """Tokens of all documents."""
        return float(self.table["tokens"].sum())

    @property
    def changed_share(self) -> float:
        """Share of the tokens in documents that are new or rewritten."""
        return float(self.table.loc[self.table["changed"], "tokens"].sum() / self.tokens)


def _plain(path: Path) -> str:
    return path.read_bytes().decode("utf-8", "replace")


def _html(path: Path) -> str:
    from bs4 import BeautifulSoup

    return BeautifulSoup(path.read_bytes(), "html.parser").get_text(" ")


def _pdf(path: Path) -> str:
    try:
        from pypdf import PdfReader
    except ImportError as error:
        raise CatalogError("PDF needs the extra: pip install costmodel[ingest]") from error
    with redirect_stderr(io.StringIO()):  # its warnings: what is damaged is said once, by us
        return "\n".join(page.extract_text() for page in PdfReader(path).pages)


def _docx(path: Path) -> str:
    from xml.etree import ElementTree

    with zipfile.ZipFile(path) as archive:
        tree = ElementTree.fromstring(archive.read("word/document.xml"))
    return " ".join(node.text or "" for node in tree.iter() if node.tag.endswith("}t"))


TEXT: dict[str, Callable[[Path], str]] = {
    ".txt": _plain, ".md": _plain, ".html": _html, ".htm": _html, ".pdf": _pdf, ".docx": _docx,
}  # fmt: skip


@public
def read_documents(
    folder: str | Path,
    model: str = "gpt-6.1-terra",
    older: str | Path | None = None,
    since: str | None = None,
) -> Documents:
    """Count the documents of a folder: txt, md, html, pdf and docx.

    Parameters
    ----------
    folder : path
    model : str
        Whose tokens are counted.
    older : path, optional
        The same folder at an earlier date, against which documents are new or rewritten.
    since : str, optional
        The earlier date instead, YYYY-MM-DD, where the folder is under git.

    Returns
    -------
    Documents

    Raises
    ------
    CatalogError
        Where the folder is not there, holds no document that is read, or has no history in git.

    Examples
    --------
    >>> from tempfile import TemporaryDirectory
    >>> with TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "a.md").write_text("tiktoken is great!")
    ...     read_documents(folder, "gpt-4o").table["tokens"].to_dict()
    {'a.md': 6.0}
    """
    rows, skipped, sketches = {}, [], {}
    check(not (older and since), "give older= or since=, not both")
    rewritten = _changed_since(Path(folder), since) if since else _changed(Path(folder), older)
    for path in _files(Path(folder)):
        name = path.relative_to(folder).as_posix()
        if path.suffix.lower() not in TEXT:
            skipped.append((name, f"{path.suffix or 'no ending'} is not read"))
            continue
        try:
            text = TEXT[path.suffix.lower()](path)
        except Exception as error:  # a damaged file of any library
            skipped.append((name, str(error) if isinstance(error, CatalogError) else "damaged"))
            continue
        words = text.split()
        sketches[name] = _sketch(words)
        tokens = float(middle(count_tokens(text, model)))
        rows[name] = path.suffix.lower()[1:], tokens, len(words), name in rewritten
    check(rows, f"no document that is read lies in {str(folder)!r}: txt, md, html, pdf or docx")
    table = pd.DataFrame.from_dict(rows, "index", columns=["kind", "tokens", "words", "changed"])
    repeats = _repeats(sketches)
    table.insert(3, "repeats", [repeats.get(name, "") for name in table.index])
    return Documents(table, pd.DataFrame(skipped, columns=["document", "reason"]))


def _files(folder: Path) -> list[Path]:
    if not isdir(folder):
        raise CatalogError(f"no folder {str(folder)!r}; write the path of one that is there")
    inside = (p for p in sorted(folder.rglob("*")) if p.is_file())
    return [p for p in inside if not any(part.startswith(".") for part in p.parts[-2:])]


def _changed(folder: Path, older: str | Path | None) -> set[str]:
    """Documents that are new or rewritten against an older folder."""
    if older is None:
        return set()
    new, old = ({(p.relative_to(f).as_posix(), blake2b(p.read_bytes()).digest()) for p in _files(f)}
                for f in (folder, Path(older)))  # fmt: skip
    return {name for name, _ in new - old}


def _changed_since(folder: Path, day: str) -> set[str]:
    """Documents that are new or rewritten since a day, by git."""

    def git(*words: str) -> list[str]:
        run = subprocess.run(["git", "-C", str(folder), *words], capture_output=True, text=True)
        check(run.returncode == 0, f"git says no history of {str(folder)!r}; give older= instead")
        return run.stdout.splitlines()

    commits = git("rev-list", "-1", f"--before={day} 00:00", "HEAD")
    check(commits, f"git has no commit of {str(folder)!r} before {day}; write a later day")
    quoted = ("-c", "core.quotepath=off")
    changed = git(*quoted, "diff", "--name-only", "--relative", commits[0], "--", ".")
    return {*changed, *git(*quoted, "ls-files", "--others", "--exclude-standard")}


def _sketch(words: list[str]) -> frozenset[bytes]:
    """The smallest fingerprints of runs of words (Broder 1997)."""
    plain = [re.sub(r"\W", "", word).lower() for word in words]
    runs = {" ".join(plain[k : k + SHINGLE]) for k in range(max(len(plain) - SHINGLE + 1, 1))}
    return frozenset(sorted(blake2b(r.encode(), digest_size=8).digest() for r in runs)[:SKETCH])


def _repeats(sketches: dict[str, frozenset[bytes]]) -> dict[str, str]:
    """Each document that nearly repeats an earlier one, and which."""
    found: dict[str, str] = {}
    seen: dict[bytes, list[str]] = defaultdict(list)
    for name, sketch in sketches.items():
        keys = sorted(sketch)[:BANDS]
        for other in dict.fromkeys(o for key in keys for o in seen[key]):
            both = sorted(sketch | sketches[other])[:SKETCH]
            if len(sketch & sketches[other] & set(both)) >= ALIKE * len(both):
                found[name] = other
                break
        else:
            for key in keys:
                seen[key].append(name)
    return found
