"""What a cockpit keeps: files beside the running page, offered for download, and its report."""

from __future__ import annotations

import base64
import html
import os
from pathlib import Path
from typing import Any

from costmodel.choices.study import Study
from costmodel.core import write
from costmodel.pages.forms import export_as
from costmodel.pages.widgets.notebooks import QUESTIONS, USUAL_ROLE
from costmodel.pages.widgets.state import Asked
from costmodel.scenarios.scenario import notebooks_folder, save
from costmodel.studies.memo import PEOPLE, TODAY

FOLDER = "COSTMODEL_FILES"  # where the app writes files
NOTEBOOKS = {
    "hosting": "02_api_or_own_gpus",
    "tuning": "03_prompt_cache_tune_or_distil",
    "case": "05_business_case",
    "measure": "06_what_matters",
    "alive": "07_keep_it_alive",
}


def place_of(name: str) -> Path:
    """Where a file of that name is written."""
    return (Path(os.environ.get(FOLDER, ".")) / name).resolve()


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
    path = export_as(EXPORTS[button], study, place_of(""), stem)
    return offered(path, path.read_bytes())


def report(asked: Asked, study: Study, stem: str) -> str:
    """Write the report of this question with the present values, and say where it is."""
    from costmodel.pages.report.runner import run  # Jupyter is started when a report is

    named = next((name for name, one in QUESTIONS.items() if one == asked.question), "")
    notebook, given, left = NOTEBOOKS.get(named, "01_which_approach"), {}, ""
    if named == "quick":
        notebook, given = "00_quick_answer", _quick(asked.given(), study)
        if any(key not in given and not key.endswith(".months") for key in asked.values):
            left = "; what you changed under More inputs is not in it"
    else:
        given = {"scenario": str(save(study, place_of(f"{stem}.yaml")))}
        if named == "case":
            given |= _case(asked.given())
    made = run(notebooks_folder() / f"{notebook}.ipynb", place_of("reports"), **given)
    return f"written: {html.escape(', '.join(map(str, made.files.values())))}{left}"


def _case(given: dict[str, Any]) -> dict[str, Any]:
    """The parameters of the notebook of the business case."""
    names = ["baseline", "tax_rate"]
    names += {PEOPLE: ["minutes_per_request", "role"], TODAY: ["usd_per_month_today"]}.get(
        given["baseline"], []
    )
    found = {name: given[name] for name in names if given[name]}
    if given["baseline"] == PEOPLE:
        found.setdefault("role", USUAL_ROLE)
    realised = given["realised"]
    return found | {"realised_low": realised.low, "realised_high": realised.high}


def _quick(given: dict[str, Any], study: Study) -> dict[str, Any]:
    """The parameters of the notebook of the quick answer."""
    pages, bill = given["pages_in"], given["usd_per_month"]
    read = {"pages_in": pages} if pages else {"words_in": given["words_in"]}
    often = {"usd_per_month": bill} if bill else {"requests_per_day": given["requests_per_day"]}
    named = {x: given[x] for x in ("use_case", "model", "task") if given[x]}
    day = {"on": str(study.terms.on)} if study.terms.on else {}
    rest = {"months": study.terms.months, "draws": study.draws, "seed": study.seed}
    return {**named, **often, **read, **rest, **day, "words_out": given["words_out"]}
