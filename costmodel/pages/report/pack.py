"""The board pack: the memo, the business case, the uncertainty, the notes and one register."""

from __future__ import annotations

import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from costmodel.scenarios.scenario import notebooks_folder

NAME = "board"
FOLDER = "costmodel-board-"  # how the folder of a stitched pack is called
MEMO = Path(__file__).parent / "templates" / "board.ipynb"


# which cells of a part the pack leaves out: frames of its own, and what another part has
PARTS = {
    "05_business_case": {"parameters", "answer", "widgets", "imports", "lint", "register"},
    "06_what_matters": {"parameters", "answer", "widgets", "register"},
}


@contextmanager
def stitched() -> Iterator[Path]:
    """The path of the board pack as one notebook, made of the memo and of notebooks 05 and 06."""
    import nbformat

    pack = nbformat.read(MEMO, as_version=4)
    parts = {
        name: nbformat.read(notebooks_folder() / f"{name}.ipynb", as_version=4).cells
        for name in PARTS
    }
    last = [cell for cell in pack.cells if "last" in _tags(cell)]
    register = [cell for cell in next(iter(parts.values())) if "register" in _tags(cell)]
    kept = [
        _lowered(cell)
        for name, cells in parts.items()
        for cell in cells
        if not PARTS[name] & _tags(cell)
    ]
    pack.cells = [cell for cell in pack.cells if cell not in last] + kept + register + last
    for i, cell in enumerate(pack.cells):
        cell["id"] = str(i)
    with tempfile.TemporaryDirectory(prefix=FOLDER) as folder:
        path = Path(folder, f"{NAME}.ipynb")
        nbformat.write(pack, path)
        yield path


def _tags(cell: Any) -> set[str]:
    return set(cell.metadata.get("tags", []))


def _lowered(cell: Any) -> Any:
    """A cell of a part, its headings one level down."""
    if cell.cell_type == "markdown":
        cell.source = re.sub(r"^(#+) ", r"#\1 ", cell.source, flags=re.M)
    return cell
