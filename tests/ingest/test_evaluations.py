"""Evaluations: counts by option, paired by item, and who agrees with whom."""

import json
import zipfile

import numpy as np
import pytest

import costmodel as cm
from costmodel.core import Measured, draw_values


def judged(write, answers, name="judged.csv"):
    """A CSV of {option: verdicts by item}."""
    rows = [[k, option, v] for option, given in answers.items() for k, v in enumerate(given)]
    return cm.ingest.read_evaluations(write(name, ("item,option,accepted", rows)))


def test_two_options_on_the_same_items_have_the_band_of_a_paired_evaluation(write):
    first = [1] * 88 + [0] * 12
    second = [1] * 80 + [0] * 8 + [1] * 3 + [0] * 9
    made = judged(write, {"A": first, "B": second}).measured()
    paired = Measured.paired(80, 8, 3, 9)
    assert [(m.accepted, m.trials) for m in made.values()] == [(88, 100), (83, 100)]

    def spread(pair):
        a, b = (draw_values(m.name, m, 4_000, 1)[:, 0] for m in pair)
        return np.std(a - b)

    assert spread(made.values()) == pytest.approx(spread(paired), rel=0.1)
    alone = [Measured(88, 100, name="x"), Measured(83, 100, name="y")]
    assert spread(made.values()) < 0.8 * spread(alone)


def test_three_options_share_one_cause(write):
    rng = np.random.default_rng(1)
    hard = rng.normal(size=400)
    answers = {o: (hard + rng.normal(size=400) * s > 0).astype(int).tolist()
               for o, s in (("A", 0.3), ("B", 0.6), ("C", 30.0))}  # fmt: skip
    made = judged(write, answers).measured()
    phi = np.corrcoef(answers["A"], answers["B"])[0, 1]
    assert made["A"].loading * made["B"].loading == pytest.approx(phi, abs=0.05)
    assert abs(made["C"].loading) < 0.2


def test_two_graders_and_repeats(write):
    rows = [[1, "A", "judge", "yes"], [1, "A", "human", "no"], [2, "A", "judge", "yes"],
            [2, "A", "human", "yes"], [3, "A", "judge", 0], [3, "A", "human", 0]]  # fmt: skip
    made = cm.ingest.read_evaluations(write("g.csv", ("item,option,grader,accepted", rows)))
    assert made.measured()["A"].accepted == 1, "all graders must accept"
    found = made.agreement().iloc[0]
    assert (found["items"], round(found.agree, 3), round(found.kappa, 3)) == (3, 0.667, 0.4)
    again = [[1, "A", 1], [1, "A", 0], [2, "A", 1], [2, "A", 1]]
    made = cm.ingest.read_evaluations(write("r.csv", ("item,option,accepted", again)))
    assert (made.measured()["A"].accepted, made.measured()["A"].trials) == (1.5, 2)


def test_promptfoo_takes_a_cost_of_0_as_unknown_and_leaves_out_broken_calls(write):
    def answer(k, cost, **more):
        return {"testIdx": k, "success": True, "score": 1, "latencyMs": 1_743, "cost": cost,
                "provider": {"id": "p", "label": "haiku"},
                "response": {"output": "the secret", "tokenUsage": {
                    "prompt": 14, "completion": 18, "total": 32}}} | more  # fmt: skip

    doc = {"results": {"version": 3, "prompts": [], "results": [
        answer(0, 0), answer(1, 4e-6, success=False), answer(2, 0, failureReason=2)]}}  # fmt: skip
    table = cm.ingest.read_evaluations(write("p.json", doc)).table
    assert table["accepted"].tolist() == [1, 0]
    assert np.isnan(table["usd"][0])
    assert (table["latency_s"][0], table["input"][0]) == (1.743, 14)
    assert "secret" not in table.to_csv()


def test_an_inspect_log_is_a_zip(tmp_path):
    path = tmp_path / "log.eval"
    with zipfile.ZipFile(path, "w") as log:
        log.writestr("header.json", json.dumps({"eval": {"model": "openai/gpt-4o-mini"}}))
        for k in range(10):
            used = {"m": {"input_tokens": 62, "output_tokens": 2}}
            scores = {"match": {"value": "C" if k < 8 else "I"}}
            done = {"id": k, "scores": scores, "model_usage": used}
            log.writestr(f"samples/{k}_epoch_1.json", json.dumps(done))
    made = cm.ingest.read_evaluations(path)
    assert (made.table["input"].sum(), made.table["output"].sum()) == (620, 20)
    assert made.measured()["openai/gpt-4o-mini"].accepted == 8


def test_lm_eval_ragas_and_openai_evals(write):
    lm = {"results": {"gsm8k": {"exact_match,strict": 0.61, "sample_len": 9.0}},
          "n-samples": {"gsm8k": {"effective": 200}}, "model_name": "mine"}  # fmt: skip
    one = cm.ingest.read_evaluations(write("lm.json", lm)).measured()["mine"]
    assert (one.accepted, one.trials) == (pytest.approx(122), 200)
    rows = [["a long question of a user", "x", 0.9, 0.2], ["another long question", "y", 0.8, 0.7]]
    path = write("ragas.csv", ("user_input,response,faithfulness,answer_relevancy", rows))
    with pytest.raises(ValueError, match=r"has scores alone; give threshold="):
        cm.ingest.read_evaluations(path)
    made = cm.ingest.read_evaluations(path, threshold=0.5, option="RAG")
    assert made.measured()["RAG"].accepted == 1
    assert "question" not in made.table.to_csv()
    events = [{"spec": {"completion_fns": ["gpt-4o"]}},
              {"run_id": "r", "sample_id": "s.1", "type": "sampling", "data": {"prompt": "x"}},
              {"sample_id": "s.1", "type": "match", "data": {"correct": True}},
              {"sample_id": "s.2", "type": "match", "data": {"correct": False}}]  # fmt: skip
    assert cm.ingest.read_evaluations(write("e.jsonl", events)).measured()["gpt-4o"].trials == 2
