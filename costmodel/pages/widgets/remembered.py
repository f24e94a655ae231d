"""What a saved scenario remembers of its cockpit: the picks and numbers that no study holds.

A bill, pages and words make a study and are not in it; nor are a baseline, or what keeps an option
alive. They stand in a comment at the end of the file, so that every page reads the rest as before.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from costmodel.choices.study import Study
from costmodel.core import Range
from costmodel.pages.widgets.notebooks import QUESTIONS
from costmodel.pages.widgets.state import Asked

MARK = "# cockpit: "
USUAL = "approach"  # the question of a file without such a line


def noted(asked: Asked) -> str:
    """The line at the end of a saved scenario; empty where the study says everything.

    >>> import costmodel as cm
    >>> study = cm.load("support_assistant")
    >>> noted(Asked(study, QUESTIONS["approach"]))
    ''
    >>> noted(Asked(study, QUESTIONS["case"], {"tax_rate": 0.2}, {"baseline": "people"}))
    '# cockpit: {"question": "case", "picks": {"baseline": "people"}, "values": {"tax_rate": 0.2}}'
    """
    name = next(name for name, question in QUESTIONS.items() if question == asked.question)
    if not asked.question.remembered:
        return "" if name == USUAL else MARK + json.dumps({"question": name})
    plain = {x: y for x, y in asked.picks.items() if y is None or isinstance(y, (str, float, int))}
    values = {key: _written(value) for key, value in asked.values.items()}
    told = {"question": name, "picks": plain, "values": values}
    if asked.shown is not None:
        told["shown"] = list(asked.shown)
    return MARK + json.dumps(told)


def written(asked: Asked) -> str:
    """The file that a cockpit saves."""
    from costmodel.scenarios.writing import as_yaml  # YAML is read when a file is

    return as_yaml(asked.scenario) + noted(asked)


def remembered(text: str, study: Study, now: Asked) -> Asked | None:
    """What a saved scenario asked, where its text has the line of `noted`."""
    line = next((x for x in reversed(text.splitlines()) if x.startswith(MARK)), None)
    if line is None:
        return None
    try:
        told = json.loads(line.removeprefix(MARK))
        question = QUESTIONS[told["question"]]
        beside = now.picks if now.question == question else {}
        picks = question.start(study, **{**beside, **told.get("picks", {})})
        values = {key: _read(value) for key, value in told.get("values", {}).items()}
        shown = tuple(told["shown"]) if "shown" in told else None
    except (ValueError, KeyError, TypeError, AttributeError):
        said = f"its line {MARK.strip()!r} is not as a cockpit writes it; leave it out"
        raise ValueError(said) from None
    if "label" in picks and picks["label"] not in study.options:
        picks["label"] = next(iter(study.options))
    return replace(now, study=study, question=question, values=values, picks=picks, shown=shown)


def _written(value: Any) -> Any:
    return [value.low, value.mid, value.high] if isinstance(value, Range) else value


def _read(value: Any) -> Any:
    return Range(value[0], value[2], value[1]) if isinstance(value, list) else value
