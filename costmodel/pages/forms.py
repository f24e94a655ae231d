"""The forms in which a study leaves: the writer of each, and how its file ends."""

from __future__ import annotations

from pathlib import Path

from costmodel.choices.study import Study

FORMS = {  # name: (writer in cm.report, ending)
    "excel": ("excel", "xlsx"),
    "focus": ("focus", "focus.csv"),
    "json": ("as_json", "json"),
    "html": ("interactive", "html"),
}


def export_as(form: str, study: Study, folder: Path, name: str) -> Path:
    """Write a study in one of the FORMS, and say where; its writer is imported when it is asked."""
    from costmodel.pages import report

    writer, ending = FORMS[form]
    return getattr(report, writer)(study, path=folder / f"{name}.{ending}")
