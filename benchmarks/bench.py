"""Speed against the budgets, each ratio measured side by side in this run: `make bench`."""

from __future__ import annotations

import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path

import numpy as np

import costmodel as cm
from costmodel.choices.terms import Terms
from costmodel.core.draws import doubts, sample, strata, values_and_middle
from costmodel.core.nested import rewrite
from costmodel.decisions.simulate import per_draw, totals
from costmodel.ledgers.batches import BATCH
from costmodel.ledgers.calendar import Calendar
from costmodel.ledgers.engine import Bill, evaluate
from costmodel.pages.report import runner as report
from costmodel.scenarios.scenario import notebooks_folder

sys.path.insert(0, str(Path(__file__).parents[1] / "tests"))
from in_chromium import CHROMIUM, chromium, jupyter_lab, run_all, settled

WORK = cm.Workload(
    requests_per_month=300_000,
    instruction_tokens=600,
    input_tokens=900,
    output_tokens=250,
    corpus=cm.Corpus(tokens=4_000_000, churn_per_month=0.03),
    usd_per_failure=0.2,
)


TEN = [
    *("Prompt", "Few-shot", "Few-shot + cache", "RAG", "GraphRAG", "Long context + cache"),
    *("Managed fine-tune", "LoRA", "Distilled", "Cascade"),
]


def best(work: Callable[[], object], times: int = 5) -> float:
    """Shortest of several runs [s]."""
    return in_turns(work, times=times)[0]


def in_turns(*works: Callable[[], object], times: int = 5) -> list[float]:
    """Shortest of several runs of each [s], in turns: a busy moment slows all of them."""
    seconds = np.empty((times, len(works)))
    for i in range(times):
        for j, work in enumerate(works):
            start = time.perf_counter()
            work()
            seconds[i, j] = time.perf_counter() - start
    return seconds.min(axis=0).tolist()


def row(what: str, seconds: float, budget: str, note: str = "") -> None:
    number, _, unit = budget.partition(" ")
    over = "OVER" if unit and seconds > float(number) * {"ms": 1e-3, "s": 1.0}[unit] else ""
    print(f"{what:<62} {seconds * 1e3:>9.1f} ms   budget {budget:<8} {over:<5} {note}")


def fresh(code: str) -> float:
    """Seconds of a statement in a new interpreter, without the start of the interpreter itself."""
    timed = f"import time; s = time.perf_counter(); {code}; print(time.perf_counter() - s)"
    return min(
        float(
            subprocess.run(
                [sys.executable, "-c", timed], capture_output=True, text=True, check=True
            ).stdout
        )
        for _ in range(3)
    )


def bare(options: dict, n: int) -> tuple[Callable[[], object], Callable[[], object]]:
    """Two passes of bare NumPy over the arrays of the model, made beforehand.

    The products of every line and their sum, the least that any model must do; and one cube of
    draws x months for every option and price class, chunk by chunk.
    """
    things = sample((tuple(options.values()), WORK, Terms()), n)
    calendar = Calendar(things[1], things[2])
    columns, classes = [], []
    for option in things[0]:
        lines = evaluate(option, things[1], things[2]).lines
        columns.append(
            [
                [
                    np.broadcast_to(np.asarray(x, float), (n, 1))
                    for x in (
                        line.quantity,
                        line.usd_per_unit,
                        calendar.factor(line.schedule, line.trend),
                    )
                ]
                for line in lines
            ]
        )
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
                for start in range(0, n, BATCH):
                    rows = slice(start, start + BATCH)
                    total[rows] += (usd[rows] * (prices[rows] if prices.ndim == 2 else prices)).sum(
                        axis=1
                    )
            np.percentile(total, [10, 50, 90])

    return products, cubes


