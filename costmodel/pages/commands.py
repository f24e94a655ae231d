"""The machinery of the command line: --json for each command, errors of one sentence, exit codes,
and names that complete."""

from __future__ import annotations

import io
import json
import os
import re
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Mapping, Sized
from contextlib import contextmanager, nullcontext, redirect_stdout, suppress
from functools import wraps
from os.path import exists, isdir, isfile, samefile
from pathlib import Path
from typing import Any

import click
from click import argument, echo, option

from costmodel.core import (
    DRAWS_MAX,
    CatalogError,
    as_csv,
    check_writable,
    is_named,
    named,
    unknown,
    write,
)
from costmodel.core.errors import brief, check
from costmodel.pages.terminal import as_json, many, visible, wrapped
from costmodel.pages.values import Within
from costmodel.scenarios.portfolio import WORKERS_MAX
from costmodel.scenarios.scenario import examples, load, notebooks_folder

STDOUT = "-"
LEAST_DRAWS = 100  # as in the notebooks
PARTLY, ERROR, STOPPED = 1, 2, 130  # exit codes; 130 is the shell's for an interrupt
EXIT_CODES = """
Exit codes: 0 all is done; 1 done, but some of it failed, such as a scenario of a portfolio; 2 an
error, said in one sentence, and nothing is written; 130 stopped by you.
"""


def _complain(message: str) -> None:
    text = visible(f"error: {named(brief(' '.join(message.split())))}")
    echo(wrapped(text, indent=7), err=True)


def _told(call: Callable[..., Mapping[str, Any] | None]) -> Callable[..., int]:
    """A command that prints what it returns as JSON where that is asked, and ends with a code."""

    @wraps(call)
    def told(machine: bool = False, **given: Any) -> int:
        _kept_apart(given)
        printed_alone = machine and STDOUT in (given.get(name) for name in OUTPUTS)
        check(not printed_alone, "--json and - both print alone; write the other one to a path")
        try:
            with redirect_stdout(io.StringIO()) if machine else nullcontext() as printed:
                data = call(**given) or {}
        except ValueError as error:
            error.args = (_as_typed(str(error)),)
            raise
        if machine:
            name = click.get_current_context().info_name or ""
            echo(as_json(name, data or {"text": printed.getvalue()}))  # type: ignore[union-attr]
        return PARTLY if data.get("failed") else 0

    return told


def _as_typed(message: str) -> str:
    """A message about arguments of Python, such as max_growth or older=, with their options."""
    for param in click.get_current_context().command.params:
        name, sign = param.name or "", "=?" if "_" in (param.name or "") else "="
        if isinstance(param, click.Option):
            alone = rf"^{name}(?= is )|(?<![\w.]){name}{sign}(?!\w)"
            message = re.sub(alone, param.opts[-1], message)
    return message


OUTPUTS = "csv", "out", "path"  # parameters that name what a command writes
TABLE = ".csv", ".txt", ".tsv"  # how a table ends; another file that is there is no old one


def _kept_apart(given: Mapping[str, Any]) -> None:
    """Refuse to write over a file that the same command reads, and a table over what is none."""
    read = [x for name, value in given.items() if name not in OUTPUTS for x in _texts(value)]
    for out in (given[name] for name in OUTPUTS if isinstance(given.get(name), str)):
        check(out, "an empty path names no file; write the path of one")
        over = isfile(out) and any(_reads(x, out) for x in read)
        check(not over, f"{out} is read by this command; write to another path")
    csv = given.get("csv")
    lost = csv and isfile(csv) and _ending(csv) not in (*TABLE, "")
    check(not lost, f"{csv} is there and no table; write a path that ends in .csv")


def _texts(value: Any) -> list[str]:
    """The texts of a parameter, also of one that is repeated and has several."""
    if isinstance(value, tuple):
        return [text for each in value for text in _texts(each)]
    return [value] if isinstance(value, str) else []


def _ending(path: str) -> str:
    """How a path ends, or what a link leads to."""
    return Path(path).resolve().suffix.lower()


def _reads(given: str, out: str) -> bool:
    """Whether a path is that of a file, or of a folder that holds it and no table."""
    if isdir(given):
        home = Path(given).resolve() in Path(out).resolve().parents
        return home and _ending(out) not in TABLE
    return isfile(given) and samefile(given, out)


class Commands(click.Group):
    """Commands with --json, whose errors are one sentence on stderr."""

    def add_command(self, cmd: click.Command, name: str | None = None) -> None:
        text = "Print one JSON object instead of text; docs/command_line.md says its keys."
        if not any("--json" in option.opts for option in cmd.params):  # `export --json` is a file
            cmd.params.append(click.Option(["--json", "machine"], is_flag=True, help=text))
        cmd.callback = _told(cmd.callback)  # type: ignore[arg-type]  # ours have one
        super().add_command(cmd, name)

    def main(self, *args: Any, **settings: Any) -> Any:
        settings["standalone_mode"] = False
        for name in ("SIGTERM", "SIGHUP"):  # ends as an interrupt does, so that nothing is left
            if hasattr(signal, name) and threading.current_thread() is threading.main_thread():
                signal.signal(getattr(signal, name), signal.default_int_handler)
        try:
            sys.exit(super().main(*args, **settings) or 0)
        except click.exceptions.NoArgsIsHelpError as error:
            error.show()
        except (click.exceptions.Abort, KeyboardInterrupt):
            _complain("stopped")
            sys.exit(STOPPED)
        except click.ClickException as error:
            _complain(error.format_message())
        except BrokenPipeError:
            os.dup2(os.open(os.devnull, os.O_WRONLY), 1)  # whoever read has gone
        except MemoryError:
            _complain("this takes more memory than there is; ask for fewer draws or scenarios")
        except (ValueError, OSError, RuntimeError) as error:
            _complain(str(error))
        sys.exit(ERROR)


