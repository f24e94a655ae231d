"""The cockpit without code: `costmodel app` opens it in the browser, by Voila, offline."""

from __future__ import annotations

import json
import os
import socket
import subprocess
import sys
import tempfile
from html import escape
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from click import command, echo, option

from costmodel.core import check, public, temporary_folder
from costmodel.pages.values import Within

PAGE = "index.html.j2"
CELL = "from costmodel.pages.app import start\nstart()"
KERNEL = {"name": "python3", "display_name": "Python 3", "language": "python"}
QUIET = {"OPENBLAS_NUM_THREADS": "1"}  # small problems: threads would wait for each other
CARDS = {
    "Answer from documents": "A chat or a search over articles, manuals, contracts.",
    "Extract fields": "Numbers and names out of documents, or classes of texts.",
    "Help with code": "Suggestions, reviews, changes to a repository.",
    "I know my bill": "Start from pages, words, or what you pay today.",
}
LOOK = """<style>
.cm-start {display: flex; flex-wrap: wrap; gap: 12px; overflow: visible}
.cm-start button {width: 290px; height: 104px; white-space: pre-line; line-height: 1.45;
  text-align: left; padding: 10px 16px; font-size: 14px; border-top: 2px solid #0b5567}
.cm-start button::first-line {font-weight: 700; font-size: 15px}
.cm-open {font-size: 0 !important; width: 130px}
.cm-open::after {content: "Open files"; font-size: 14px}
body {margin: 0 auto; max-width: 1320px; padding: 0 12px}
</style>"""
WORDS = """<h1 style="font-size: 24px">What does your use of a language model cost?</h1>
<p>Choose what comes nearest. Every number can be changed afterwards.</p>"""


OPEN = """<p>Or open what you have: a scenario that was saved (YAML); or an export of your usage,
with bills and judged answers where you have them. Nothing leaves this machine.</p>"""
KNOWN = ".yaml,.yml,.csv,.json,.jsonl,.log,.txt,.gz,.zip,.parquet"


@public
def start() -> Any:
    """The first page of the app: four cards, then the cockpit of the one that is chosen.

    Returns
    -------
    widget
        For the last line of a cell.

    Examples
    --------
    >>> page = start()
    >>> [button.description.split("\\n")[0] for button in page.children[2].children][:2]
    ['Answer from documents', 'Extract fields']
    """
    import ipywidgets

    from costmodel.pages.widgets.controls import sentence
    from costmodel.pages.widgets.screen import cockpit
    from costmodel.pages.widgets.starts import GIVEN, kept_files, opened, starting

    look, words, more = map(ipywidgets.HTML, (LOOK, WORDS, OPEN))
    buttons = [ipywidgets.Button(description=f"{name}\n{told}") for name, told in CARDS.items()]
    cards, said = ipywidgets.HBox(buttons), ipywidgets.HTML()
    cards.add_class("cm-start")
    files = ipywidgets.FileUpload(accept=KNOWN, multiple=True, description="Open files").add_class(
        "cm-open"
    )
    first = [look, words, cards, more, files, said]
    page = ipywidgets.VBox(first)
    folder = tempfile.TemporaryDirectory(prefix="costmodel-")

    def show(study: Any, question: str, **given: Any) -> Any:
        again = ipywidgets.Button(description="Other start", icon="arrow-left")
        again.on_click(lambda _: setattr(page, "children", first))
        box = cockpit(study, question, **given)
        page.children = [look, again, box]
        return box

    def chosen(name: str) -> None:
        show(*starting(name), **GIVEN.get(name, {}))

    def given(change: dict[str, Any]) -> None:
        if not change["new"]:
            return
        said.value = "<p>reading …</p>"
        try:
            path, study, picks = opened(kept_files(change["new"], folder.name))
            if path is None:
                show(study, "own", **picks)
            else:
                show(study, "approach").panel.load(str(path))
            said.value = ""
        except Exception as error:  # whatever is wrong with a file, the reader must see it
            said.value = f'<p style="color: #b00020">{escape(sentence(error))}</p>'

    files.observe(given, "value")
    for name, button in zip(CARDS, buttons, strict=True):
        button.on_click(lambda _, name=name: chosen(name))
    return page


def _offline_template(folder: Path) -> None:
    """Voila's template without the links to a network, where Jupyter finds it."""
    from jupyter_core.paths import jupyter_path

    known = (Path(place) / "lab" / PAGE for place in jupyter_path("voila", "templates"))
    theirs = next(path for path in known if path.is_file())
    kept = [x for x in theirs.read_text(encoding="utf-8").splitlines() if "https://" not in x]
    ours = folder / "voila" / "templates" / "costmodel"
    ours.mkdir(parents=True)
    (ours / PAGE).write_text("\n".join(kept), encoding="utf-8")
    (ours / "conf.json").write_text('{"base_template": "lab"}', encoding="utf-8")
    paths = [str(folder), os.environ.get("JUPYTER_PATH", "")]
    os.environ["JUPYTER_PATH"] = os.pathsep.join(filter(None, paths))


@command()
@option(
    "--port",
    default=8866,
    show_default=True,
    type=Within(1, 65_535, whole=True),
    help="The port of the page.",
)
@option("--no-browser", is_flag=True, help="Print the address instead of opening it.")
def app(port: int, no_browser: bool) -> None:
    """Open the cockpit in the browser: no code, no network, files stay in this folder.

    It needs Voila: `pip install costmodel[app]`, or `make app` in a checkout.
    """
    check(
        find_spec("voila"),
        "the app needs Voila; write pip install 'costmodel[app]', or make app in a checkout",
    )
    check(
        _is_free(port),
        f"port {port} is taken, perhaps by another costmodel app; write --port {port % 65_535 + 1}",
    )
    cell = {"cell_type": "code", "id": "app", "metadata": {}, "source": CELL, "outputs": []}
    metadata = {"kernelspec": KERNEL, "title": "costmodel"}
    page = {"cells": [{**cell, "execution_count": None}], "metadata": metadata}
    with temporary_folder("app-") as folder:
        _offline_template(folder)
        path = folder / "costmodel.ipynb"
        path.write_text(json.dumps({**page, "nbformat": 4, "nbformat_minor": 5}), encoding="utf-8")
        sys.exit(_serve(path, port, no_browser))


def _is_free(port: int) -> bool:
    """Whether nobody answers on a port of this machine."""
    with socket.socket() as asked:
        return asked.connect_ex(("127.0.0.1", port)) != 0


def _serve(path: Path, port: int, no_browser: bool) -> int:
    """Run Voila on a page; where a process can become another one, the command becomes Voila."""
    folder = path.parent
    start_it = [sys.executable, "-m", "voila", str(path), f"--port={port}"]
    start_it += ["--Voila.ip=127.0.0.1", "--show_tracebacks=True", f"--Voila.root_dir={folder}"]
    start_it += ["--template=costmodel", "--Voila.log_level=ERROR"]
    start_it += ["--no-browser"] if no_browser else []
    roots = [str(Path(__file__).resolve().parents[2]), os.environ.get("PYTHONPATH", "")]
    os.environ.update(QUIET | {"PYTHONPATH": os.pathsep.join(filter(None, roots))})
    os.environ["COSTMODEL_FILES"] = os.getcwd()
    echo(f"http://127.0.0.1:{port}; end it with Ctrl+C")
    if os.name == "posix":  # whoever ends the command ends the server
        os.execv(sys.executable, start_it)  # the next start removes the folder of this one
    return subprocess.call(start_it)