def reports() -> None:
    """One notebook to HTML and PDF (the median of five, and where its time goes), and twenty in
    parallel."""
    notebook = notebooks_folder() / "01_which_approach.ipynb"
    with tempfile.TemporaryDirectory() as out:
        made = [report.run(notebook, out) for _ in range(5)]
        middle = sorted(made, key=lambda one: one.whole_s)[2]
        row("notebook 01 to HTML and PDF", middle.whole_s, "8 s", middle.took)
        jobs = {
            f"report {i}": (notebook, {"requests_per_month": 10_000 * (i + 1)}) for i in range(20)
        }
        seconds = best(lambda: report.run_many(jobs, out), 1)
        row("20 scenarios as reports, two at a time", seconds, "60 s")


def tokens() -> None:
    """Counting, beside raw tiktoken on the same texts in the same run."""
    import tiktoken

    texts = [(notebooks_folder() / "01_which_approach.ipynb").read_text(encoding="utf-8")] * 60
    cm.facts.count_tokens("warm", "gpt-4o")
    from costmodel.facts.tokens import _encoding

    raw = _encoding("o200k_base")
    assert isinstance(raw, tiktoken.Encoding)
    ours, theirs = in_turns(
        lambda: cm.facts.count_tokens(texts, "gpt-4o"),
        lambda: raw.encode_ordinary_batch(texts, num_threads=2),
    )
    row(
        "counting tokens",
        ours,
        "-",
        f"{ours / theirs:.2f}x of raw tiktoken batch (budget 1.2x), "
        f"{sum(map(len, texts)) / ours / 1e6:.0f} MB/s",
    )


def peers(options: dict, terms: Terms) -> None:
    """The same model as a squigglepy function, where installed; and Sobol indices."""
    ours = best(lambda: cm.compare(options, WORK, draws=100_000, terms=terms), 2) / 100_000
    try:
        import squigglepy as sq
    except ImportError:
        print("squigglepy is not installed: no comparison (`make bench` installs it)")
    else:
        theirs_each = squiggle(sq, options, terms)
        row(
            "the same model as a squigglepy function, one draw",
            theirs_each,
            "-",
            f"{theirs_each / ours:,.0f}x ours (budget: at least 20x), "
            f"mean of {SQUIGGLES} draws, each of which runs the whole bill",
        )
    indices(options["RAG"], terms)


def indices(option: cm.Option, terms: Terms) -> None:
    """Sobol indices of one option, and the same by SALib on the same model, where installed."""
    keys = list(doubts((option, WORK, terms)))
    evaluations: list[int] = []

    def model(u: np.ndarray) -> np.ndarray:
        evaluations.append(len(u))
        points = {key: column[:, None] for key, column in zip(keys, u.T, strict=True)}
        study = cm.Study({"x": option}, WORK, terms)
        return per_draw(study, (Bill.total,), len(u), points=points)[0]["x"]

    mine = best(lambda: cm.uncertainty.sobol_indices(model, keys, POINTS), 3)
    row(
        f"Sobol indices of {len(keys)} inputs, {POINTS} points, with a bootstrap",
        mine,
        "2 s",
        f"{max(evaluations):,} rows",
    )
    try:
        from SALib.analyze import sobol as analyze
        from SALib.sample import sobol as sample_sobol
    except ImportError:
        print("SALib is not installed: no comparison (`make bench` installs it)")
        return
    problem = {"num_vars": len(keys), "names": keys, "bounds": [[0.0, 1.0]] * len(keys)}

    def theirs() -> dict:
        x = np.clip(
            sample_sobol.sample(problem, POINTS, calc_second_order=False, seed=1), 1e-9, 1 - 1e-9
        )
        return analyze.analyze(
            problem, model(x), calc_second_order=False, num_resamples=200, seed=1
        )

    found = dict(zip(keys, theirs()["ST"], strict=True))
    apart = max(
        abs(found[r.input] - r.total)
        for r in cm.uncertainty.sobol_indices(model, keys, POINTS).itertuples()
    )
    row(
        "the same by SALib, on the same model",
        best(theirs, 2),
        "-",
        f"total indices differ by {apart:.3f} at most",
    )


SQUIGGLES = 40  # draws that squigglepy makes here: its function runs once for each


