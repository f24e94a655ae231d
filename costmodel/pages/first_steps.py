"""The commands of somebody who is new: list and init."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import click
from click import argument, command, echo, option

from costmodel.core import CatalogError, today
from costmodel.pages.commands import FORCE, not_there, notebooks, put, to_compare, words_beside
from costmodel.pages.terminal import aligned, wrapped
from costmodel.pages.values import Within
from costmodel.scenarios.first import USES, USUAL_WRONG, WRONG, first_scenario
from costmodel.scenarios.scenario import examples, load

PURPOSE = click.Choice(list(USES), case_sensitive=False)
AMOUNT, USD = Within(0.01, 1e12), Within(0, 1e12)


@command(name="list")
def list_names() -> dict[str, Any]:
    """Name the examples and the notebooks, and what each is about."""
    import yaml

    texts = {name: path.read_text("utf-8") for name, path in examples().items()}
    titles = {name: yaml.safe_load(text)["title"] for name, text in texts.items()}
    found = {name: _question(path) for name, path in notebooks().items()}
    found["board"] = "The memo, the business case and the uncertainty in one pack"
    for kind, names in (("SCENARIO", titles), ("NOTEBOOK", found)):
        echo(aligned([(kind, ""), *names.items()], right=False) + "\n")
    echo(wrapped("costmodel compare SCENARIO; costmodel report NOTEBOOK --scenario SCENARIO"))
    return {"scenarios": titles, "notebooks": found}


def _question(path: Path) -> str:
    """The title of a notebook."""
    first = json.loads(path.read_text("utf-8"))["cells"][0]["source"]
    return "".join(first).splitlines()[0].lstrip("# ")


@command()
@argument("path", default="scenario.yaml", metavar="[PATH]")
@option("--for", "use", type=PURPOSE, help="What the model is for.")
@option("--amount", type=AMOUNT, help="Requests or documents a month; for a bill, USD a month.")
@option("--size", type=AMOUNT, help="Pages of all documents, or of one; otherwise words read.")
@option("--wrong", type=USD, help="What a wrong answer costs, in USD.")
@FORCE
def init(
    path: str, use: str | None, amount: float | None, size: float | None, wrong: float | None,
    force: bool,
) -> dict[str, Any]:  # fmt: skip
    """Make a scenario of your own from four answers, and write it to PATH (scenario.yaml).

    An answer that is given as an option is not asked for, so that a script can give all four.
    """
    not_there(path, force)
    if use is None:
        for name, one in USES.items():
            echo(f"  {name:10} {one.title}", err=True)
    use = _asked("What is the model for?", "documents", "--for", use, PURPOSE)
    asked = USES[use]
    amount = _asked(asked.amount, asked.usual[0], "--amount", amount, AMOUNT)
    size = _asked(asked.size, asked.usual[1], "--size", size, AMOUNT)
    wrong = _asked(WRONG, USUAL_WRONG, "--wrong", wrong, USD)
    text = first_scenario(use, amount, size, wrong, today().isoformat())
    options = load(text).options
    put(text, path)
    with words_beside(path):
        echo(wrapped(to_compare(path, options)))
    return {"path": path, "options": list(options)}


def _asked(question: str, usual: Any, flag: str, given: Any, kind: Any) -> Any:
    """What was given, or what the user answers; without a terminal the error names the option."""
    if given is not None:
        return given
    try:
        return click.prompt(question, usual, type=kind, err=True, prompt_suffix=" ")
    except click.Abort:
        if sys.stdin.isatty():
            raise
        echo("", err=True)
        raise CatalogError(f"no answer to {question!r}; give {flag}") from None


FIRST = (list_names, init)
