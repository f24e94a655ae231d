"""Running a notebook with the interpreter that is running now, and what the notebook hands over."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from typing import Any

from costmodel.pages.blocks import RESULTS_MIME

QUIET = ["--log-level=50", "--InlineBackend.figure_formats=svg"]  # figures are vectors
SENTENCES = ("CatalogError", "Infeasible", "ValueError", "ReportError")  # errors that explain all
Progress = Callable[[int, int], None]


def execute(
    notebook: Path, parameters: Mapping[str, Any], progress: Progress | None
) -> tuple[Any, str]:
    """The executed notebook, cut off at an error, and the sentence of that error or ""."""
    with _without_iri():
        import nbclient
        from papermill.iorw import load_notebook_node
        from papermill.parameterize import parameterize_notebook

    nb = load_notebook_node(str(notebook))
    if parameters:  # by papermill's own hand, but without its guess of what the notebook declares
        nb = parameterize_notebook(nb, dict(parameters), kernel_name="python3", language="python")
    total = sum(cell.cell_type == "code" for cell in nb.cells)
    steps = count(1)

    def executed(**_: Any) -> None:
        if progress:
            progress(next(steps), total)

    client = nbclient.NotebookClient(
        nb,
        kernel_manager_class=this_interpreter(),
        extra_arguments=QUIET,
        on_cell_executed=executed,
        resources={"metadata": {"path": str(notebook.resolve().parent)}},
    )
    try:
        client.execute()
    except nbclient.exceptions.CellExecutionError as error:
        failed = [any(o.output_type == "error" for o in c.get("outputs", [])) for c in nb.cells]
        nb.cells = nb.cells[: failed.index(True) + 1]
        said = " ".join(error.evalue.split()) or error.ename
        return nb, said if error.ename in SENTENCES else f"{error.ename}: {said}"
    return nb, ""


@contextmanager
def _without_iri() -> Iterator[None]:
    """Imports without the check of international addresses, whose grammars take 2 s to build."""
    known = sys.modules.get("rfc3987_syntax")
    sys.modules.setdefault("rfc3987_syntax", None)  # type: ignore[arg-type]  # "not installed"
    try:
        yield
    finally:
        if known is None:
            sys.modules.pop("rfc3987_syntax", None)


def this_interpreter() -> type:
    """A kernel manager that starts the running interpreter, whatever kernel a notebook names."""
    from jupyter_client import AsyncKernelManager
    from jupyter_client.kernelspec import KernelSpec

    paths = [str(Path(__file__).resolve().parents[3]), os.environ.get("PYTHONPATH", "")]
    environment = {"PYTHONPATH": os.pathsep.join(filter(None, paths)), "COSTMODEL_REPORT": "1"}

    class ThisInterpreter(AsyncKernelManager):
        @property
        def kernel_spec(self) -> KernelSpec:
            start = [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"]
            return KernelSpec(argv=start, language="python", display_name="Python", env=environment)

    return ThisInterpreter


def handed_over(nb: Any) -> tuple[dict[str, Any], str]:
    """Numbers and table that the notebook handed over with `results`."""
    numbers: dict[str, Any] = {}
    table = ""
    for cell in nb.cells:
        for output in cell.get("outputs", []):
            if content := output.get("data", {}).get(RESULTS_MIME):
                numbers |= content["numbers"]
                table = content.get("csv", table)
    return numbers, table
