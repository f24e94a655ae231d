"""What kind of numbers a file holds, told by its content."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from costmodel.core import CatalogError, check_known, data_folder, public
from costmodel.ingest.files import documents, listed, peeked
from costmodel.ingest.readers import billing, evals, loads
from costmodel.ingest.usage import READERS as USAGE

READERS = {
    "evaluation": evals.READERS,
    "load test": loads.READERS,
    "bill": billing.READERS,
    "usage": USAGE,
}


@public
def by_kind(paths: Any) -> dict[str, list[Path]]:
    """The files of each kind; one that is of none is taken for usage, whose reader says why not.

    Parameters
    ----------
    paths : path or list of paths

    Returns
    -------
    dict of kind to list of Path
        "evaluation", "load test", "bill" and "usage".

    Raises
    ------
    CatalogError
        Where there is no usage among them.

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
    for path in listed(paths):
        docs = peeked(documents(path))
        kinds = (
            k for k, readers in READERS.items() for d in docs for r in readers if r.known_by(d)
        )
        found[next(kinds, "usage")].append(path)
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
