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
from costmodel.pages.widgets.questions import Question
from costmodel.pages.widgets.state import Asked
from costmodel.scenarios.scenario import notebooks_folder, save

FOLDER = "COSTMODEL_FILES"  # where the app writes files
_OURS: set[Path] = set()  # what this process wrote, and may write again


def folder() -> Path:
    """Where files are written: beside the running page, or where the app says."""
    return Path(os.environ.get(FOLDER, ".")).resolve()


def place_of(name: str) -> Path:
    """Where a file of that name is written: a file that somebody else wrote stays as it is."""
    first, dot, ending = name.partition(".")
    names = chain([name], (f"{first}_{number}{dot}{ending}" for number in count(2)))
    places = map(folder().joinpath, names)
    place = next(x for x in places if x in _OURS or not x.exists())
    _OURS.add(place)
    return place


def kept(name: str, content: bytes) -> str:
    """Write a file beside the running page, and offer it for download."""
    return offered(write(place_of(name), content), content)


def offered(path: Path, content: bytes) -> str:
    """Where a file is, and a link to take it."""
    data = base64.b64encode(content).decode()
    kind = "image/png" if path.name.endswith("png") else "text/plain"
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
        asked, left = Asked(asked.now(), Question(asked.question.title)), []
    question, given = asked.question, asked.parameters()
    if question.scenario:
        given["scenario"] = str(save(asked.scenario, place_of(f"{stem}.yaml")))
    notebook = notebooks_folder() / f"{question.notebook}.ipynb"
    made = run(notebook, folder() / "reports", **given)
    said = f"written: {html.escape(', '.join(map(str, made.files.values())))}"
    left = [html.escape(word) for word in left]
    return said + (f"; what you changed of {listed(left)} is not in it" if left else "")
