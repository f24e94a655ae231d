"""The page with sliders beside Python, at 200 random positions that its curves have not seen.

Every example, or those named, with all of its draws: `python benchmarks/sliders.py own_gpus`. It
prints the largest difference of expected cost, present value and share accepted, the error that the
page states, and its size.
"""

from __future__ import annotations

import sys
import tempfile
from pathlib import Path
from unittest.mock import patch

import numpy as np

import costmodel as cm
from costmodel.decisions.response import FAILURES, Position, Response, exact, respond
from costmodel.pages.report.exports import interactive
from costmodel.scenarios.scenario import examples

POSITIONS, SEED = 200, 2026


def anywhere(made: Response) -> list[Position]:
    """Positions, each slider anywhere between its ends."""
    rng = np.random.default_rng(SEED)
    return [
        (
            {name: float(rng.uniform(*ends)) for name, ends in made.reach.items()},
            int(rng.choice(made.months)),
            float(rng.uniform(0, FAILURES)),
        )
        for _ in range(POSITIONS)
    ]


def gaps(made: Response, label: str, places: list[Position], found: np.ndarray) -> np.ndarray:
    """The largest differences of expected cost, present value (relative) and share accepted."""
    rows = []
    for place, (*logs, share, _) in zip(places, found, strict=True):
        horizon, failures = made.months.index(place[1]), place[2]
        ours = made.curves[label].at(made.coordinates(place), horizon, failures)
        theirs = np.exp(logs) * (1, failures, 1, failures)
        both = (x.reshape(2, 2).sum(axis=1) for x in (ours[:4], theirs))
        rows.append([*(np.divide(*both) - 1), np.nan_to_num(ours[4] - share)])
    return np.abs(rows).max(axis=0)


def main(names: list[str]) -> None:
    for name in names or examples():
        study, kept = cm.load(name), []

        def keep(*asked: object, kept: list[Response] = kept) -> Response:
            kept.append(respond(*asked))
            return kept[0]

        with patch.object(interactive, "respond", keep), tempfile.TemporaryDirectory() as folder:
            size = cm.report.interactive(study, Path(folder) / "page.html").stat().st_size
        (made,) = kept
        places = anywhere(made)
        found = exact(study, [*made.curves], places)
        print(f"{name}: {study.draws:,} draws, {size / 1e6:.2f} MB", flush=True)
        for label in made.curves:
            cost, worth, share = gaps(made, label, places, found[label])
            stated, count = made.errors[label], made.positions[label]
            print(f"  {label:36} {cost:7.2%} {worth:7.2%} {share:7.4f}", end="")
            print(f"   stated {stated:.2%} at {count}", flush=True)


if __name__ == "__main__":
    main(sys.argv[1:])