def squiggle(sq: object, options: dict, terms: Terms) -> float:
    """Seconds of one draw of the model as a squigglepy function.

    Each doubt is a distribution of its own, the bill is in plain numbers.
    """
    things = (tuple(options.values()), WORK, terms)
    kinds = {}
    for key, value in doubts(things).items():
        share, positive = getattr(value, "form", "share") == "share", value.low > 0
        kinds[key] = (
            sq.norm(value.low, value.high, lclip=value.low, rclip=value.high)
            if share or not positive
            else sq.lognorm(value.low, value.high)
        )

    def bill() -> float:
        drawn = {key: np.full((1, 1), float(sq.sample(kind))) for key, kind in kinds.items()}
        chosen, work, month_terms = rewrite(
            things, lambda key, old: drawn.get(key, old.mid), doubts_only=True
        )
        calendar = Calendar(work, month_terms)
        return sum(
            float(np.squeeze(evaluate(option, work, month_terms).total(calendar)))
            for option in chosen
        )

    start = time.perf_counter()
    sq.sample(bill, n=SQUIGGLES)
    return (time.perf_counter() - start) / SQUIGGLES


WATCH = """() => {
    window.painted = 0;
    const late = () => requestAnimationFrame(() => setTimeout(() => {
        window.painted = performance.now();
    }));
    for (const part of document.querySelectorAll('.cm-top, .cm-picture'))
        new MutationObserver(late).observe(part,
            {subtree: true, childList: true, characterData: true, attributes: true});
    document.querySelector('.cm-picture').addEventListener('load', () => requestAnimationFrame(
        () => { window.pictured = performance.now(); }), true);
    window.addEventListener('pointerup', () => window.released = performance.now(), true);
}"""


AFTER = "[(pictured - released) / 1000, (painted - released) / 1000]"


def cockpit() -> None:
    """From the release of a slider to the last paint, in a real Chromium, and our part of it."""
    study = cm.load("support_assistant")
    box = cm.widgets.cockpit(study, draws=1_000)
    control = box.controls["Workload.requests_per_month"]
    volumes = iter(np.geomspace(1e5, 1e6, 50))

    def move() -> None:
        control.slider.value = float(next(volumes))

    row("a slider at rest: verdict and picture, 1,000 draws", best(move, 9), "150 ms")
    if CHROMIUM is None:
        print("slider release to last paint: not measured, no Chromium found")
        return
    cell = 'import costmodel as cm\ncm.widgets.cockpit(cm.load("support_assistant"))'
    seconds = []
    with (
        tempfile.TemporaryDirectory() as folder,
        jupyter_lab(Path(folder), {"cockpit": cell}) as addresses,
        chromium() as page,
    ):
        run_all(page, addresses["cockpit"], ".cm-one")
        page.wait_for_timeout(3_000)
        page.evaluate(WATCH)
        handle = page.locator(".cm-left .noUi-handle").first
        for number in range(15):
            at = handle.bounding_box()
            x, y = at["x"] + at["width"] / 2, at["y"] + at["height"] / 2
            page.mouse.move(x, y)
            page.mouse.down()
            page.mouse.move(x + (30 if number % 2 else -30), y, steps=12)
            page.mouse.up()
            page.wait_for_timeout(1_500)
            while not settled(page):
                page.wait_for_timeout(50)
            seconds.append(page.evaluate(AFTER))
    picture, last = np.median(seconds, axis=0).tolist()
    row("slider release to cards and picture, 01 in Chromium", picture, "250 ms", "median of 15")
    row("slider release to last paint: what to judge first is weighed", last, "250 ms")


def scaling(options: dict) -> None:
    """From a thousand to a million draws, first and with the draws remembered; the figure of it."""
    first, again = [], []
    for n in SCALE:
        values_and_middle.cache_clear()
        strata.cache_clear()
        first.append(best(lambda n=n: cm.compare(options, WORK, draws=n), 1))
        again.append(best(lambda n=n: cm.compare(options, WORK, draws=n), 1 if n > 100_000 else 3))
        row(
            f"compare 10 options, {n:,} draws, first time",
            first[-1],
            "-",
            f"{first[-1] / n * 1e6:.1f} us a draw; again {again[-1] / n * 1e6:.1f} us",
        )
    values_and_middle.cache_clear()
    strata.cache_clear()
    slopes = [np.log(x[-1] / x[-2]) / np.log(SCALE[-1] / SCALE[-2]) for x in (first, again)]
    print(
        f"{'time grows with the draws to the power of':<62} {slopes[0]:>9.2f}      "
        f"from {SCALE[-2]:,} to {SCALE[-1]:,}, again {slopes[1]:.2f}; 1 is linear"
    )


