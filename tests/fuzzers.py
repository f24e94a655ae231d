"""Seeded fuzzers: inputs that nobody would write, each of which must be computed or refused.

`make fuzz` runs 50,000 of them on two processes; the test suite runs a small sample. A finding is a
traceback, a refusal that is no sentence of at most 300 characters, a total that is negative or no
number, more than 20 s, more than 1 GB. Nothing is written but in a temporary folder: a guard
refuses every other path.
"""

import json
import math
import os
import random
import re
import resource
import signal
import sys
import tempfile
import traceback
import warnings
from collections import Counter
from concurrent.futures import ProcessPoolExecutor
from contextlib import contextmanager
from functools import cache
from pathlib import Path

import numpy as np
import yaml
from click.testing import CliRunner
from surface import calls, things

import costmodel as cm
from costmodel.cli import main
from costmodel.core.errors import SENTENCE
from costmodel.core.nested import field_names
from costmodel.pages.commands import notebooks
from costmodel.pages.report.parameters import schema, validate
from costmodel.pages.report.runner import rehearse

SECONDS, BYTES, BATCH = 20, 1_000_000_000, 25
WRITES = ("open", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.link")
NUMBERS = [0, 1, -1, 0.5, 1e-9, 1e9, 1e30, 1e308, -1e308, math.nan, math.inf, 10**400, 2**63, "1e5"]
TEXTS = [
    "",
    "x",
    "x" * 300,
    "null",
    "=1+1",
    "../x",
    "a: b",
    "\x00",
    "é",
    "on",
    "1_000",
    "50 %",
    "$x$",
]
SHAPES = [None, True, [], {}, [1], ["a", {"b": 1}], {"low": 2, "high": 1}, {"low": 1, "high": 2}]
RANGES = [
    {"low": low, "high": high, **more}
    for low, high in ((0, 1), (-1, 1), (0.1, 0.9), (1e-9, 1e9), (2, 3), ("a", 1))
    for more in ({}, {"form": "signed"}, {"form": "share"}, {"level": 0.999}, {"mid": 0.5})
]
JUDGED = [
    {"accepted": 5, "trials": 9},
    {"accepted": 9, "trials": 5},
    {"accepted": 1, "trials": 1e30},
]
VALUES = [*NUMBERS, *TEXTS, *SHAPES, *RANGES, *JUDGED]
COMPARE = ["compare", "support_assistant", "--draws"]
COMMANDS = [COMPARE, [*COMPARE, "100"], ["compare"], ["portfolio"]]
COMMANDS += [[*COMPARE, "100", more] for more in ("--months", "--seed", "--price-book", "--csv")]
COMMANDS += [["prices", "gpt-4o", more] for more in ("--on", "--discount", "--mode")]
COMMANDS += [
    ["explain", "own_gpus"],
    ["reconcile", "a"],
    ["report", "01_which_approach", "-p", "x"],
]
COMMANDS += [[name] for name in "lint prices list data corpus init from-files no report".split()]


# -- the guard -------------------------------------------------------------------------------------

_home: list[str] = []


def _guard(event, args):
    """An audit hook: writing outside of the present folder is an error."""
    if not _home or event not in WRITES or not isinstance(args[0], (str, bytes, os.PathLike)):
        return
    flags = args[2] if event == "open" and isinstance(args[2], int) else os.O_WRONLY
    reads = not flags & (os.O_WRONLY | os.O_RDWR | os.O_CREAT)
    both = event in ("os.rename", "os.link", "os.symlink")
    for given in () if reads else args[: 1 + both]:
        path = os.path.realpath(os.fsdecode(given))
        if not path.startswith((_home[0], "/dev/", "/proc/")):
            raise PermissionError(f"a fuzzer would write {path}")


@contextmanager
def guarded():
    """A folder of its own, and no write elsewhere."""
    if not getattr(sys, "_guarded_by_fuzzers", False):
        sys._guarded_by_fuzzers = True
        sys.addaudithook(_guard)
    was, bytecode = Path.cwd(), sys.dont_write_bytecode
    with tempfile.TemporaryDirectory(prefix="costmodel-fuzz-") as folder, warnings.catch_warnings():
        warnings.simplefilter("error", RuntimeWarning)  # of NumPy: none may reach a user
        os.chdir(folder)
        sys.dont_write_bytecode = True
        _home[:] = [os.path.realpath(folder)]
        try:
            yield Path(folder)
        finally:
            _home.clear()
            os.chdir(was)
            sys.dont_write_bytecode = bytecode


# -- what is asked ---------------------------------------------------------------------------------


def priced(study):
    """A study is small enough to compute, and its totals are finite and not below zero."""
    table = cm.compare(study.changed(draws=12))
    for column in ("expected", "p10", "p90", "present_value", "wrong_answers"):
        usd = table[column].dropna()
        assert np.isfinite(usd).all() and (usd >= 0).all(), f"{column} is {usd.to_dict()}"
    unknown = table["expected"].isna() & (table["why_not"] == "")
    assert not unknown.any(), "a total is NaN without a reason"


@cache
def examples():
    return {
        name: path.read_text(encoding="utf-8") for name, path in cm.scenarios.examples().items()
    }


def places(node, path=()):
    """The paths of all values of a nested mapping."""
    items = (
        node.items()
        if isinstance(node, dict)
        else enumerate(node)
        if isinstance(node, list)
        else ()
    )
    for key, value in items:
        yield (*path, key)
        yield from places(value, (*path, key))


def fuzz_places(rng):
    """A value of an example replaced by another one, or a field added."""
    spec = yaml.load(rng.choice([*examples().values()]), yaml.BaseLoader)
    fields = [*field_names(cm.Workload), *field_names(cm.Terms)]
    for _ in range(rng.choice([1, 1, 1, 2, 3])):
        *above, last = rng.choice([*places(spec)])
        at = spec
        for key in above:
            at = at[key]
        at[last] = rng.choice(VALUES)
        if isinstance(at, dict) and rng.random() < 0.3:
            at[rng.choice(fields)] = rng.choice(VALUES)
    text = yaml.safe_dump(spec, allow_unicode=True)
    return text, lambda: priced(cm.load(text + "\n"))


def fuzz_files(rng):
    """A whole file with lines lost, doubled, moved, and bytes changed."""
    lines = rng.choice([*examples().values()]).splitlines()
    for _ in range(rng.randrange(1, 6)):
        at, other = rng.randrange(len(lines)), rng.randrange(len(lines))
        change = rng.randrange(5)
        if change == 0 and len(lines) > 2:
            lines.pop(at)
        elif change == 1:
            lines.insert(other, lines[at])
        elif change == 2:
            lines[at], lines[other] = lines[other], lines[at]
        elif change == 3:
            lines[at] = " " * rng.randrange(4) + lines[at]
        else:
            cut = rng.randrange(len(lines[at]) + 1)
            lines[at] = (
                lines[at][:cut] + rng.choice("{}[]:,&*#!|>'\"%@`\x00\t-é0") + lines[at][cut:]
            )
    text = "\n".join(lines) + "\n"
    return text, lambda: priced(cm.load(text))


def fuzz_commands(rng):
    args = [
        *rng.choice(COMMANDS),
        *(str(rng.choice(VALUES))[:2_000] for _ in range(rng.choice([0, 1, 1, 1, 2]))),
    ]
    return args, lambda: ran(args)


def ran(args):
    """A command ends with 0, 1 or 2, and with one sentence where it refuses."""
    made = CliRunner().invoke(main, args, input="")
    if made.exception and not isinstance(made.exception, SystemExit):
        raise made.exception
    assert made.exit_code in (0, 1, 2), f"exit code {made.exit_code}"
    if made.exit_code == 2 and "Usage:" not in made.output:
        said = " ".join(made.stderr.split()).rpartition("error: ")[2]
        assert 5 < len(said) <= SENTENCE + 60, said


def fuzz_parameters(rng):
    known = schema(path := rng.choice([*notebooks().values()]))
    names = rng.choices([*known, "scenario", "api_key", "x"], k=rng.randrange(1, 4))
    given = {name: rng.choice([*VALUES, *map(str, VALUES)]) for name in names}

    def check():
        clean = validate(known, given, path.name)
        rehearse({name: clean.get(name, parameter.default) for name, parameter in known.items()})

    return (path.stem, given), check


def fuzz_csv(rng):
    """A portfolio or a price book with odd cells."""
    columns = rng.sample(
        ["name", "scenario", "months", "draws", "model", "discount", "window", "x"], 4
    )
    rows = [
        columns,
        *([str(rng.choice(VALUES)) for _ in range(rng.choice([3, 4, 4, 5]))] for _ in range(3)),
    ]
    text = "\n".join(",".join(row) for row in rows)
    raw = text.encode(rng.choice(["utf-8", "utf-16", "latin-1"]), errors="replace")

    def check():
        Path("rows.csv").write_bytes(raw)
        if "model" in columns:
            return cm.scenarios.with_price_book(cm.load("support_assistant"), "rows.csv")
        from concurrent.futures import ThreadPoolExecutor

        with ThreadPoolExecutor(1) as pool:
            table = cm.scenarios.compare_portfolio(
                "rows.csv", "support_assistant", executor=pool, progress=False, draws=9
            )
        for error in table["error"]:
            assert len(error) <= SENTENCE and not error.partition(":")[0].endswith("Error"), error

    return text, check


@cache
def surface():
    return [*things()]


def fuzz_fields(rng):
    """The fields of a public class, of which the first ones are usual."""
    name, thing = rng.choice([(n, x) for n, x in surface() if isinstance(x, type)])
    known = [*getattr(thing, "__dataclass_fields__", {})] or ["x"]
    chosen = rng.sample(known, min(len(known), rng.randrange(1, 4)))
    given = {field: rng.choice(VALUES) for field in chosen}
    return (name, given), lambda: thing(**given)


def fuzz_functions(rng):
    name, thing = rng.choice(surface())
    given = {key: rng.choice(VALUES) for key in rng.choice(calls(thing, None) or [{}])}
    return (name, given), lambda: thing(**given)


KINDS = {
    kind.__name__.removeprefix("fuzz_"): kind
    for kind in (
        fuzz_places, fuzz_files, fuzz_commands, fuzz_parameters, fuzz_csv, fuzz_fields,
        fuzz_functions,
    )
}  # fmt: skip


# -- running ---------------------------------------------------------------------------------------


class TooSlow(BaseException):
    pass


def _late(*_):
    raise TooSlow


def tried(kind, seed):
    """(outcome, finding): "computed" or "refused", and what is wrong with that, or ""."""
    rng = random.Random(f"{kind} {seed}")
    given, check = KINDS[kind](rng)
    signal.signal(signal.SIGALRM, _late)
    signal.alarm(SECONDS)
    outcome = "refused"
    try:
        check()
        outcome, wrong = "computed", ""
    except TooSlow:
        wrong = f"more than {SECONDS} s"
    except (ValueError, cm.report.ReportError) as error:
        said = str(error)
        wrong = (
            "" if 5 < len(said) <= SENTENCE and "\n" not in said else f"no sentence: {said[:150]!r}"
        )
    except TypeError as error:
        ours = re.match(r"no argument |\w+: (missing|too many|multiple)", str(error))
        wrong = "" if ours else traceback.format_exc(limit=-3)
    except Exception:
        wrong = traceback.format_exc(limit=-3)
    finally:
        signal.alarm(0)
    return outcome, wrong and f"{kind} {seed}: {str(given)[:200]}\n{wrong}"


def batch(kind, seeds):
    with guarded():
        found = [tried(kind, seed) for seed in seeds]
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    if most > BYTES:
        found.append(("refused", f"{kind} {seeds}: {most / 1e9:.1f} GB"))
    return kind, found


def run(inputs, first=0, workers=2):
    """Counts by kind and outcome, and the findings."""
    each = math.ceil(inputs / len(KINDS))
    tasks = [
        (kind, range(start, min(start + BATCH, first + each)))
        for start in range(first, first + each, BATCH)
        for kind in KINDS
    ]
    counts, findings = Counter(), []
    with ProcessPoolExecutor(workers, max_tasks_per_child=20) as pool:
        for kind, found in pool.map(batch, *zip(*tasks, strict=True)):
            counts.update((kind, outcome) for outcome, _ in found)
            findings += [wrong for _, wrong in found if wrong]
    return counts, findings


if __name__ == "__main__":
    asked, first = int(sys.argv[1]), int(sys.argv[2]) if len(sys.argv) > 2 else 0
    counts, findings = run(asked, first)
    for finding in findings[:60]:
        print(finding)
    for kind in KINDS:
        print(f"{kind:<12}", *(f"{counts[kind, x]:>6} {x}" for x in ("computed", "refused")))
    print(json.dumps({"inputs": counts.total(), "findings": len(findings)}))
    sys.exit(bool(findings))
