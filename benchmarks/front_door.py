"""Make what the README shows: pictures of reports, the answer, and how far to trust it.

    python benchmarks/front_door.py            pictures (a minute) and words
    python benchmarks/front_door.py --words    the words alone (some seconds)

A test holds the words in the README against `words()`, so a number there is always today's.
"""

import re
import sys
import tempfile
from pathlib import Path

import costmodel as cm
from costmodel import report

ROOT = Path(__file__).parents[1]
README = ROOT / "README.md"
PICTURES = ROOT / "docs" / "pictures"
SCENARIO = "support_assistant"
NO_INDEX = "no index: size and date, or nothing"
TASKS = {
    "task and model": "quality: from the task and the model alone",
    NO_INDEX: "quality: the same, mostly of older models",
    "one measured": "quality: with one other model measured",
}


def answer() -> str:
    """The answer of notebook 01 on its example, as a quotation."""
    return "> " + cm.recommend(cm.load(SCENARIO)).headline


def trust() -> str:
    """Errors and coverage of every prediction that published measurements can be held against."""
    rows = [("prediction", "held against", "median error", "in the 80 % band")]
    parts = {
        "pre-training": "speed of pre-training",
        "fine-tuning": "speed of fine-tuning",
        "memory": "peak memory of training",
    }
    for part, name in parts.items():
        row = cm.validation.error_by(cm.validation.fidelity(part)).iloc[-1]
        held = f"{row.runs:,.0f} runs, family left out"
        rows.append((name, held, percent(row.error), percent(row.coverage)))
    served = cm.validation.serving_errors(cm.validation.serving_held_out())
    for name, row in served.iterrows():
        if "fitted" in str(name):  # nothing was left out of it
            continue
        held = f"{row.rows:,.0f} measurements, setup left out"
        rows.append((f"serving: {name}", held, percent(row.error), percent(row.coverage)))
    figures = cm.validation.quality_fidelity(by=None)
    for name, found in figures.groupby("curve", sort=False):
        error = (found["mid"] - found["reported"]).abs().median()
        held = f"{len(found):,} figures, benchmark left out"
        inside = percent(found["inside"].mean())
        rows.append((f"quality: {name}", held, f"{100 * error:.0f} points", inside))
    expected = cm.validation.task_quality_fidelity()
    for check, name in TASKS.items():
        row, which = expected.loc[(check, "all")], "without" if check == NO_INDEX else "with"
        held = f"{row.rows:,.0f} scores of models {which} an index, benchmark left out"
        rows.append((name, held, f"{100 * row.error:.0f} points (mean)", percent(row.coverage)))
    lines = ["| " + " | ".join(row) + " |" for row in rows]
    return "\n".join([lines[0], "|---" * 4 + "|", *lines[1:]])


def assumed() -> str:
    """The share of the defaults with a range that no source stands behind."""
    table = cm.ledgers.register(cm.load(SCENARIO))
    ranged = table[table["default"] & (table["low"] < table["high"])]
    share = percent(ranged["confidence"].eq("assumed").mean())
    return (
        f"* **{share} of the {len(ranged)} defaults with a range** in the example above are "
        "assumptions of ours."
    )


def percent(x: float) -> str:
    return "–" if x != x else f"{100 * x:.0f} %"


def words() -> dict[str, str]:
    """{name of a block in the README: its text}."""
    return {"answer": answer(), "trust": trust(), "assumed": assumed()}


def block(name: str) -> re.Pattern[str]:
    """A block of the README between two comments."""
    return re.compile(rf"(<!-- {name} -->\n)(.*?)(<!-- /{name} -->)", re.S)


def pictures() -> None:
    """The first page of every report, and of the board pack."""
    from PIL import Image
    from PIL.PngImagePlugin import PngInfo

    from costmodel.pages.report.pack import stitched
    from costmodel.scenarios.scenario import notebooks_folder

    PICTURES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, stitched() as board:
        for notebook in [*sorted(notebooks_folder().glob("*.ipynb")), board]:
            made = report.run(notebook, folder, formats=("png",))
            said = PngInfo()
            said.add_itxt("answer", made.answer)  # a test holds it against the words of the README
            Image.open(made.png).save(PICTURES / made.png.name, pnginfo=said, optimize=True)
            print(made.png.name, flush=True)


if __name__ == "__main__":
    text = README.read_text(encoding="utf-8")
    for name, said in words().items():
        text = block(name).sub(lambda found, said=said: f"{found[1]}{said}\n{found[3]}", text)
    README.write_text(text, encoding="utf-8")
    if "--words" not in sys.argv:
        pictures()
