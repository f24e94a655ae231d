"""How a report was made: versions, prices, every parameter, and the command that makes it again."""

from __future__ import annotations

import calendar
import json
import platform
import re
import shlex
from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from costmodel.choices.study import Study
from costmodel.core import USD, Currency, Doubt, number_text, today
from costmodel.facts.pricelist import PRICES_VERSION
from costmodel.pages.report import pack
from costmodel.pages.report.html import UNTOUCHED, Meta
from costmodel.pages.report.parameters import Parameter
from costmodel.scenarios.scenario import notebooks_folder


def own_version() -> str:
    """The version of the package that is installed."""
    with suppress(PackageNotFoundError):
        return version("costmodel")
    return "from source"


@dataclass(frozen=True)
class Run:
    """One run of a notebook: what it declares, what it was given, and what came of it."""

    notebook: Path
    known: Mapping[str, Parameter]
    given: Mapping[str, Any]
    case: Study | None  # the study that one of our notebooks loads
    numbers: Mapping[str, Any]  # what the notebook handed over
    failure: str = ""  # what stopped it
    day: date = field(default_factory=today)

    def value(self, name: str) -> Any:
        """A parameter as it was given, or its default; None where the notebook has no such one."""
        return self.given.get(name, self.known[name].default) if name in self.known else None

    def said(self, name: str) -> Any:
        """A parameter, or else what the notebook handed over under that name."""
        value = self.value(name)
        return self.numbers.get(name) if value in (None, "") else value

    @property
    def priced_on(self) -> str:
        """The day of its prices, or "" for a notebook without prices."""
        days = f"{self.said('on')} {self.day}"
        return re.findall(r"\d{4}-\d{2}-\d{2}", days)[0] if "on" in self.known else ""


def made_by(run: Run, show_code: bool) -> Meta:
    """What a report says of itself."""
    own, on, seed = own_version(), run.priced_on, run.said("seed")
    facts = {
        "costmodel": own,
        "prices": on and f"genai-prices {PRICES_VERSION}",
        "prices on": on,
        "seed": "" if seed is None else str(seed),
        "Python": platform.python_version(),
        "made on": run.day.isoformat(),
    }
    again = dict(run.given) | ({"on": on} if on else {})
    return Meta(
        title=str(run.value("title") or ""),
        byline=" · ".join(filter(None, _byline(run))),
        incomplete=run.failure,
        facts={name: fact for name, fact in facts.items() if fact},
        parameters=tuple(_row(run, parameter) for parameter in run.known.values()),
        command=_command(run.notebook, again),
        local=not is_ours(run.notebook) or any(map(is_file, run.given.values())),
        show_code=show_code,
        version=own,
        folder=run.notebook.resolve().parent,
        timestamp=calendar.timegm(run.day.timetuple()),
    )


def _byline(run: Run) -> list[str]:
    """For whom, when, at which prices and in which currency."""
    audience, on = run.said("prepared_for"), run.priced_on
    currency = USD
    with suppress(ValueError):  # a notebook of somebody else may mean another thing
        currency = Currency.parse(run.value("currency") or _stated(run.case, "currency")[0])
    in_currency = (
        f"{currency.code} at {currency.per_usd:g} per USD of {currency.rate_date}; "
        "what is marked USD is in US dollars"
    )
    return [
        f"Prepared for {audience}" if audience else "",
        f"{run.day.day} {run.day:%B %Y}",
        f"prices of {on}" if on else "",
        "" if currency == USD else in_currency,
    ]


def _row(run: Run, parameter: Parameter) -> tuple[str, str, str, str]:
    """A parameter, its value, its meaning and who set it."""
    value, origin = run.value(parameter.name), UNTOUCHED
    changed = value != parameter.default
    if value is None:
        value, origin = _stated(run.case, parameter.name)
    return parameter.name, _value_text(value), parameter.help, "you" if changed else origin


def _value_text(value: Any) -> str:
    if isinstance(value, Doubt):
        return number_text(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, (int, float)):
        return f"{value:,}" if abs(value) >= 10_000 else f"{value:g}"
    return "not set" if value in (None, "") else str(getattr(value, "id", value))


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
        written = json.dumps(value) if isinstance(value, (list, dict)) else str(value)
        words += ["-p", name, "none" if value is None else written]
    return shlex.join(words)


def _stated(case: Study | None, name: str) -> tuple[Any, str]:
    """The value of a parameter that is left open, and who set it: the scenario, or nobody."""
    if case and name == "corpus_tokens":
        return case.work.corpus and case.work.corpus.tokens, "the scenario"
    for thing in (case.work, case.terms, case) if case else ():
        if known := thing.__dataclass_fields__.get(name):
            value = getattr(thing, name)
            if getattr(value, "not_said", False):
                return None, UNTOUCHED
            return value, UNTOUCHED if value in (known.default, "") else "the scenario"
    return None, UNTOUCHED


def is_ours(notebook: Path) -> bool:
    """Whether it is one of the package's notebooks, or the board pack made of them."""
    folder = notebook.resolve().parent
    return folder == notebooks_folder().resolve() or f"-{pack.FOLDER}" in folder.name


def is_file(value: Any) -> bool:
    """Whether a parameter names a scenario or a table that is there."""
    path = Path(value) if isinstance(value, str) else Path()
    return path.suffix in (".yaml", ".yml", ".csv") and path.is_file()
