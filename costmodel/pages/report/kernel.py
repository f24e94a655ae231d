"""Running a notebook with the interpreter that is running now, and what the notebook hands over."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from itertools import count
from pathlib import Path
from time import perf_counter
from typing import Any

from costmodel.core import temporary_folder
from costmodel.pages.blocks import FOR_REPORT, NARROW_MIME, RESULTS_MIME

QUIET = ["--log-level=50", "--InlineBackend.figure_formats=svg"]  # figures are vectors
SENTENCES = ("CatalogError", "Infeasible", "ValueError", "ReportError")  # errors that explain all
KILLED = "its kernel was killed, perhaps for want of memory; ask for fewer draws"
THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")  # more of them only wait
GARBAGE = 50_000  # new objects, after which a kernel looks for those that nothing needs
Progress = Callable[[int, int], None]


# what comes before each notebook: nothing is left of the one before but what is imported
FRESH = f"""
import gc as _gc, os as _os, sys as _sys
_gc.set_threshold({GARBAGE})  # a search for cycles every 700 objects takes 7 % of a report
_os.chdir({{folder!r}})
if "matplotlib.pyplot" in _sys.modules:
    _sys.modules["matplotlib.pyplot"].close("all")
get_ipython().reset(new_session=True)
"""


class Kernel:
    """The running interpreter as a kernel, for one notebook after another; it ends with the block.

    A kernel belongs to the thread that uses it; any thread may stop it.
    """

    def __init__(self) -> None:
        self._client: Any = None
        self._stopped = False
        self._folder = ExitStack()  # of the file that says how to reach the kernel

    def __enter__(self) -> Kernel:
        return self

    def __exit__(self, *_: object) -> None:
        client, self._client = self._client, None
        if client is not None and client.km is not None and client.km.has_kernel:
            client._cleanup_kernel()
        self._folder.close()

    def stop(self) -> None:
        """End at once: the notebook that runs ends as one that is stopped by hand."""
        self._stopped = True
        km = getattr(self._client, "km", None)
        if km is not None and km.has_kernel:
            os.kill(km.provisioner.pid, getattr(signal, "SIGKILL", signal.SIGTERM))

    def execute(self, nb: Any, folder: Path, on_start: Any, on_executed: Any) -> None:
        """Execute the cells of a notebook in a folder.

        Raises what nbclient raises: CellExecutionError, and DeadKernelError, after which the next
        notebook gets another kernel; and KeyboardInterrupt where it was stopped.
        """
        from nbclient import NotebookClient
        from nbclient.exceptions import DeadKernelError
        from nbformat.v4 import new_code_cell

        if self._stopped:
            raise KeyboardInterrupt
        if self._client is None:
            manager = this_interpreter(self._folder.enter_context(temporary_folder("kernel-")))
            self._client = NotebookClient(nb, kernel_manager_class=manager, extra_arguments=QUIET)
        client, first = self._client, new_code_cell(FRESH.format(folder=str(folder)))
        client.resources["metadata"] = {"path": str(folder)}
        client.on_cell_start, client.on_cell_executed = on_start, on_executed
        nb.cells.insert(0, first)
        client.nb = nb
        try:
            with _same_handlers():
                client.execute(cleanup_kc=False)
        except DeadKernelError:
            # nbclient answers a signal by ending the kernel, and keeps that
            stopped = self._stopped or hasattr(client, "_async_cleanup_kernel_future")
            self.__exit__()
            if stopped:
                raise KeyboardInterrupt from None
            raise
        finally:
            nb.cells.remove(first)


@contextmanager
def _same_handlers() -> Iterator[None]:
    """Signals are answered afterwards as before: nbclient takes its handlers away, and ours."""
    ours = {number: signal.getsignal(number) for number in (signal.SIGINT, signal.SIGTERM)}
    try:
        yield
    finally:
        if threading.current_thread() is threading.main_thread():
            for number, handler in ours.items():
                signal.signal(number, handler)


def execute(
    notebook: Path,
    parameters: Mapping[str, Any],
    progress: Progress | None,
    kernel: Kernel | None = None,
) -> tuple[Any, str, dict[str, float]]:
    """The executed notebook, cut off at an error, the sentence of that error or "", and the seconds
    that the start of the kernel, the cells, and the figures in them took.

    Cells with widgets are left out: nobody moves them in a report. Without a kernel that is kept it
    starts one, and ends it.
    """
    if kernel is None:
        with Kernel() as own:
            return execute(notebook, parameters, progress, own)
    begun = perf_counter()
    with _without_iri():
        from nbclient.exceptions import CellExecutionError, DeadKernelError
        from papermill.iorw import load_notebook_node
        from papermill.parameterize import parameterize_notebook

    nb = load_notebook_node(str(notebook))
    nb.cells = [cell for cell in nb.cells if "widgets" not in cell.metadata.get("tags", ())]
    if parameters:  # by papermill's own hand, but without its guess of what the notebook declares
        nb = parameterize_notebook(nb, dict(parameters), kernel_name="python3", language="python")
    total = sum(cell.cell_type == "code" for cell in nb.cells)
    started: list[float] = []
    steps = count()  # the cell that is executed first is none of the notebook

    def start(**_: Any) -> None:
        started.append(perf_counter())

    def executed(**_: Any) -> None:
        if (done := next(steps)) and progress:
            progress(done, total)

    def took() -> dict[str, float]:
        now = perf_counter()
        first = started[0] if started else now
        return {"kernel start": first - begun, "cells": now - first, "figures": _drawing_s(nb)}

    try:
        kernel.execute(nb, notebook.resolve().parent, start, executed)
    except CellExecutionError as error:
        failed = [any(o.output_type == "error" for o in c.get("outputs", [])) for c in nb.cells]
        nb.cells = nb.cells[: failed.index(True) + 1]
        said = " ".join(error.evalue.split()) or error.ename
        return nb, said if error.ename in SENTENCES else f"{error.ename}: {said}", took()
    except DeadKernelError:
        return nb, KILLED, took()
    return nb, "", took()


def _drawing_s(nb: Any) -> float:
    """Seconds that our figures took to draw."""
    outputs = (output for cell in nb.cells for output in cell.get("outputs", ()))
    return sum(output.get("metadata", {}).get(NARROW_MIME, 0.0) for output in outputs)


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


def this_interpreter(folder: Path) -> type:
    """A kernel manager that starts the running interpreter, whatever kernel a notebook names.

    The file that says how to reach the kernel lies in the folder.
    """
    from jupyter_client import AsyncKernelManager
    from jupyter_client.kernelspec import KernelSpec

    paths = [str(Path(__file__).resolve().parents[3]), os.environ.get("PYTHONPATH", "")]
    environment = {"PYTHONPATH": os.pathsep.join(filter(None, paths)), FOR_REPORT: "1"}
    environment |= {name: os.environ.get(name, "1") for name in THREADS}

    class ThisInterpreter(AsyncKernelManager):
        def __init__(self, **given: Any) -> None:
            super().__init__(**given)
            self.connection_file = str(folder / "kernel.json")

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
