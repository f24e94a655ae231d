"""A million calls, from JSON lines to a profile: seconds, memory, and DuckDB beside it.

`python benchmarks/ingest.py [CALLS]` writes the lines into a temporary folder, reads them with
`cm.ingest.read` and `cm.history.profile` in a process of its own, and counts the same lines with
DuckDB (`pip install duckdb`). The budget is 10 s and 300 MB for 1,000,000 calls on two cores.
"""

from __future__ import annotations

import json
import random
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

OURS = """
import costmodel as cm
usage = cm.ingest.read({path!r})
found = cm.history.profile(usage)
cached = usage.table[["cache_read", "output"]].sum()
counted = len(usage.table), int(cached["cache_read"]), int(cached["output"])
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
MEASURED = """
import resource, time
start, work = time.perf_counter(), time.process_time()
{code}
mb = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
seconds, cpu = time.perf_counter() - start, time.process_time() - work
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


def main(calls: int = 1_000_000) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "calls.jsonl"
        written(path, calls)
        for name, code in {"costmodel": OURS, "duckdb": DUCKDB}.items():
            script = MEASURED.format(code=code.format(path=str(path)))
            run = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True)
            print(f"{name:<12}{run.stdout.strip() or run.stderr.strip().splitlines()[-1]}")


if __name__ == "__main__":
    main(*map(int, sys.argv[1:]))
