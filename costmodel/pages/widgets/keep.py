"""What a cockpit keeps: files beside the running page, offered for download, and its report."""

from __future__ import annotations

import base64
import html
import os
from itertools import chain, count
from pathlib import Path

from costmodel.choices.study import Study
from costmodel.core import listed, write
from costmodel.pages.forms import export_as, file_name
from costmodel.pages.widgets.notebooks import QUESTIONS
from costmodel.pages.widgets.remembered import written
from costmodel.pages.widgets.state import Asked
from costmodel.scenarios.scenario import notebooks_folder

FOLDER = "COSTMODEL_FILES"  # where the app writes files
KINDS = {".png": "image/png", ".pdf": "application/pdf", ".html": "text/html"}


def folder() -> Path:
    """Where files are written: beside the running page, or where the app says."""
    return Path(os.environ.get(FOLDER, ".")).resolve()


def place_of(name: str, content: bytes | None = None) -> Path:
    """Where a file or folder of that name is written: nothing is written over but the same."""
    first, dot, ending = name.partition(".")
    names = chain([name], (f"{first}_{number}{dot}{ending}" for number in count(2)))
    places = map(folder().joinpath, names)
    return next(x for x in places if not x.exists() or (x.is_file() and x.read_bytes() == content))


def kept(name: str, content: bytes) -> str:
    """Write a file beside the running page, and offer it for download."""
    return offered(write(place_of(name, content), content), content)


def offered(path: Path, content: bytes) -> str:
    """Where a file is, and a link to take it."""
    data = base64.b64encode(content).decode()
    kind = KINDS.get(path.suffix, "text/plain")
    link = f'<a download="{path.name}" href="data:{kind};base64,{data}">download {path.name}</a>'
    return f"saved as {html.escape(str(path))}; {link}"


EXPORTS = {"Excel": "excel", "FOCUS": "focus", "JSON": "json", "Page": "html"}  # button: form


def exported(button: str, study: Study, stem: str) -> str:
    """Write the study in the form of a button of EXPORTS, and offer it for download."""
    form = EXPORTS[button]
    path = export_as(form, study, place_of(file_name(form, stem)))
    return offered(path, path.read_bytes())


def report(asked: Asked, stem: str) -> str:
    """Write the report of this question with the present values, and say where it is."""
    from costmodel.pages.report.runner import run  # Jupyter is started when a report is

    left = asked.not_reported()
    if left and asked.question.general:
        asked, left = Asked(asked.now(), QUESTIONS["approach"]), []
    question, given, place = asked.question, asked.parameters(), place_of(f"report_{stem}")
    if question.scenario:
        text = written(asked).encode()
        given["scenario"] = str(write(place / f"{stem}.yaml", text))
    made = run(notebooks_folder() / f"{question.notebook}.ipynb", place, **given)
    said = "; ".join(offered(path, path.read_bytes()) for path in made.files.values())
    left = [html.escape(word) for word in left]
    return said + (f"; what you changed of {listed(left)} is not in it" if left else "")
