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


def file_name(form: str, stem: str) -> str:
    """The name of a file in one of the FORMS.

    >>> file_name("focus", "mine")
    'mine.focus.csv'
    """
    return f"{stem}.{FORMS[form][1]}"


def export_as(form: str, study: Study, path: Path) -> Path:
    """Write a study in one of the FORMS, and say where; its writer is imported when it is asked."""
    from costmodel.pages import report

    return getattr(report, FORMS[form][0])(study, path=path)
