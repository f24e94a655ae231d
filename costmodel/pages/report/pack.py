"""The board pack: a memo of two pages; the business case, the uncertainty, the notes and one
register stand in its appendix."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from costmodel.core import temporary_folder
from costmodel.pages.report.html import APPENDIX, FRONT
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
        part = [_moved(cell) for cell in part]
        pack.cells += [cell for cell in part if not left_out & _tags(cell)]
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


def _moved(cell: Any) -> Any:
    """A cell of a part, whose sections stand in the appendix; its title begins one of them."""
    tags = _tags(cell) - {FRONT}
    if cell.cell_type == "markdown" and cell.source.startswith(("# ", "## ")):
        cell.source = re.sub(r"^# ", "## ", cell.source)
        tags |= {APPENDIX}
    cell.metadata["tags"] = sorted(tags)
    return cell
