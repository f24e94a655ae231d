"""Load tests of your own: how fast a deployment answered, and how much it carried."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd

from costmodel.core import Range, check, frozen, public
from costmodel.core.forms import Z90
from costmodel.ingest.collect import collected
from costmodel.ingest.reader import COLUMNS

NUMBERS = [name for name in COLUMNS["load test"] if name not in ("model", "start_s", "end_s")]
TIMES = ("ttft", "tpot", "e2e")
LATE = 0.99


@frozen
class LoadTest:
    """Runs of a load test; `read_load_test` makes it.

    Parameters
    ----------
    table : DataFrame
        One row a run: `file`, `tool`, `model`, `concurrency`, `rate_per_s`, `duration_s`,
        `completed` and `failed` requests, `input` and `output` [token a request],
        `requests_per_s`, `output_per_s` [token/s], and the mean and the 99th percentile of the time
        to the first token, per later token and of the whole request [s]: `ttft_s`, `ttft_p99_s`,
        `tpot_s`, ..., `e2e_p99_s`. What a tool does not say is empty.

    Examples
    --------
    >>> runs = pd.DataFrame({"requests_per_s": [1.0, 4.0], "completed": [100, 400]})
    >>> LoadTest(runs).requests_per_s().mid
    4.0
    """

    table: pd.DataFrame

    def best(self) -> pd.Series:
        """The run that carried most requests a second."""
        rates = self.table["requests_per_s"]
        check(rates.notna().any(), "no run says how many requests a second it carried")
        return self.table.loc[rates.idxmax()]

    def requests_per_s(self, replicas: int = 1) -> Range:
        """Most requests a second of one replica; the band is that of a count of requests, and of
        runs that carried nearly as many.
        """
        best = self.best()
        rates, rate = self.table["requests_per_s"], best["requests_per_s"]
        near = rates[rates > rate * 0.8]
        error = np.hypot(1 / np.sqrt(max(best["completed"], 1)), near.std(ddof=0) / rate)
        factor = float(np.exp(Z90 * error))
        why = f"your load test, {best.get('completed', np.nan):,.0f} requests"
        mid = float(rate / replicas)
        return Range(mid / factor, mid * factor, mid=mid, why=why)


@public
def read_load_test(paths: Any) -> LoadTest:
    """Read load tests of vLLM, SGLang, guidellm, AIPerf, inference-perf, llmperf, genai-bench and
    llm-d, each in its own unit.

    Parameters
    ----------
    paths : path or list of paths

    Returns
    -------
    LoadTest
        One row a run; single requests are gathered into one run a file.

    Raises
    ------
    CatalogError
        Where a file is in no known format.

    Examples
    --------
    >>> from pathlib import Path
    >>> from tempfile import TemporaryDirectory
    >>> text = '{"request_throughput": 2, "total_output_tokens": 9, "mean_ttft_ms": 250}'
    >>> with TemporaryDirectory() as folder:
    ...     _ = (Path(folder) / "run.json").write_text(text)
    ...     read_load_test(folder).table.ttft_s.item()
    0.25
    """
    runs = [
        (rows if "completed" in reader.fields else _gathered(rows)).assign(
            file=file, tool=reader.name
        )
        for file, rows, reader, _ in collected(paths, "load test")
    ]
    return LoadTest(pd.concat(runs, ignore_index=True)[["model", *NUMBERS, "file", "tool"]])


def _gathered(requests: pd.DataFrame) -> pd.DataFrame:
    """One run of single requests."""
    done = requests[requests["failed"] == 0]
    run = done[[*NUMBERS]].mean().to_frame().T.assign(model="")
    for name in TIMES:
        run[f"{name}_p99_s"] = done[f"{name}_s"].quantile(LATE)
    span = done["end_s"].max() - done["start_s"].min()
    return run.assign(
        completed=len(done), failed=requests["failed"].sum(), duration_s=span,
        requests_per_s=len(done) / span, output_per_s=done["output"].sum() / span,
    )  # fmt: skip
