"""A load test beside its prediction, and a folder of documents as a corpus with its index."""

import subprocess

import numpy as np
import pandas as pd
import pytest

import costmodel as cm
from costmodel.laws.serving.predict import predict_serving


def test_a_load_test_stands_beside_its_prediction():
    sizes = {"input": [1_000, 1_000, 1_000], "output": [200, 200, np.nan]}
    runs = {"concurrency": [8, 32, 8], "ttft_s": [np.nan, 0.3, 1.0], "output_per_s": [900.0, 1, 1]}
    tpot = predict_serving("llama-3.1-8b", "H100-SXM", input_tokens=1_000, output_tokens=200,
                           concurrency=8).tpot_s_mid.item()  # fmt: skip
    test = cm.ingest.LoadTest(pd.DataFrame(sizes | runs | {"tpot_s": [tpot, 3 * tpot, 1.0]}))
    made = cm.history.load_test_error(cm.Hosted("llama-3.1-8b"), test)
    assert made[["concurrency", "measure"]].values.tolist() == [
        [8, "TPOT"], [8, "throughput"], [32, "TTFT"], [32, "TPOT"], [32, "throughput"],
    ]  # fmt: skip
    row = made.iloc[0]
    assert row.over_predicted == pytest.approx(1.0) and row.in_band
    assert row.low < row.measured < row.high and not made.iloc[3].in_band
    hit = made["in_band"].sum()
    assert cm.history.load_test_sentence(made).startswith(f"{hit} of 5 measured numbers lie")
    with pytest.raises(ValueError, match="no load test is given, so the predicted speed"):
        cm.history.load_test_error(cm.Hosted("llama-3.1-8b"), None)
    with pytest.raises(ValueError, match="no run of the load test says its concurrency"):
        cm.history.load_test_error(cm.Hosted("llama-3.1-8b"), cm.ingest.LoadTest(test.table[2:]))


def test_churn_by_git_is_that_of_two_folders(tmp_path):
    new = tmp_path / "docs"
    new.mkdir()

    def git(*words, day=""):
        who = ["-c", "user.name=x", "-c", "user.email=x@example.org"]
        days = {"GIT_AUTHOR_DATE": day, "GIT_COMMITTER_DATE": day} if day else {}
        subprocess.run(["git", "-C", tmp_path, *who, *words], check=True, env=days | {"HOME": "/"},
                       capture_output=True)  # fmt: skip

    (new / "a.md").write_text("the first text stays as it is " * 20)
    (new / "b.md").write_text("the second one is written again " * 20)
    git("init", "-q")
    git("add", "-A")
    git("commit", "-qm", "x", day="2026-05-01T12:00:00Z")
    (new / "b.md").write_text("so here are quite other words now " * 20)
    git("commit", "-qam", "y", day="2026-09-01T12:00:00Z")
    (new / "ü.md").write_text("and this one came last of all three " * 20)
    found = cm.ingest.read_documents(new, since="2026-06-01")
    assert found.table["changed"].to_dict() == {"a.md": False, "b.md": True, "ü.md": True}
    with pytest.raises(ValueError, match=r"no commit of .* before 2026-01-01"):
        cm.ingest.read_documents(new, since="2026-01-01")
    other = tmp_path.parent / "elsewhere"
    other.mkdir(exist_ok=True)
    (other / "a.txt").write_text("x")
    with pytest.raises(ValueError, match="git says no history"):
        cm.ingest.read_documents(other, since="2026-01-01")


def test_an_index_of_vectors_costs_the_embedder_and_one_of_a_graph_what_index_cost_says():
    corpus, reader = cm.Corpus(5e6), cm.Api("gpt-6-luna", on="2026-11-20")
    made = cm.history.index_prices(corpus, reader, draws=50)
    work = cm.Workload(1, input_tokens=1, corpus=corpus)
    graphs = cm.knowledge.index_cost(work, reader, draws=50)
    assert made.index.tolist() == ["vectors", *graphs.index]
    pd.testing.assert_frame_equal(made.iloc[1:], graphs[["usd_low", "usd", "usd_high"]],
                                  check_names=False)  # fmt: skip
    assert 5e6 * 0.02e-6 <= made.loc["vectors", "usd"] <= 1.3 * 5e6 * 0.02e-6


