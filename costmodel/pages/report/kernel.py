"""Running a notebook: papermill on the interpreter that is running now, and what the notebook hands
over.
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from costmodel.pages.blocks import RESULTS_MIME

QUIET = ["--log-level=50", "--InlineBackend.figure_formats=svg"]  # figures are vectors
PLAIN_ERRORS = {
    "CatalogError",
    "Infeasible",
    "ValueError",
    "ReportError",
}  # their message is a sentence
Progress = Callable[[int, int], None]


def execute(
    notebook: Path, parameters: Mapping[str, Any], progress: Progress | None
) -> tuple[Any, str]:
    """The executed notebook, cut off at an error, and the sentence of that error or ""."""
    import nbformat
    import papermill
    from papermill.iorw import load_notebook_node
    from papermill.parameterize import parameterize_notebook

    nb = load_notebook_node(str(notebook))
    if parameters:  # by papermill's own hand, but without its guess of what the notebook declares
        nb = parameterize_notebook(nb, dict(parameters), kernel_name="python3", language="python")
    total = sum(cell.cell_type == "code" for cell in nb.cells)
    done = 0

    def executed(**_: Any) -> None:
        nonlocal done
        done += 1
        if progress:
            progress(min(done, total), total)

    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "executed.ipynb")
        ready = Path(folder, "ready.ipynb")
        nbformat.write(nb, ready)
        try:
            papermill.execute_notebook(
                str(ready),
                str(path),
                kernel_name="python3",
                language="python",
                progress_bar=False,
                request_save_on_cell_execute=False,
                extra_arguments=QUIET,
                kernel_manager_class=this_interpreter(),
                on_cell_executed=executed,
                resources={"metadata": {"path": str(notebook.resolve().parent)}},
            )
        except papermill.PapermillExecutionError as error:
            nb = nbformat.read(path, as_version=4)
            failed = [
                any(o.output_type == "error" for o in cell.get("outputs", [])) for cell in nb.cells
            ]
            nb.cells = nb.cells[: failed.index(True) + 1]
            said = " ".join(str(error.evalue).split()) or error.ename
            return nb, said if error.ename in PLAIN_ERRORS else f"{error.ename}: {said}"
        return nbformat.read(path, as_version=4), ""


def this_interpreter() -> type:
    """A kernel manager that starts the running interpreter, whatever kernel a notebook names."""
    from jupyter_client import AsyncKernelManager
    from jupyter_client.kernelspec import KernelSpec

    package = str(Path(__file__).resolve().parents[3])
    inherited = [p for p in os.environ.get("PYTHONPATH", "").split(os.pathsep) if p]
    environment = {"PYTHONPATH": os.pathsep.join([package, *inherited])}

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
            content = output.get("data", {}).get(RESULTS_MIME)
            if content:
                numbers.update(content["numbers"])
                table = content.get("csv", table)
    return numbers, table
