"""Seeded fuzzers: inputs that nobody would write, each of which must be computed or refused.

`make fuzz` runs 50,000 of them in one process; the test suite runs a small sample. A finding is a
traceback, a refusal that is no sentence of at most 300 characters, a total that is negative or no
number, more than 20 s of the processor, more than 1 GB. Nothing is written but in a
temporary folder: a guard refuses every other path.
"""

import csv
import faulthandler
import inspect
import json
import math
import os
import random
import re
import shutil
import signal
import sys
import tempfile
import time
import traceback
import warnings
from collections import Counter
from concurrent.futures import ProcessPoolExecutor, ThreadPoolExecutor
from contextlib import contextmanager
from copy import deepcopy
from functools import cache
from pathlib import Path

import matplotlib
import matplotlib.pyplot as plt
import numpy as np
import yaml
from click.testing import CliRunner
from surface import things

import costmodel as cm
from costmodel.cli import main
from costmodel.core.errors import SENTENCE
from costmodel.core.nested import field_names
from costmodel.pages import app
from costmodel.pages.commands import notebooks
from costmodel.pages.report.parameters import schema, validate
from costmodel.pages.report.runner import rehearse

matplotlib.use("Agg")
app.find_spec = lambda _: None  # no fuzzer starts a server
SECONDS, BYTES = 20, 1_000_000_000  # of the processor, and of memory, for one input
STUCK = 60 * SECONDS  # of the clock, on a busy machine too: the whole run ends and says where
BATCH = 25  # inputs of one kind in a row
WRITES = ("open", "os.mkdir", "os.remove", "os.rename", "os.rmdir", "os.symlink", "os.link")
NUMBERS = [0, 1, -1, 0.5, 1e-9, 1e9, 1e30, 1e308, -1e308, 5e-324, 3, 40, 1e5, 0.999]
NUMBERS += [math.nan, math.inf, 10**400, 2**63, "1e5"]
TEXTS = ["", "x", "x" * 300, "null", "=1+1", "../x", "a: b", "\x00", "é", "on", "1_000", "50 %"]
TEXTS += [
    "$x$",
    "RAG",
    "gpt-4o",
    "USD",
    "2026-02-30",
    "9999-12-31",
    "1,5",
    "１２",
    "{[",
    "*a",
    "EUR 2",
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
DOUBTS = [cm.Range(0.1, 0.9), cm.Range(1e-9, 1e9), cm.Range(-1, 1), cm.Measured(5, 9)]
SMALL = """title: Small
terms: {on: 2026-11-20, months: 3}
workload: {requests_per_month: 1e5, input_tokens: 900, output_tokens: 250, usd_per_failure: 1,
  corpus: {tokens: 1e6}}
options: {presets: {only: [Prompt, RAG]}}
draws: 20
"""
COMPARE = ["compare", "small.yaml", "--draws", "20"]
COMMANDS = [COMPARE, COMPARE[:3], ["compare"], ["portfolio"], ["compare", "support_assistant"]]
COMMANDS += [[*COMPARE, more] for more in ("--months", "--seed", "--price-book", "--csv")]
COMMANDS += [[*COMPARE, "--own-api", "mine"], [*COMPARE, "--own-api", "x", "1", "2"]]
COMMANDS += [["prices", "gpt-4o", more] for more in ("--on", "--discount", "--mode", "--residency")]
COMMANDS += [["portfolio", "small.yaml"], ["portfolio", "rows.csv", "--csv", "-", "--workers"]]
COMMANDS += [["explain", "small.yaml"], ["explain", "small.yaml", "RAG", "--lines"]]
COMMANDS += [[name, "small.yaml"] for name in ("lint", "export", "diff", "check", "showback")]
COMMANDS += [["reconcile", "a"], ["report", "01_which_approach", "-p", "x"]]
COMMANDS += [["report", "01_which_approach", more] for more in ("-y", "-f", "-p", "--scenario")]
COMMANDS += [["init", "new.yaml", "--for", "documents", "--amount"], ["from", "rows.csv", "-o"]]
OPTIONS = {  # command -> options that take one value, each tried with a hostile one
    ("compare", "small.yaml"): "--note --draws --json",
    ("explain", "small.yaml", "RAG"): "--lines --months --price-book",
    ("portfolio", "small.yaml", "--csv", "t.csv"): "--base --draws --workers",
    ("from", "calls.csv", "-o", "-"): "--columns --floor --calls-per-day --failure --on",
    ("reconcile", "calls.csv", "96.91"): "--columns --rate",
    ("reprice", "calls.csv", "--with", "small.yaml"): "--columns --context --csv",
    ("corpus", "texts"): "--model --older --months --since --extractor --on",
    ("diff", "small.yaml", "small.yaml"): "--from --to --draws --markdown --exit-code",
    (
        "check",
        "small.yaml",
    ): "--option --max-usd-per-month --max-paid-per-month --min-quality --max-growth --against",
    ("showback", "small.yaml"): "--option --fixed --usage --columns --draws -o",
    ("export", "small.yaml", "--json"): "-o --draws --focus",
    ("init", "new.yaml", "--for", "bill", "--amount", "9"): "--size --wrong --force",
    ("schema",): "-o --force --json",
    ("reports", "small.yaml", "--workers", "0"): "--notebook --format --draws -o",
    ("app",): "--port --no-browser",
    ("rerun",): "small.yaml small.json",
    ("data",): "--check",
}
COMMANDS += [[*given, more] for given, all_ in OPTIONS.items() for more in all_.split()]
COMMANDS += [[name] for name in "lint prices list data corpus init from report reprice".split()]
COMMANDS += [[name] for name in "reports rerun schema app".split()]


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


def priced(study, in_words=False):
    """A study is small enough to compute, and its totals are finite and not below zero."""
    study = study.changed(draws=12)
    table = cm.recommend(study).table if in_words else cm.compare(study)
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


def hostile(rng, values=None):
    """One of the values, the caller's own: what an input changes in it, no other input sees."""
    return deepcopy(rng.choice(VALUES if values is None else values))


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
        at[last] = hostile(rng)
        if isinstance(at, dict) and rng.random() < 0.3:
            at[rng.choice(fields)] = hostile(rng)
    text = yaml.safe_dump(spec, allow_unicode=True)
    in_words = rng.random() < 0.05
    return text, lambda: priced(cm.load(text + "\n"), in_words)


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
    Path("small.yaml").write_text(SMALL)
    Path("rows.csv").write_text("name,scenario,months\na,small.yaml,2\nb,small.yaml,x\n")
    Path("calls.csv").write_text(calls(), encoding="utf-8")
    Path("texts").mkdir(exist_ok=True)
    Path("texts", "a.md").write_text("One two three.")
    made = CliRunner().invoke(main, args, input="")
    if made.exception and not isinstance(made.exception, SystemExit):
        raise made.exception
    assert made.exit_code in (0, 1, 2), f"exit code {made.exit_code}"
    if made.exit_code == 2:
        said = " ".join(made.stderr.split()).rpartition("error: ")[2]
        assert "Usage:" in made.output or 5 < len(said) <= SENTENCE + 60, said
        raise ValueError(said[:SENTENCE] or "the help is shown")


def fuzz_parameters(rng):
    known = schema(path := rng.choice([*notebooks().values()]))
    names = rng.choices([*known, "scenario", "api_key", "x"], k=rng.randrange(1, 4))
    given = {name: hostile(rng, [*VALUES, *map(str, VALUES)]) for name in names}

    def check():
        clean = validate(known, given, path.name)
        rehearse({name: clean.get(name, parameter.default) for name, parameter in known.items()})

    return (path.stem, given), check


READERS = {"usage": cm.ingest.read, "invoice": cm.ingest.read_bill}
READERS["evaluation"] = cm.ingest.read_evaluations
ROW_NAMES = ["name", "scenario", "months", "draws", "requests_per_month", "currency", "task", "x"]
BOOK = ["model", "provider", "discount", "window", "usd_per_mtok_in", "usd_per_mtok_out", "note"]


def fuzz_csv(rng):
    """A portfolio, a price book, or usage, a bill and an evaluation, with odd cells."""
    kind = rng.choice(["rows", "book", "usage", "invoice", "evaluation"])
    if kind in ("rows", "book"):
        columns = rng.sample(ROW_NAMES if kind == "rows" else BOOK, 4)
        common = {"scenario": "small.yaml", "model": "gpt-6-luna", "discount": "0.1", "months": "2"}
        rows = [columns]
        for _ in range(rng.choice([1, 3])):
            row = [common.get(name, "") if rng.random() < 0.6 else odd(rng) for name in columns]
            rows.append(row[: rng.choice([3, 4, 4, 4])] + ["1"] * rng.choice([0, 0, 0, 1]))
    else:
        read = csv.reader(cm.ingest.example(kind).read_text(encoding="utf-8").splitlines())
        rows = [*read][: rng.randrange(2, 30)]
        for _ in range(rng.randrange(1, 4)):
            row = rng.choice(rows)
            row[rng.randrange(len(row))] = odd(rng)
    text = "\n".join(",".join(row) for row in rows) + "\n"
    raw = text.encode(rng.choice(["utf-8", "utf-8", "utf-16", "latin-1"]), errors="replace")

    def check():
        Path("small.yaml").write_text(SMALL)
        Path("x.csv").write_bytes(raw)
        if kind == "book":
            return priced(cm.scenarios.with_price_book(cm.load(SMALL), "x.csv"))
        if kind == "rows":
            return compared("x.csv")
        given = READERS[kind]("x.csv")
        if kind == "invoice":
            return cm.history.reconcile(few_calls(), given)
        if rng.random() < 0.02:  # a study of one's own takes seconds
            usage = given if kind == "usage" else usual()["usage"]
            priced(cm.history.study(usage, evaluations=None if kind == "usage" else given))

    return text[:300], check


def odd(rng):
    """A hostile value as a cell."""
    return str(rng.choice(VALUES)).replace(",", rng.choice([",", ";"]))


def compared(path):
    """A portfolio is compared, and each of its errors is a sentence."""
    with ThreadPoolExecutor(1) as pool:
        table = cm.scenarios.compare_portfolio(path, SMALL, executor=pool, progress=False, draws=9)
    for error in table["error"]:
        assert len(error) <= SENTENCE and not error.partition(":")[0].endswith("Error"), error


@cache
def few_calls():
    """The first lines of the example of usage: a bill is reconciled with them in no time."""
    Path("calls.csv").write_text(calls(), encoding="utf-8")
    return cm.ingest.read("calls.csv")


@cache
def calls():
    lines = cm.ingest.example().read_text(encoding="utf-8").splitlines(keepends=True)
    return "".join(lines[:60])


@cache
def results():
    """What `export --json` writes of the small scenario."""
    return cm.report.as_json(cm.load(SMALL), Path("results.json")).read_text(encoding="utf-8")


def fuzz_results(rng):
    """Stored results with other values, or cut off, for the commands that take them."""
    stored = json.loads(results())
    for _ in range(rng.choice([1, 1, 2, 3])):
        *above, last = rng.choice([*places(stored)])
        at = stored
        for key in above:
            at = at[key]
        at[last] = hostile(rng)
    text = json.dumps(stored, default=str)
    text = text[: rng.randrange(len(text))] if rng.random() < 0.1 else text
    given = rng.choice(
        [["rerun"], ["diff", "small.yaml"], ["check", "--max-usd-per-month", "9", "--against"]]
    )
    args = [*given, "stored.json", *(["small.yaml"] if given[0] == "check" else [])]

    def check():
        Path("stored.json").write_text(text)
        ran(args + (["--max-growth", "1"] if given[0] == "check" else []))

    return (args, text[:200]), check


PLACES = ["small.yaml", "./small.yaml", "link", "folder", "folder/small.yaml", "dangling", "t.csv"]
PLACES += ["/dev/null", "none/t.csv", "x" * 300, "", "-", "rows.csv", "calls.csv", "folder/", "."]
WRITERS = [["compare", "small.yaml", "--csv"], ["portfolio", "folder", "--csv"]]
WRITERS += [["portfolio", "rows.csv", "--workers", "1", "--csv"], ["schema", "-o"], ["init"]]
WRITERS += [["reprice", "calls.csv", "--with", "small.yaml", "--csv"], ["from", "calls.csv", "-o"]]
WRITERS += [["export", "small.yaml", "--focus", "-o"], ["showback", "small.yaml", "-o"]]
WRITERS += [["compare", "small.yaml", "--own-api", "x", "1", "1", "9000", "--csv"]]
ANSWERS = ["--for", "bill", "--amount", "9", "--size", "9", "--wrong", "1"]


def fuzz_outputs(rng):
    """What is written where an input, a folder, a link or a device is: no input is lost."""
    writer, place = rng.choice(WRITERS), rng.choice(PLACES)
    more = ["--force"] if writer[0] in ("schema", "init", "from") and rng.random() < 0.7 else []
    args = [*writer, place, *more, *(ANSWERS if writer == ["init"] else [])]
    reads = {"small.yaml": SMALL, "folder/small.yaml": SMALL, "calls.csv": calls()}
    inside = {"folder": "folder/small.yaml", "rows.csv": "small.yaml"}  # of what is given
    kept = {inside.get(name, name) for name in writer} & reads.keys()

    def check():
        for folder in (Path("folder"), Path("t.csv")):
            shutil.rmtree(folder, ignore_errors=True)
        Path("folder").mkdir()
        Path("folder/small.yaml").write_text(SMALL)
        for link, to in (("link", "small.yaml"), ("dangling", "nothing.csv")):
            Path(link).unlink(missing_ok=True)
            Path(link).symlink_to(to)
        try:
            ran(args)
        finally:
            for name in kept:
                assert Path(name).read_text(encoding="utf-8") == reads[name], f"{name} is lost"

    return args, check


@cache
def surface():
    return [*things()]


@cache
def usual():
    """What an argument of a name usually is."""
    study = cm.load(SMALL)
    option = study.options["Prompt"]
    texts = {"model": "gpt-4o", "provider": "openai", "gpu": "H100-SXM", "on": "2026-11-20"}
    texts |= {"label": "RAG", "first": "Prompt", "second": "RAG", "over": "requests_per_month"}
    texts |= {"path": "x.txt", "scenario": "small.yaml", "api": "gpt-4o", "id": "mine"}
    studies = dict.fromkeys(("study", "before", "after"), study)
    servings = {"serving": option.serving, "techniques": (cm.Evals(),)}
    ours = {"options": study.options, "work": study.work, "terms": study.terms, "labels": ["RAG"]}
    options = dict.fromkeys(
        ("option", "simple", "hard", "retrieval", "long_context", "baseline"), option
    )
    records = {"table": cm.compare(study), "verdict": cm.recommend(study)}
    records |= {"usage": cm.ingest.read(cm.ingest.example()), "ledger": cm.ledger(study)}
    return texts | studies | servings | ours | options | records


def called(rng, thing):
    """Arguments of a call: those that it needs as usual, and some, of all, hostile."""
    given = inspect.signature(thing).parameters.values()
    known = [p for p in given if p.kind in (p.POSITIONAL_OR_KEYWORD, p.KEYWORD_ONLY)]
    made = {
        p.name: usual().get(p.name, rng.choice([0.5, 0.9, 2, 10]))
        for p in known
        if p.default is p.empty
    }
    values = NUMBERS[:14] + DOUBTS if rng.random() < 0.5 else [*VALUES, *DOUBTS]
    for p in rng.sample(known, min(len(known), rng.choice([1, 1, 2, 3]))):
        made[p.name] = hostile(rng, values)
    return made


def fuzz_fields(rng):
    """The fields of a public class, and what an option of it costs."""
    name, thing = rng.choice([(n, x) for n, x in surface() if isinstance(x, type)])
    given = called(rng, thing)
    return (name, given), lambda: used(thing(**given))


def used(thing):
    """A study with this workload, these terms, this serving or this technique is computed."""
    study = cm.load(SMALL)
    serving = study.options["Prompt"].serving
    if isinstance(thing, cm.Workload):
        priced(study.changed(work=thing))
    elif isinstance(thing, cm.Terms):
        priced(study.changed(terms=thing))
    elif isinstance(thing, (cm.Option, cm.Mix)):
        priced(study.changed(options={"a": thing}))
    elif hasattr(thing, "price") and hasattr(thing, "limits"):
        priced(study.changed(options={"a": cm.Option(thing, cm.Evals(), quality=0.5)}))
    elif any(hasattr(thing, name) for name in ("adapt", "shape", "buys")):
        priced(study.changed(options={"a": cm.Option(serving, thing)}))


def fuzz_functions(rng):
    name, thing = rng.choice([(n, x) for n, x in surface() if not isinstance(x, type)])
    given = called(rng, thing)
    return (name, given), lambda: thing(**given)


KINDS = {
    kind.__name__.removeprefix("fuzz_"): kind
    for kind in (
        fuzz_places, fuzz_files, fuzz_commands, fuzz_parameters, fuzz_csv, fuzz_fields,
        fuzz_functions, fuzz_results, fuzz_outputs,
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
    signal.signal(signal.SIGPROF, _late)
    signal.setitimer(signal.ITIMER_PROF, SECONDS)
    outcome = "refused"
    try:
        check()
        outcome, wrong = "computed", ""
    except TooSlow:
        wrong = f"more than {SECONDS} s"
    except (ValueError, cm.report.ReportError) as error:
        said = str(error)
        sentence = 5 < len(said) <= SENTENCE and "\n" not in said
        wrong = "" if sentence else f"no sentence: {said[:150]!r}"
    except TypeError as error:
        ours = re.match(r"no argument |\w+: (missing|too many|multiple)", str(error))
        wrong = "" if ours else traceback.format_exc(limit=-3)
    except Exception:
        wrong = traceback.format_exc(limit=-3)
    finally:
        signal.setitimer(signal.ITIMER_PROF, 0)
        plt.close("all")
    return outcome, wrong and f"{kind} {seed}: {str(given)[:300]}\n{wrong}"


def peak():
    """The most memory of this process since the last call [byte]; 0 where nothing tells."""
    try:
        status = Path("/proc/self/status").read_text()
        Path("/proc/self/clear_refs").write_text("5")
    except OSError:
        return 0
    return 1024 * int(re.search(r"VmHWM:\s+(\d+)", status)[1])


def batch(kind, seeds):
    """Counts by kind and outcome, and the findings, of some inputs in this process."""
    counts, findings = Counter(), []
    with guarded():
        peak()
        for seed in seeds:
            faulthandler.dump_traceback_later(STUCK, exit=True)
            outcome, wrong = tried(kind, seed)
            faulthandler.cancel_dump_traceback_later()
            counts[kind, outcome] += 1
            if (most := peak()) > BYTES and not wrong:
                wrong = f"{kind} {seed}: {most / 1e9:.1f} GB"
            findings += [wrong] if wrong else []
    return counts, findings


def run(inputs, first=0, workers=1, kinds=tuple(KINDS)):
    """All counts; a finding is printed when it is made."""
    each = math.ceil(inputs / len(kinds))
    tasks = [
        (kind, range(start, min(start + BATCH, first + each)))
        for start in range(first, first + each, BATCH)
        for kind in kinds
    ]
    counts, begun, count = Counter(), time.monotonic(), 0
    with ProcessPoolExecutor(workers) as pool:
        for done, (found, findings) in enumerate(pool.map(batch, *zip(*tasks, strict=True)), 1):
            counts.update(found)
            count += len(findings)
            for finding in findings:
                print(finding, flush=True)
            if done % (8 * len(kinds)) == 0:
                took = time.monotonic() - begun
                print(f"-- {counts.total()} inputs, {count} findings, {took:.0f} s", flush=True)
    return counts, count


if __name__ == "__main__":
    asked, first, *kinds = sys.argv[1:] + ["0"] * (len(sys.argv) == 2)
    counts, count = run(int(asked), int(first), kinds=tuple(kinds) or tuple(KINDS))
    for kind in KINDS:
        print(f"{kind:<12}", *(f"{counts[kind, x]:>6} {x}" for x in ("computed", "refused")))
    print(json.dumps({"inputs": counts.total(), "findings": count}))
    sys.exit(bool(count))
