"""Speed against the budgets, each ratio measured side by side in this run. Run it with `make bench`."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable

import numpy as np

import costmodel as cm
from costmodel import report
from costmodel.decision import CHUNK, totals
from costmodel.ledger import Calendar, evaluate
from costmodel.ranges import draws, sample, uniforms
from costmodel.scenario import notebooks_folder
from costmodel.workload import Terms

WORK = cm.Workload(requests_per_month=300_000, instruction_tokens=600, input_tokens=900, output_tokens=250,
                   corpus=cm.Corpus(tokens=4_000_000, churn_per_month=0.03), usd_per_failure=0.2)  # fmt: skip


def best(work: Callable[[], object], times: int = 5) -> float:
    """Shortest of several runs [s]."""
    seconds = []
    for _ in range(times):
        start = time.perf_counter()
        work()
        seconds.append(time.perf_counter() - start)
    return min(seconds)


def row(what: str, seconds: float, budget: str, note: str = "") -> None:
    number, _, unit = budget.partition(" ")
    over = "OVER" if unit and seconds > float(number) * {"ms": 1e-3, "s": 1.0}[unit] else ""
    print(f"{what:<62} {seconds * 1e3:>9.1f} ms   budget {budget:<8} {over:<5} {note}")


def fresh(code: str) -> float:
    """Seconds of a statement in a new interpreter, without the start of the interpreter itself."""
    timed = f"import time; s = time.perf_counter(); {code}; print(time.perf_counter() - s)"
    return min(float(subprocess.run([sys.executable, "-c", timed], capture_output=True, text=True, check=True).stdout) for _ in range(3))


def bare(options: dict, n: int) -> tuple[Callable[[], object], Callable[[], object]]:
    """Two passes of bare NumPy over the arrays of the model, made beforehand: the products of every line and their sum
    (the least that any model must do), and one cube of draws x months for every option and price class, chunk by chunk."""
    things = sample((tuple(options.values()), WORK, Terms()), n)
    calendar = Calendar(things[1], things[2])
    columns, classes = [], []
    for option in things[0]:
        lines = evaluate(option, things[1], things[2]).lines
        columns.append([[np.broadcast_to(np.asarray(x, float), (n, 1)) for x in
                         (line.quantity, line.usd_per_unit, calendar.factor(line.schedule, line.trend))] for line in lines])  # fmt: skip
        monthly = {line.trend: np.zeros((n, 1)) for line in lines}
        for line in lines:
            monthly[line.trend] = monthly[line.trend] + line.quantity * line.usd_per_unit
        classes.append([(usd, calendar.prices(trend)) for trend, usd in monthly.items()])

    def products() -> None:
        for lines in columns:
            total = np.zeros((n, 1))
            for quantity, usd, factor in lines:
                total += quantity * usd * factor
            np.percentile(total, [10, 50, 90])

    def cubes() -> None:
        for parts in classes:
            total = np.zeros(n)
            for usd, prices in parts:
                for start in range(0, n, CHUNK):
                    rows = slice(start, start + CHUNK)
                    total[rows] += (usd[rows] * (prices[rows] if prices.ndim == 2 else prices)).sum(axis=1)
            np.percentile(total, [10, 50, 90])

    return products, cubes


def reports() -> None:
    """One notebook to HTML and PDF, and twenty in parallel."""
    notebook = notebooks_folder() / "01_which_approach.ipynb"
    with tempfile.TemporaryDirectory() as out:
        row("notebook 01 to HTML and PDF", best(lambda: report.run(notebook, out), 1), "15 s")
        jobs = {f"report {i}": (notebook, {"requests_per_month": 10_000 * (i + 1)}) for i in range(20)}
        row("20 scenarios as reports, two at a time", best(lambda: report.run_many(jobs, out), 1), "120 s")


def tokens() -> None:
    """Counting, beside raw tiktoken on the same texts in the same run."""
    import tiktoken

    texts = [(notebooks_folder() / "01_which_approach.ipynb").read_text(encoding="utf-8")] * 60
    cm.count_tokens("warm", "gpt-4o")
    from costmodel.tokens import _encoding

    raw = _encoding("o200k_base")
    assert isinstance(raw, tiktoken.Encoding)
    ours, theirs = best(lambda: cm.count_tokens(texts, "gpt-4o"), 3), best(lambda: raw.encode_ordinary_batch(texts, num_threads=2), 3)
    row("counting tokens", ours, "-", f"{ours / theirs:.2f}x of raw tiktoken batch (budget 1.2x), {sum(map(len, texts)) / ours / 1e6:.0f} MB/s")


def main() -> None:
    options = dict(list(cm.presets(WORK, on="2026-11-20").items())[:10])
    terms = Terms()
    pandas = fresh("import pandas")
    row("import costmodel", fresh("import costmodel"), "500 ms", f"import pandas alone {pandas * 1e3:.0f} ms")

    cm.compare(options, WORK, draws=10_000)
    row("compare 10 options, 36 months, 10,000 draws", best(lambda: cm.compare(options, WORK, draws=10_000)), "50 ms")
    row("the same at 1,000 draws (a slider move, model part)", best(lambda: cm.compare(options, WORK, draws=1_000)), "20 ms")

    draws.cache_clear()
    uniforms.cache_clear()
    first = best(lambda: cm.compare(options, WORK, draws=100_000), 1)
    again = best(lambda: cm.compare(options, WORK, draws=100_000), 3)
    row("compare 10 options, 100,000 draws, first time", first, "1 s")
    products, cubes = (best(run, 3) for run in bare(options, 100_000))
    note = f"{again / cubes:.1f}x of bare NumPy over draws x months ({cubes * 1e3:.0f} ms, budget 4x); {again / products:.1f}x of the products alone"
    row("the same again (draws remembered)", again, "1 s", note)
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{'peak memory of this process':<62} {peak:>9.2f} GB   budget 1 GB")

    volumes, corpora = np.geomspace(1e3, 1e7, 200), np.geomspace(1e5, 1e8, 200)
    across, down = (m.ravel() for m in np.meshgrid(volumes, corpora))
    region = best(lambda: totals(options, WORK, terms, grid={"requests_per_month": across, "Corpus.tokens": down}), 2)
    row("region map 200 x 200 of 10 options", region, "500 ms")
    ways = cm.knowledge_options(WORK, on="2026-11-20")
    row(f"region map 200 x 200 of {len(ways)} knowledge options", best(lambda: cm.knowledge_map(ways, WORK, draws=0), 3), "500 ms")
    row("the same with its uncertain border (40 draws, coarser)", best(lambda: cm.knowledge_map(ways, WORK), 2), "-")
    row("compare of the knowledge options, 1,000 draws (a slider move)", best(lambda: cm.compare(ways, WORK, draws=1_000), 3), "20 ms")
    sizes, counts = np.geomspace(1e8, 1e12, 100_000), np.resize([1, 8, 64, 512], 100_000)
    row("100,000 training runs predicted", best(lambda: cm.predict_training(sizes, 1e9, "H100-SXM", gpus=counts), 3), "1 s")
    reports()
    tokens()
    row("break-even of two options, 400 draws", best(lambda: cm.breakeven(options["Few-shot"], options["LoRA"], WORK), 3), "-")


if __name__ == "__main__":
    main()
