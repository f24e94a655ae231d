"""The board pack: the memo, the business case, the uncertainty, the notes and one register."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from costmodel.core import temporary_folder
from costmodel.scenarios.scenario import notebooks_folder

NAME = "board"
FOLDER = f"{NAME}-"  # what is in the name of the folder of a stitched pack
MEMO = Path(__file__).parent / "templates" / "board.ipynb"
REGISTER = "05_business_case"  # whose register of inputs ends the pack
# which cells of a part the pack leaves out: frames of its own, and what another part has
PARTS = {
    REGISTER: {"parameters", "answer", "widgets", "imports", "lint", "register"},
    "06_what_matters": {"parameters", "answer", "widgets", "register"},
}


@contextmanager
def stitched() -> Iterator[Path]:
    """The path of the board pack as one notebook, made of the memo and of notebooks 05 and 06."""
    import nbformat

    pack = nbformat.read(MEMO, as_version=4)
    last = [cell for cell in pack.cells if "last" in _tags(cell)]
    pack.cells = [cell for cell in pack.cells if cell not in last]
    for name, left_out in PARTS.items():
        part = nbformat.read(notebooks_folder() / f"{name}.ipynb", as_version=4).cells
        pack.cells += [_lowered(cell) for cell in part if not left_out & _tags(cell)]
        if name == REGISTER:
            last = [cell for cell in part if "register" in _tags(cell)] + last
    pack.cells += last
    for i, cell in enumerate(pack.cells):
        cell["id"] = str(i)
    with temporary_folder(FOLDER) as folder:
        path = folder / f"{NAME}.ipynb"
        nbformat.write(pack, path)
        yield path


def _tags(cell: Any) -> set[str]:
    return set(cell.metadata.get("tags", []))


def _lowered(cell: Any) -> Any:
    """A cell of a part, its headings one level down."""
    if cell.cell_type == "markdown":
        cell.source = re.sub(r"^(#+) ", r"#\1 ", cell.source, flags=re.M)
    return cell