def test_today_is_the_mix_of_models_as_used_and_is_listed_once():
    days = pd.date_range("2026-10-01", periods=30).strftime("%Y-%m-%d")
    sizes = {"gpt-4o": (200, 20_000, 500), "gpt-4o-mini": (5_000, 800, 200)}
    tables = [pd.DataFrame({"time": days, "model": model, "calls": calls, "input": calls * sent,
                            "output": calls * written})
              for model, (calls, sent, written) in sizes.items()]  # fmt: skip
    both = cm.ingest.Usage.of(pd.concat(tables))
    study = cm.history.study(both, on="2026-11-20", draws=50)
    label, today = next(iter(study.options.items()))
    assert label == "Today: gpt-4o-mini and gpt-4o"
    lines = cm.ledger(today, study.work, cm.Terms(months=1, on="2026-11-20"), draws=50)
    month = lines[(lines["month"] == 1) & (lines["phase"] == "serving")]["usd"].sum()
    paid = both.price()["usd"].sum() * 30.4375 / 30
    assert month == pytest.approx(paid, rel=0.02), "one model alone would be 4 times as much"
    again = cm.history.reprice(both, study.options, draws=20).groupby("option")["usd"].sum()
    assert again[label] == pytest.approx(again["as it was"])
    judged = pd.DataFrame({"item": range(40), "option": "gpt-4o", "accepted": 1.0})
    one = cm.history.study(cm.ingest.Usage.of(tables[0]), on="2026-11-20", draws=50,
                           evaluations=cm.ingest.Evaluations(judged))  # fmt: skip
    assert [name for name in one.options if "gpt-4o" in name] == ["Today: gpt-4o"]
    assert one.options["Today: gpt-4o"].quality.accepted == 40


def test_why_the_bill_is_less_than_the_cost_is_said_in_numbers_of_the_ledger():
    days = pd.date_range("2026-10-01", periods=30).strftime("%Y-%m-%d")
    table = {"time": days, "model": "gpt-4o", "calls": 1_000, "input": 9e5, "output": 2e5}
    usage = cm.ingest.Usage.of(pd.DataFrame(table))
    own = cm.history.study(usage, on="2026-11-20", draws=50, usd_per_failure=None)
    lines = cm.explain(own, "Today: gpt-4o")
    share = lines.loc[lines["phase"] == "serving", "usd"].sum() / lines["usd"].sum()
    said = cm.history.beyond_the_bill(own, usage, cm.ingest.Bill.of_total(130))
    assert said.startswith("USD 130 was billed for the calls of 2026-10 alone. ")
    assert f"{100 * share:.0f} % is for calls" in said and said.endswith("evaluation and upkeep.")
    dear = cm.history.study(usage, on="2026-11-20", draws=50, usd_per_failure=0.2)
    said = cm.history.beyond_the_bill(dear, usage)
    assert said.startswith("USD 128 is the list price") and said.endswith("and wrong answers.")


def test_a_rare_but_dear_model_is_one_of_today():
    days = pd.date_range("2026-10-01", periods=30).strftime("%Y-%m-%d")
    sizes = {"gpt-4o-mini": (5_000, 9_900), "o1-pro": (5, 30_000), "gpt-4o": (1, 10)}
    tables = [pd.DataFrame({"time": days, "model": model, "calls": calls, "input": calls * sent,
                            "output": calls * 10})
              for model, (calls, sent) in sizes.items()]  # fmt: skip
    log = cm.ingest.Usage.of(pd.concat(tables))
    own = cm.history.study(log, on="2026-11-20", draws=50)
    label = next(iter(own.options))
    assert label == "Today: gpt-4o-mini and o1-pro (1 rare counted with them)"
    paid = cm.history.reprice(log, {label: own.options[label]}).groupby("option")["usd"].sum()
    assert paid[label] == pytest.approx(paid["as it was"], rel=0.001)


def test_what_is_sent_in_batches_is_sold_as_a_batch_today():
    days = pd.date_range("2026-10-20", periods=20).strftime("%Y-%m-%d")
    sizes = {"model": "gpt-4o", "calls": 900, "input": 9e5, "output": 9e4}
    table = pd.DataFrame({"time": days, **sizes})
    both = pd.concat([table, table.assign(batch=True, input=9e6)])
    log = cm.ingest.Usage.of(both)
    own = cm.history.study(log, on="2026-11-20", draws=50)
    (label, today), *_ = own.options.items()
    assert label == "Today: gpt-4o"
    assert {part.serving.mode for part, _, _ in today.parts()} == {"standard", "batch"}
    sums = cm.history.reprice(log, {label: today}).groupby("option")["usd"].sum()
    assert sums[label] == pytest.approx(sums["as it was"])
    assert sums[label] == pytest.approx(20 * (0.9 * 2.5 + 0.9 + (9 * 2.5 + 0.9) / 2))