SCALE = (1_000, 10_000, 100_000, 1_000_000)
POINTS = 1024


def comparing(options: dict) -> None:
    """`compare` at three sizes, beside bare NumPy."""
    cm.compare(options, WORK, draws=10_000)
    row(
        "compare 10 options, 36 months, 10,000 draws",
        best(lambda: cm.compare(options, WORK, draws=10_000)),
        "50 ms",
    )
    row(
        "the same at 1,000 draws (a slider move, model part)",
        best(lambda: cm.compare(options, WORK, draws=1_000)),
        "20 ms",
    )

    values_and_middle.cache_clear()
    strata.cache_clear()
    first = best(lambda: cm.compare(options, WORK, draws=100_000), 1)
    row("compare 10 options, 100,000 draws, first time", first, "1 s")
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    print(f"{'peak memory of this process':<62} {peak:>9.2f} GB   budget 1 GB")
    again, products, cubes = in_turns(
        lambda: cm.compare(options, WORK, draws=100_000), *bare(options, 100_000)
    )
    note = (
        f"{again / cubes:.1f}x of bare NumPy over draws x months "
        f"({cubes * 1e3:.0f} ms, budget 4x); {again / products:.1f}x of the products alone"
    )
    row("the same again (draws remembered)", again, "1 s", note)


def maps(options: dict, terms: Terms) -> None:
    """Whole grids at once: region maps and training runs."""
    volumes, corpora = np.geomspace(1e3, 1e7, 200), np.geomspace(1e5, 1e8, 200)
    across, down = (m.ravel() for m in np.meshgrid(volumes, corpora))
    study, grid = (
        cm.Study(options, WORK, terms),
        {"requests_per_month": across, "Corpus.tokens": down},
    )
    region = best(lambda: totals(study, grid=grid), 2)
    row("region map 200 x 200 of 10 options", region, "500 ms")
    ways = cm.knowledge.knowledge_options(WORK, on="2026-11-20")
    row(
        f"region map 200 x 200 of {len(ways)} knowledge options",
        best(lambda: cm.knowledge.knowledge_map(ways, WORK, draws=0), 3),
        "500 ms",
    )
    row(
        "the same with its uncertain border (40 draws, coarser)",
        best(lambda: cm.knowledge.knowledge_map(ways, WORK), 2),
        "-",
    )
    row(
        "compare of the knowledge options, 1,000 draws (a slider move)",
        best(lambda: cm.compare(ways, WORK, draws=1_000), 3),
        "20 ms",
    )
    sizes, counts = np.geomspace(1e8, 1e12, 100_000), np.resize([1, 8, 64, 512], 100_000)
    row(
        "100,000 training runs predicted",
        best(lambda: cm.training.predict_training(sizes, 1e9, "H100-SXM", gpus=counts), 3),
        "1 s",
    )


def main() -> None:
    options = cm.presets(WORK, on="2026-11-20", only=TEN)
    terms = Terms()
    pandas = fresh("import pandas")
    row(
        "import costmodel",
        fresh("import costmodel"),
        "500 ms",
        f"import pandas alone {pandas * 1e3:.0f} ms",
    )
    comparing(options)
    peers(options, terms)
    maps(options, terms)
    reports()
    cockpit()
    tokens()
    voi = best(lambda: cm.uncertainty.value_of_information(options, WORK, draws=10_000), 1)
    row("value of information of 10 options, 10,000 draws", voi, "-")
    scaling(options)
    row(
        "break-even of two options, 400 draws",
        best(
            lambda: cm.breakeven({"first": options["Few-shot"], "second": options["LoRA"]}, WORK), 3
        ),
        "-",
    )


if __name__ == "__main__":
    main()
