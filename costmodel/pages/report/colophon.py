"""How a report was made: versions, prices, every parameter, and the command that makes it again."""

from __future__ import annotations

import datetime
import json
import shlex
import sys
from collections.abc import Mapping
from contextlib import suppress
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from costmodel.choices.study import Study
from costmodel.core.ranges import Doubt
from costmodel.core.words import Currency, number_text
from costmodel.pages.blocks import USD
from costmodel.pages.report import pack
from costmodel.pages.report.html import UNTOUCHED, Meta
from costmodel.pages.report.parameters import Parameter
from costmodel.scenarios.scenario import notebooks_folder


def made_by(
    notebook: Path,
    known: Mapping[str, Parameter],
    given: Mapping[str, Any],
    case: Study | None,
    today: datetime.date,
    on: str,
    numbers: Mapping[str, Any],
    show_code: bool,
    failure: str,
) -> Meta:
    """What a report says of itself; `on` is the day of its prices, `failure` what stopped it."""
    values = {name: given.get(name, parameter.default) for name, parameter in known.items()}
    own = _version("costmodel")
    priced = "on" in known
    facts = [("costmodel", own)]
    if priced:
        facts += [("prices", f"genai-prices {_version('genai-prices')}"), ("prices on", on)]
    seed = numbers.get("seed") if values.get("seed") is None else values["seed"]
    if seed is not None:
        facts.append(("seed", str(seed)))
    facts += [("Python", ".".join(map(str, sys.version_info[:3]))), ("made on", today.isoformat())]
    audience = values.get("prepared_for") or numbers.get("prepared_for")
    byline = [f"Prepared for {audience}"] if audience else []
    byline += [f"{today.day} {today:%B %Y}", *([f"prices of {on}"] if priced else [])]
    currency = USD
    with suppress(ValueError):  # a notebook of somebody else may mean another thing
        currency = Currency.parse(values.get("currency") or _stated(case, "currency")[0] or "USD")
    if currency != USD:
        byline.append(
            f"{currency.code} at {currency.per_usd:g} per USD of {currency.rate_date}; "
            "what is marked USD is in US dollars"
        )
    rows = []
    for name, parameter in known.items():
        value, origin = values[name], UNTOUCHED
        if value is None:
            value, origin = _stated(case, name)
        changed = name in given and given[name] != parameter.default
        rows.append((name, _shown(value), parameter.help, "you" if changed else origin))
    again = dict(given) | ({"on": on} if priced else {})
    midnight = datetime.datetime.combine(today, datetime.time(), datetime.UTC)
    return Meta(
        title=str(values.get("title") or ""),
        byline=" · ".join(byline),
        incomplete=failure,
        facts=tuple(facts),
        parameters=tuple(rows),
        command=_command(notebook, again),
        local=not is_ours(notebook) or any(map(is_file, given.values())),
        show_code=show_code,
        version=own,
        folder=notebook.resolve().parent,
        timestamp=int(midnight.timestamp()),
    )


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return "from source"


def _shown(value: Any) -> str:
    if isinstance(value, Doubt):
        return number_text(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return f"{value:,}" if abs(value) >= 10_000 else f"{value:g}"
    return "not set" if value in (None, "") else str(value)


def _command(notebook: Path, parameters: Mapping[str, Any]) -> str:
    """The line that makes the same report again.

    It works from any folder; a notebook or a file of your own is named as seen from the present
    one.
    """
    path = notebook.resolve()
    if is_ours(notebook):
        path = Path(path.stem)
    elif path.is_relative_to(Path.cwd()):
        path = path.relative_to(Path.cwd())
    words = ["costmodel", "report", path.as_posix()]
    for name, value in parameters.items():
        nested = isinstance(value, (list, dict))
        words += [
            "-p",
            name,
            "none" if value is None else json.dumps(value) if nested else str(value),
        ]
    return shlex.join(words)


def _stated(case: Study | None, name: str) -> tuple[Any, str]:
    """The value of a parameter that is left open, and who set it: the scenario, or nobody."""
    if case is None:
        return None, UNTOUCHED
    if name == "corpus_tokens":
        return case.work.corpus and case.work.corpus.tokens, "the scenario"
    for thing in (case.work, case.terms, case):
        if known := thing.__dataclass_fields__.get(name):
            value = getattr(thing, name)
            return value, UNTOUCHED if value in (known.default, "") else "the scenario"
    return None, UNTOUCHED


def is_ours(notebook: Path) -> bool:
    """Whether it is one of the package's notebooks, or the board pack made of them."""
    folder = notebook.resolve().parent
    return folder == notebooks_folder().resolve() or folder.name.startswith(pack.FOLDER)


def is_file(value: Any) -> bool:
    return (
        isinstance(value, str)
        and Path(value).suffix in (".yaml", ".yml", ".csv")
        and Path(value).is_file()
    )
