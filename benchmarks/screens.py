"""Screens of every cockpit, wide and narrow, and of the app: `make screens`, then look at them.

`python benchmarks/screens.py 02 05` takes those of some notebooks.
"""

from __future__ import annotations

import json
import sys
import tempfile
from pathlib import Path

from costmodel.scenarios.scenario import notebooks_folder

ROOT = Path(__file__).parents[1]
sys.path.insert(0, str(ROOT / "tests"))
from in_chromium import chromium, jupyter_lab, run_all, settled  # noqa: E402

OUT = ROOT / "reports" / "screens"
SIZES = {1400: 1050, 390: 1600}
APP = "from costmodel.pages.app import start\nstart()"


def cells(path: Path) -> str:
    """The code of a notebook down to its cockpit, as one cell."""
    code: list[str] = []
    for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]:
        if cell["cell_type"] == "code":
            code.append("".join(cell["source"]))
            if "widgets.cockpit(" in code[-1]:
                return "\n".join(code)
    return ""


def main(wanted: list[str]) -> None:
    paths = sorted(notebooks_folder().glob("0*.ipynb"))
    pages = {path.stem: source for path in paths if (source := cells(path))} | {"app": APP}
    pages = {x: y for x, y in pages.items() if not wanted or x.startswith(tuple(wanted))}
    OUT.mkdir(parents=True, exist_ok=True)
    with (
        tempfile.TemporaryDirectory() as folder,
        jupyter_lab(Path(folder), pages) as addresses,
        chromium() as page,
    ):
        for name, address in addresses.items():
            page.set_viewport_size({"width": 1400, "height": 1050})
            run_all(page, address, ".cm-start" if name == "app" else ".cm-one b")
            while name != "app" and not settled(page):
                page.wait_for_timeout(100)
            if name.startswith("01"):
                page.locator(".cm-cockpit").screenshot(path=OUT / "cockpit.png")
            for width, height in SIZES.items():
                page.set_viewport_size({"width": width, "height": height})
                page.locator(".cm-start, .cm-cockpit").first.scroll_into_view_if_needed()
                page.wait_for_timeout(1_000)
                page.screenshot(path=OUT / f"{name}_{width}.png")
                print(OUT / f"{name}_{width}.png")


if __name__ == "__main__":
    main(sys.argv[1:])
