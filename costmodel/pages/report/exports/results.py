"""A study as JSON: its answer, its numbers, and the scenario and the data that make them again.

The results beside a report hold scenario and data too, so that both are computed again here.
"""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterator
from contextlib import nullcontext
from pathlib import Path
from typing import Any

from costmodel.choices.study import Study, analysis
from costmodel.core import CatalogError, check, in_words, number_text, temporary_folder, write
from costmodel.decisions.verdict import recommend
from costmodel.facts.pricelist import LIST, dated_list
from costmodel.ledgers.book import ledger
from costmodel.ledgers.register import inputs_of
from costmodel.pages.blocks import for_json
from costmodel.pages.commands import find_notebook
from costmodel.pages.report.colophon import is_ours, own_version
from costmodel.pages.report.kernel import execute, handed_over
from costmodel.pages.report.pack import NAME, stitched
from costmodel.pages.report.parameters import schema, validate
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
    told = recommend(study, flips=False)
    content = {
        "format": FORMAT,
        "title": study.title,
        "currency": "USD",
        "verdict": {"best": told.best, "headline": told.headline, "points": told.points},
        "options": told.table.reset_index().to_dict("records"),
        "ledger": ledger(study).to_dict("records"),
        **source_of(study),
    }
    text = json.dumps(for_json(content), indent=1, ensure_ascii=False)
    write(path, text + "\n")
    return Path(path)


def source_of(study: Study) -> dict[str, Any]:
    """What makes the numbers of a study again, and says what changed: scenario, stamp, inputs."""
    from costmodel.scenarios.writing import as_yaml  # YAML is read when a file is

    scenario, note, original = None, "", study.before or study
    try:
        scenario = as_yaml(original.changed(title=original.title or UNTITLED))
    except CatalogError as error:
        note = str(error)
    rows = inputs_of(study)[["input", "low", "mid", "high", "unit"]].to_dict("records")
    return for_json({"stamp": _stamp(study), "inputs": rows, "scenario": scenario, "note": note})


def stamp_of_the_program() -> dict[str, Any]:
    """What makes the numbers of a report again that rests on no scenario."""
    return {"costmodel": own_version(), "prices": LIST, "price_list": dated_list()}


def _stamp(study: Study) -> dict[str, Any]:
    """What makes the numbers again, beside the scenario."""
    drawn = {"draws": study.draws, "seed": study.seed, "on": study.terms.on}
    return stamp_of_the_program() | drawn


def scenario_of(path: str | Path) -> str:
    """The scenario that `as_json` or a report wrote."""
    found = _read(path)
    check("scenario" in found, f"the report of {path} rests on no scenario; write a scenario")
    return found["scenario"]


def _read(path: str | Path) -> dict[str, Any]:
    """What `as_json` or a report wrote, with its scenario where it rests on one."""
    check(Path(path).is_file(), f"{path} is no file; write one that `costmodel export --json` made")
    try:
        found = json.loads(Path(path).read_text(encoding="utf-8"))
    except (ValueError, RecursionError):
        found = {}
    found = found if isinstance(found, dict) else {}
    place = "scenario" if "scenario" in found else "command"
    known = isinstance(found.get(place), str)
    check(known, f"{path} holds no results; write a file that `costmodel export --json` made")
    return found


def made_again(path: str | Path) -> list[str]:
    """Compute stored results again: nothing where all numbers are the same to the cent, else why
    not.

    A line for each number that moved, each part of the stamp and each input that differs.
    """
    stored = _read(path)
    whole, alone = isinstance(stored.get("stamp"), dict), "scenario" not in stored
    whole = whole and (alone or _rows(stored, "inputs", "input low mid high"))
    if "command" in stored:
        whole = whole and isinstance(stored.get("numbers"), dict)
    else:
        whole = whole and _rows(stored, "options", "option expected base_case")
    check(whole, f"{path} is not whole; write a file that `costmodel export --json` made")
    study = None if alone else load(stored["scenario"])
    if study is None or "command" in stored:
        pairs = [("", stored["numbers"], _numbers_again(stored))]
    else:
        table = for_json(recommend(study, flips=False).table.to_dict("index"))
        there = {str(row["option"]): row for row in stored["options"]}
        pairs = [
            (f"{label}: {name}", there.get(label, {}).get(name), table.get(label, {}).get(name))
            for label in {**there, **table}
            for name in ("expected", "base_case")
        ]
    moved = [line for pair in pairs for line in _moved(*pair)]
    if not moved:
        return []
    said = [*moved]
    stamp = stamp_of_the_program() if study is None else _stamp(study)
    for name, was in stored["stamp"].items():
        if stamp.get(name) != was:
            said.append(f"{name} was {was}, is {stamp.get(name)}")
    rows = [] if study is None else for_json(inputs_of(study).to_dict("records"))
    here, there = _by_key(rows), _by_key(stored.get("inputs", []))
    for key in {**there, **here}:
        if here.get(key) != there.get(key):
            said.append(f"{key} was {_shown(there.get(key))}, is {_shown(here.get(key))}")
    if said == moved:
        said.append("stamp and inputs are the same: the program or the file has changed")
    return said


def _rows(stored: dict[str, Any], name: str, columns: str) -> bool:
    """Whether a list of rows is there, each with these columns."""
    rows, needed = stored.get(name), set(columns.split())
    return isinstance(rows, list) and all(isinstance(x, dict) and needed <= {*x} for x in rows)


def _numbers_again(stored: dict[str, Any]) -> dict[str, Any]:
    """What the notebook of a report hands over today, for the same scenario and parameters."""
    try:  # costmodel report NAME -p KEY VALUE ...
        _, _, name, *words = shlex.split(stored["command"])
        given = dict(zip(words[1::3], words[2::3], strict=True))
    except (ValueError, AttributeError):
        raise ValueError("its command is no `costmodel report`; write the report again") from None
    check(  # a file of numbers never says what code runs here
        name == NAME or is_ours(path := find_notebook(name)),
        f"its notebook {in_words(name)} is none of the package; run it with costmodel report",
    )
    pack = stitched() if name == NAME else nullcontext(path)
    with pack as notebook, temporary_folder("rerun-") as folder:
        if "scenario" in stored:
            write(folder / "scenario.yaml", stored["scenario"])
            given["scenario"] = str(folder / "scenario.yaml")
        clean = validate(schema(notebook), given, notebook.name)
        nb, failure, _ = execute(notebook, clean, None)
    check(not failure, f"{name} stopped: {failure}")
    return handed_over(nb)[0]


def _moved(name: str, was: Any, now: Any) -> Iterator[str]:
    """A line for each number inside a value that is another one now, by a cent or more."""
    if isinstance(was, dict) and isinstance(now, dict):
        for key in {**was, **now}:
            yield from _moved(f"{name}.{key}".lstrip("."), was.get(key), now.get(key))
    elif isinstance(was, list) and isinstance(now, list) and len(was) == len(now):
        for i, pair in enumerate(zip(was, now, strict=True)):
            yield from _moved(f"{name}[{i}]", *pair)
    elif isinstance(was, float) and isinstance(now, (int, float)):
        if not abs(was - now) < CENT:
            yield f"{name} was {was:,.2f}, is {now:,.2f}"
    elif was != now:
        yield f"{name} was {was}, is {now}"


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
