"""A study as JSON: its answer, its numbers, and the scenario and the data that make them again."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from costmodel.choices.study import Study, analysis
from costmodel.core import CatalogError, check, number_text, write
from costmodel.decisions.verdict import recommend
from costmodel.facts.pricelist import LIST, snapshot
from costmodel.ledgers.book import ledger
from costmodel.ledgers.register import inputs_of
from costmodel.pages.blocks import for_json
from costmodel.pages.report.colophon import own_version
from costmodel.scenarios.scenario import load

FORMAT = 1
CENT = 0.01
UNTITLED = "Cost of the options"


@analysis
def as_json(study: Study, path: str | Path) -> Path:
    """Write the answer and the numbers of a study as JSON.

    Parameters
    ----------
    study : Study, or options with a workload
        What is written.
    path : str or Path
        The file: `stamp` (version, price list, draws and seed), `scenario`, the study as YAML,
        `verdict`, `options` (the rows of `compare`), `ledger` (its rows) and `inputs` (key, low,
        middle, high). `scenario` is null where a file cannot say the study, and `note` says why.

    Returns
    -------
    Path
        The file.

    Examples
    --------
    >>> import tempfile
    >>> import costmodel as cm
    >>> work = cm.Workload(1e5, input_tokens=900, output_tokens=250)
    >>> option = cm.Option(cm.Api("gpt-4o", on="2026-11-01"))
    >>> path = Path(tempfile.mkdtemp()) / "mine.json"
    >>> found = json.loads(as_json({"API": option}, work, path=path, draws=50).read_text())
    >>> found["stamp"]["draws"], [row["option"] for row in found["options"]]
    (50, ['API'])
    """
    from costmodel.scenarios.writing import as_yaml  # YAML is read when a file is

    told, original = recommend(study, flips=False), study.before or study
    scenario, note = None, ""
    try:
        scenario = as_yaml(original.changed(title=original.title or UNTITLED))
    except CatalogError as error:
        note = str(error)
    content = {
        "format": FORMAT,
        "stamp": _stamp(study),
        "title": study.title,
        "currency": "USD",
        "verdict": {"best": told.best, "headline": told.headline, "points": told.points},
        "options": told.table.reset_index().to_dict("records"),
        "ledger": ledger(study).to_dict("records"),
        "inputs": inputs_of(study)[["input", "low", "mid", "high", "unit"]].to_dict("records"),
        "scenario": scenario,
        "note": note,
    }
    text = json.dumps(for_json(content), indent=1, ensure_ascii=False)
    write(path, text + "\n")
    return Path(path)


def _stamp(study: Study) -> dict[str, Any]:
    """What makes the numbers again, beside the scenario."""
    stamp = {"costmodel": own_version(), "prices": LIST, "price_list": snapshot()}
    return stamp | {"draws": study.draws, "seed": study.seed, "on": study.terms.on}


def read_results(path: str | Path) -> dict[str, Any]:
    """What `as_json` wrote, with its scenario."""
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except ValueError:
        found = {}
    known = isinstance(found, dict) and found.get("scenario")
    check(known, f"{path} holds no scenario; write one that `costmodel export --json` made")
    return found


def made_again(path: str | Path) -> list[str]:
    """Compute stored results again: nothing where all totals are the same to the cent, else why
    not.

    A line for each total that moved, each part of the stamp and each input that differs.
    """
    stored = read_results(path)
    study = load(stored["scenario"])
    table = recommend(study, flips=False).table
    said = []
    for row in stored["options"]:
        for name in ("expected", "base_case"):
            was, now = row[name], table[name].get(row["option"], float("nan"))
            if was is None and now != now:
                continue
            if was is None or not abs(was - now) < CENT:
                shown = "not there" if was is None else f"{was:,.2f}"
                said.append(f"{row['option']}: {name} was USD {shown}, is {now:,.2f}")
    if not said:
        return []
    stamp = _stamp(study)
    for name, was in stored["stamp"].items():
        if stamp.get(name) != was:
            said.append(f"{name} was {was}, is {stamp.get(name)}")
    rows = for_json(inputs_of(study).to_dict("records"))
    here, there = _by_key(rows), _by_key(stored["inputs"])
    for key in {**there, **here}:
        if here.get(key) != there.get(key):
            said.append(f"{key} was {_shown(there.get(key))}, is {_shown(here.get(key))}")
    return said


def _by_key(rows: list[dict[str, Any]]) -> dict[str, set[tuple[float, ...]]]:
    """{input: (low, middle, high) of each of its values}."""
    found: dict[str, set[tuple[float, ...]]] = {}
    for row in rows:
        found.setdefault(row["input"], set()).add((row["low"], row["mid"], row["high"]))
    return found


def _shown(values: set[tuple[float, ...]] | None) -> str:
    if not values:
        return "not there"
    return " and ".join("/".join(map(number_text, ends)) for ends in sorted(values))
