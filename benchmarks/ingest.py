"""Calls from files to a profile: seconds, memory, and DuckDB beside it.

`python benchmarks/ingest.py [CALLS] [ROWS]` writes CALLS as JSON lines and ROWS as a folder of
Parquet files into a temporary folder, reads them with `cm.ingest.read` and `cm.history.profile` in
a process of its own, and counts the same with DuckDB (`pip install costmodel[ingest]`); where the
counts differ it fails. The budget is 10 s and 300 MB for 1,000,000 calls as JSON lines on two
cores. The Parquet files are read as sums of hours on two processes, whose memory is added up.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

FILES = 10
OURS = """
import costmodel as cm
usage = cm.ingest.read({path!r})
found = cm.history.profile(usage)
cached = usage.table[["cache_read", "output"]].sum()
counted = usage.table["calls"].sum(), cached["cache_read"], cached["output"]
"""
OURS_BY_HOUR = """
import costmodel as cm
from concurrent.futures import ProcessPoolExecutor
with ProcessPoolExecutor(2) as pool:
    usage = cm.ingest.read({path!r}, executor=pool, every="1h")
found = cm.history.profile(usage)
cached = usage.table[["cache_read", "output"]].sum()
counted = usage.table["calls"].sum(), cached["cache_read"], cached["output"]
"""
DUCKDB = """
import duckdb
duckdb.sql("set threads = 2")
counted = duckdb.sql('''
    select count(*), sum(usage.prompt_tokens_details.cached_tokens),
           sum(usage.completion_tokens - usage.completion_tokens_details.reasoning_tokens)
    from read_json({path!r}, format='newline_delimited', columns={{
      created: 'BIGINT', model: 'VARCHAR', usage: 'STRUCT(prompt_tokens BIGINT,
      completion_tokens BIGINT, prompt_tokens_details STRUCT(cached_tokens BIGINT),
      completion_tokens_details STRUCT(reasoning_tokens BIGINT))'}})
''').fetchall()[0]
"""
DUCKDB_PARQUET = """
import duckdb
duckdb.sql("set threads = 2")
counted = duckdb.sql('''
    select count(*), sum(cache_read), sum(output) from read_parquet('{path}/*')
''').fetchall()[0]
"""
MEASURED = """
import resource, time
start = time.perf_counter()
{code}
seconds = time.perf_counter() - start
own, others = (resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN))
cpu = sum(u.ru_utime + u.ru_stime for u in (own, others))
mb = (own.ru_maxrss + {processes} * others.ru_maxrss) / 1024
counted = tuple(map(int, counted))
print(f"{{seconds:6.1f}} s, {{cpu:6.1f}} s of processor, {{mb:5.0f}} MB, {{counted}}")
"""


def written(path: Path, calls: int) -> None:
    """Answers of a compatible host over four weeks, each with some text."""
    chance = random.Random(1)
    with path.open("w", encoding="utf-8") as file:
        for k in range(calls):
            cached = chance.randrange(900)
            usage = {
                "prompt_tokens": 1_000 + cached,
                "completion_tokens": 50,
                "total_tokens": 1_050 + cached,
                "prompt_tokens_details": {"cached_tokens": cached},
                "completion_tokens_details": {"reasoning_tokens": 10},
            }
            body = {
                "id": f"chatcmpl-{k:012d}",
                "created": 1_790_000_000 + k * 2_419_200 // calls,
                "model": chance.choice(["gpt-4o", "gpt-4o-mini", "gpt-5"]),
                "choices": [{"index": 0, "message": {"role": "assistant", "content": "x" * 40}}],
                "usage": usage,
            }
            file.write(json.dumps(body) + "\n")


def written_parquet(folder: Path, rows: int) -> None:
    """A warehouse table of calls over a year, one file for each part of it."""
    import duckdb

    folder.mkdir()
    each = rows // FILES
    for k in range(FILES):
        duckdb.sql(f"""copy (
            select timestamp '2025-11-01'
                    + to_seconds((({k} * {each} + r) * 31536000.0 / {rows})::bigint) as time,
                ['gpt-4o', 'gpt-4o-mini', 'gpt-5'][1 + floor(random() * 3)::int] as model,
                (500 + random() * 9000)::bigint as input, (random() * 900)::bigint as cache_read,
                (random() * 400)::bigint as output
            from range({each}) as t(r)) to '{folder / f"{k}.parquet"}' (format parquet)""")


def measured(name: str, code: str, path: Path, processes: int = 0) -> str:
    """Print seconds and memory; what was counted is returned."""
    script = MEASURED.format(code=code.format(path=str(path)), processes=processes)
    run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
    print(f"{name:<20}{run.stdout.strip() or run.stderr.strip().splitlines()[-1]}", flush=True)
    return run.stdout.partition("MB, ")[2]


def compared(path: Path, ours: tuple[str, str, int], theirs: str) -> None:
    """Read a path in both ways, which must count the same."""
    if measured(*ours[:2], path, ours[2]) != measured("duckdb", theirs, path):
        raise SystemExit("the counts differ")


def main(calls: int = 1_000_000, rows: int = 10_000_000) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "calls.jsonl"
        written(path, calls)
        print(f"{calls:,} calls as JSON lines, {path.stat().st_size / 1e6:,.0f} MB")
        compared(path, ("costmodel", OURS, 0), DUCKDB)
    with TemporaryDirectory() as folder:
        path = Path(folder) / "calls"
        written_parquet(path, rows)
        size = sum(file.stat().st_size for file in path.iterdir())
        print(f"{rows:,} calls as Parquet, {size / 1e6:,.0f} MB in {FILES} files")
        compared(path, ("costmodel, 2 workers", OURS_BY_HOUR, 2), DUCKDB_PARQUET)


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
