"""At size: Parquet, sums by hour and a cluster that loses a worker say what single calls say."""

import gzip
import json
import os
import random
import signal
import threading
import time

import pandas as pd
import pytest
from tqdm import tqdm

import costmodel as cm


def bodies(seed, count=400):
    """Answers of a compatible host over two weeks of hours, in the nested form of its API."""
    chance = random.Random(seed)
    for k in range(count):
        sent, cached = chance.randrange(500, 90_000), chance.randrange(400)
        yield {
            "id": f"c{seed}-{k}", "created": 1_790_000_000 + k * 3_000, "batch": k % 7 == 0,
            "model": chance.choice(["gpt-4o", "gpt-4o-mini"]),
            "usage": {"prompt_tokens": sent, "completion_tokens": 50, "total_tokens": sent + 50,
                      "prompt_tokens_details": {"cached_tokens": cached}},
        }  # fmt: skip


def parquet(path, sql):
    duckdb = pytest.importorskip("duckdb")
    duckdb.sql(f"copy ({sql}) to '{path}' (format parquet)")
    return path


def same(one, other):
    assert one.table.equals(other.table)
    assert sorted(one.notes) == sorted(other.notes)
    assert one.set_aside["reason"].tolist() == other.set_aside["reason"].tolist()


def test_parquet_says_what_json_lines_say(write, tmp_path):
    broken = {"id": "x", "created": 1_790_000_000, "model": "gpt-4o",
              "usage": {"prompt_tokens": 5, "completion_tokens": 5, "total_tokens": 99,
                        "prompt_tokens_details": {"cached_tokens": 0}}, "batch": False}  # fmt: skip
    lines = write("log.jsonl", [*bodies(1), broken])
    nested = parquet(tmp_path / "nested", f"select * from read_json('{lines}')")
    same(cm.ingest.read(nested), cm.ingest.read(lines))


def test_a_folder_of_flat_parquet_and_a_format_with_rows_of_its_own(write, tmp_path):
    rows = [[f"2026-10-0{d} 0{h}:30:00", "gpt-4o", 100 * d, h, "" if h else "s"]
            for d in range(1, 8) for h in range(9)]  # fmt: skip
    table = write("t.csv", ("time,model,input,output,session", rows))
    folder = tmp_path / "many"
    folder.mkdir()
    for day in range(1, 8):
        parquet(folder / f"{day}", f"from read_csv('{table}') where day(time) = {day}")
    same(cm.ingest.read(folder), cm.ingest.read(table))
    spend = [{"request_id": f"r{k}", "call_type": "x", "spend": 0.1, "model": "gpt-4o",
              "prompt_tokens": 100, "completion_tokens": k, "total_tokens": 100 + k,
              "startTime": "2026-10-01T00:00:00Z", "metadata": json.dumps({"usage_object": {
                  "prompt_tokens_details": {"cached_tokens": k}}})} for k in range(5)]  # fmt: skip
    lines = write("spend.jsonl", spend)
    made = cm.ingest.read(parquet(tmp_path / "spend", f"from read_json('{lines}')"))
    assert made.table["cache_read"].tolist() == [0, 1, 2, 3, 4]


def test_sums_by_hour_say_what_the_calls_say(write):
    path = write("log.jsonl", list(bodies(2)) + [next(bodies(2))])
    calls, hours = cm.ingest.read(path), cm.ingest.read(path, every="1D")
    assert len(hours.table) < len(calls.table) / 2
    assert hours.table["calls"].sum() == len(calls.table) == 400, "an id counts once"
    one, other = (usage.price().groupby("model", observed=True)["usd"].sum()
                  for usage in (calls, hours))  # fmt: skip
    assert other.to_dict() == pytest.approx(one.to_dict())
    figures = [cm.history.profile(usage) for usage in (calls, hours)]
    means = [name for name in figures[0].index if name.endswith(("tokens", "share"))]
    assert means == [name for name in figures[1].index if name.endswith(("tokens", "share"))]
    ends = [table.loc[means, ["low", "mid", "high"]].astype(float) for table in figures]
    pd.testing.assert_frame_equal(*ends)
    assert any("sums of 1D" in note for note in hours.notes)


def test_sums_keep_whole_sessions_whatever_the_files_and_their_order(write, monkeypatch):
    def calls(seed):
        for k, body in enumerate(bodies(seed)):
            yield [body["created"] + seed, f"s{(k * 7 + seed) % 90}", 1_000 + 40 * k]

    rows = [row for seed in range(3) for row in calls(seed)]
    columns = {"time": "at", "session": "who", "input": "n", "model": "m"}
    for k in range(3):
        text = [[pd.Timestamp(at, unit="s").isoformat(), who, n, "gpt-4o"] for at, who, n in rows]
        path = write(f"{k}.csv", ("at,who,n,m", text[k::3]))
    one = cm.ingest.read(path.parent, columns=columns)
    other = cm.ingest.read(path.parent, columns=columns, every="1D")
    names = ["steps_per_session", "context_growth_per_step"]
    ends = [cm.history.profile(usage).loc[names, ["low", "mid", "high"]] for usage in (one, other)]
    pd.testing.assert_frame_equal(*ends)
    monkeypatch.setattr("costmodel.ingest.usage.SESSIONS", 10)
    monkeypatch.setattr("costmodel.ingest.files.BLOCK", 100)
    few = cm.ingest.read(path.parent, columns=columns, every="1D")
    counts = one.table["session"].astype(str).value_counts()
    kept = few.sessions["session"].value_counts()
    assert len(kept) == 10 and kept.to_dict() == counts[kept.index].to_dict(), "each is whole"
    assert any("those of 10 sessions" in note for note in few.notes)


def test_a_bar_moves_within_a_file_and_ends_with_all_bytes(write, monkeypatch, capsys):
    seen = []

    class Bar(tqdm):
        def update(self, n=1):
            super().update(n)
            seen.append(self.n)

    monkeypatch.setattr("costmodel.ingest.usage.tqdm", Bar)
    monkeypatch.setattr("costmodel.ingest.files.BLOCK", 100)
    folder = write("a.jsonl", list(bodies(4))).parent
    (folder / "b.gz").write_bytes(gzip.compress((folder / "a.jsonl").read_bytes()))
    cm.ingest.read(folder, progress=True)
    total = sum(path.stat().st_size for path in folder.iterdir())
    assert seen == sorted(seen) and seen[-1] == total and len({*seen}) > 4
    assert "100%" in capsys.readouterr().err


def test_a_cluster_that_loses_a_worker_gives_the_same(write):
    distributed = pytest.importorskip("distributed")
    folder = write("a0.jsonl", list(bodies(0, 3_000))).parent
    for k in range(1, 12):
        write(f"a{k}.jsonl", list(bodies(k, 3_000)))
    here = cm.ingest.read(folder)
    with (
        distributed.LocalCluster(
            n_workers=2, threads_per_worker=1, processes=True, dashboard_address=None
        ) as cluster,
        distributed.Client(cluster) as client,
    ):
        lost = next(iter(client.run(os.getpid).values()))
        done = threading.Event()

        def kill():
            time.sleep(0.3)
            os.kill(lost, signal.SIGKILL)
            done.set()

        killer = threading.Thread(target=kill)
        killer.start()
        with client.get_executor(pure=False) as pool:
            there = cm.ingest.read(folder, executor=pool)
        killer.join()
    assert done.is_set()
    pd.testing.assert_frame_equal(there.table, here.table)