def complete_scenarios(_: Any, __: Any, begun: str) -> list[str]:
    """Examples that complete what is typed, and files here."""
    here = [*map(str, Path().glob("*.yaml"))]
    return [name for name in (*examples(), *here) if name.startswith(begun)]


def complete_notebooks(_: Any, __: Any, begun: str) -> list[str]:
    return [name for name in (*notebooks(), "board") if name.startswith(begun)]


def complete_labels(context: Any, _: Any, begun: str) -> list[str]:
    """Options of the scenario that was typed before."""
    try:
        known = load(context.params["scenario"]).options
    except (KeyError, ValueError):
        return []
    return [label for label in known if label.lower().startswith(begun.lower())]


def in_its_case(source: str) -> str:
    """The example of that name, upper and lower case being the same; other names as they are."""
    known = () if exists(source) else examples()
    return next((name for name in known if name.lower() == source.strip().lower()), source)


def any_case(_: Any, __: Any, given: Any) -> Any:
    """What a parameter names, by `in_its_case`."""
    if isinstance(given, tuple):
        return tuple(map(in_its_case, given))
    return in_its_case(given) if given else given


FORCE = click.option("--force", is_flag=True, help="Replace a file that is there.")
SCENARIO = argument("scenario", shell_complete=complete_scenarios, callback=any_case)
WORKERS = option(
    "--workers", default=2, show_default=True, type=Within(1, WORKERS_MAX, whole=True),
    help="How many processes work at once.",
)  # fmt: skip
DRAWS = option(
    "--draws", type=Within(LEAST_DRAWS, DRAWS_MAX, whole=True),
    help="Draws, 100 or more, instead of the scenario's.",
)  # fmt: skip


def not_there(path: str, force: bool) -> None:
    """Refuse to replace a file without --force, and a folder that is not there."""
    if path != STDOUT and Path(path).exists() and not force:
        raise CatalogError(f"{path} is there already; write another path, or add --force")
    writable(path)


MARK = b'name="generator" content="costmodel'  # in the head of each page that a report wrote
HEAD = 4_096  # bytes of a page in which it is looked for
KEYS = {"facts", "given", "command", "numbers"}  # of the results that a report wrote


def not_ours(folder: str, stem: str, force: bool) -> None:
    """Refuse to write a report over files that no report wrote, without --force.

    A page says who wrote it; a PDF, a picture or a table is ours where our results lie beside it.
    """
    results, found = Path(folder) / f"{stem}.results.json", None
    with suppress(ValueError, OSError):
        found = json.loads(results.read_text("utf-8"))
    ours = isinstance(found, dict) and found.keys() >= KEYS
    for ending in ("html", "pdf", "png", "results.json", "results.csv"):
        path = Path(folder) / f"{stem}.{ending}"
        if path.is_file() and not force:
            written = MARK in path.read_bytes()[:HEAD] if ending == "html" else ours
            if not written:
                raise CatalogError(
                    f"{path} is there, and no report of costmodel; write to another folder by -o, "
                    "or add --force"
                )


def failed_at(name: str, error: object) -> None:
    """Say on stderr what went wrong with one of several."""
    echo(wrapped(f"{name}: {named(' '.join(str(error).split()))}", indent=2), err=True)


def put_csv(table: Any, path: str, index: bool = True) -> None:
    """Write a table, or print it where the path is "-"."""
    put(as_csv(table, index), path)


def put(text: str, path: str) -> None:
    """Write a text, or print it where the path is "-"."""
    if path == STDOUT:
        echo(text, nl=False)
    else:
        write(path, text)


def to_compare(path: str, options: Sized) -> str:
    """What a scenario that was written holds, and how to go on.

    >>> to_compare("mine.yaml", ["RAG"]), to_compare("-", ["RAG", "Prompt"])[-27:]
    ('mine.yaml: 1 option; costmodel compare mine.yaml', 'then costmodel compare FILE')
    """
    held = many(len(options), "option")
    if path == STDOUT:
        return f"{held}; keep it in a file, then costmodel compare FILE"
    return f"{path}: {held}; costmodel compare {path}"


@contextmanager
def words_beside(path: str) -> Iterator[None]:
    """Words go to stderr where standard output has what is written."""
    with redirect_stdout(sys.stderr) if path == STDOUT else nullcontext():
        yield


def writable(path: str | None) -> None:
    """Refuse what cannot be written before anything is computed."""
    if path and path != STDOUT:
        check_writable(path)


def find_notebook(name: str) -> Path:
    """The notebook of that path, or the one of that name that comes with the package."""
    if isfile(name) and not is_named(name):
        return Path(name)
    known = notebooks()
    if (stem := name.removesuffix(".ipynb")) not in known:
        raise unknown("notebook", name, known, "this folder or among the package's")
    return known[stem]


def notebooks() -> dict[str, Path]:
    """The notebooks that come with the package."""
    return {path.stem: path for path in sorted(notebooks_folder().glob("*.ipynb"))}
