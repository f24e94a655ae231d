"""Usage: every format keeps its convention, and a row that does not add up is set aside."""

import gzip
import json
from concurrent.futures import ProcessPoolExecutor

import pytest

import costmodel as cm
from costmodel.core import CatalogError
from costmodel.ingest.files import NO_ROW
from costmodel.ingest.partition import FREE
from costmodel.ingest.reader import TOKENS

DAY = 1_790_000_000  # 2026-09-21


def chat(model="gpt-4o", sent=100, written=10, cached=0, reasoned=0, **more):
    """An answer of a compatible host."""
    usage = {
        "prompt_tokens": sent,
        "completion_tokens": written,
        "total_tokens": sent + written,
        "prompt_tokens_details": {"cached_tokens": cached},
        "completion_tokens_details": {"reasoning_tokens": reasoned},
    }
    return {"id": more.pop("id", None), "created": DAY, "model": model, "usage": usage | more}


def spend(**more):
    """A row of LiteLLM's SpendLogs."""
    row = {
        "request_id": "r1", "call_type": "acompletion", "cache_hit": "False", "spend": 0.1,
        "prompt_tokens": 172_000, "completion_tokens": 0, "total_tokens": 172_000,
        "startTime": "2026-11-01T10:00:00+00:00", "model": "claude-opus-4-5",
        "custom_llm_provider": "anthropic", "team_id": "search", "metadata": "{}",
    }  # fmt: skip
    return row | more


def span(**attributes):
    given = {"gen_ai.provider.name": "anthropic", "gen_ai.request.model": "claude-sonnet-4-5"}
    tokens = {f"gen_ai.usage.{name}": count for name, count in attributes.items()}
    return {"span_id": "s", "start_time": "2026-11-01T00:00:00Z", "attributes": given | tokens}


def compaction():
    top = {"input_tokens": 180, "output_tokens": 8, "cache_read_input_tokens": 0,
           "cache_creation_input_tokens": 0}  # fmt: skip
    compacted = top | {
        "input_tokens": 100, "output_tokens": 82, "cache_creation_input_tokens": 55_096,
        "cache_creation": {"ephemeral_5m_input_tokens": 55_096, "ephemeral_1h_input_tokens": 0},
    }  # fmt: skip
    return {"model": "claude-sonnet-4-6", "usage": top | {"iterations": [compacted, top]}}


def one(write, doc, name="log.jsonl"):
    usage = cm.ingest.read(write(name, [doc]))
    assert len(usage.set_aside) == 0, usage.set_aside.reason.tolist()
    return usage


def test_cached_and_written_inside_the_input(write):
    usage = {
        "prompt_tokens_details": {"cached_tokens": 155_000},
        "cache_creation_input_tokens": 3_000,
    }
    made = one(write, spend(metadata=json.dumps({"usage_object": usage})))
    assert made.table[TOKENS[:3]].values.tolist() == [[14_000, 155_000, 3_000]]
    assert made.price().usd.item() == pytest.approx(0.166250, abs=1e-9)


def test_cached_tokens_are_not_paid_twice(write):
    made = one(write, chat(sent=1_000_000, written=0, cached=900_000))
    assert made.price().usd.item() == pytest.approx(1.3750, abs=1e-9)


def test_an_exclusive_sender_of_spans_is_recognised(write):
    counts = {"cache_read.input_tokens": 128_955, "cache_creation.input_tokens": 1_253}
    made = one(write, span(input_tokens=5, output_tokens=1, **counts))
    assert made.table[TOKENS[:4]].sum().sum() == 130_213
    again = {"cache_read.input_tokens": 10, "cache_creation.input_tokens": 0}
    docs = [
        span(input_tokens=5, output_tokens=1, **counts),
        span(input_tokens=20, output_tokens=1, **again) | {"span_id": "t"},
    ]
    both = cm.ingest.read(write("both.jsonl", docs)).table
    assert both["input"].tolist() == [5, 20], "the same sender counts the same way"
    inside = cm.ingest.read(write("one.jsonl", [docs[1]])).table
    assert inside["input"].tolist() == [10]
    assert inside["certainty"].tolist() == ["bounded: input"]


def test_the_iterations_of_a_compaction_are_counted(write):
    made = one(write, compaction())
    assert made.price(on="2026-11-01").usd.sum() == pytest.approx(0.20880, abs=1e-9)


def test_a_bill_above_its_tokens_is_a_fee_and_own_keys_are_paid_elsewhere(write):
    costs = {
        "upstream_inference_prompt_cost": 0.000135,
        "upstream_inference_completions_cost": 4.14e-05,
    }
    made = one(write, chat("openai/gpt-4o-mini", 900, 69, cost=0.0160614, cost_details=costs))
    row = made.price(on="2026-11-01").iloc[0]
    assert row.usd == pytest.approx(0.0001764, abs=1e-12)
    assert row.fee_usd == pytest.approx(0.015885, abs=1e-12)
    costs = {
        "upstream_inference_prompt_cost": 9.78e-05,
        "upstream_inference_completions_cost": 0.0002275,
    }
    own = chat("google/gemini-2.5-flash", 326, 91, cost=0, is_byok=True, cost_details=costs)
    row = one(write, own).table.iloc[0]
    assert (row.billed_usd, row.status) == (0, "")
    assert row.elsewhere_usd == pytest.approx(0.0003253, abs=1e-12)


def test_a_cost_of_0_with_tokens_is_flagged_and_never_0(write):
    row = one(write, spend(spend=0)).table.iloc[0]
    assert row.billed_usd != row.billed_usd
    assert row.status == FREE
    flagged = one(write, spend(spend=0, status="success"))
    assert flagged.table["status"].item() == f"success; {FREE}"
    assert flagged.table["billed_usd"].isna().all() and any(FREE in n for n in flagged.notes)
    said = json.dumps({"cost_breakdown": {"total_cost": 45.38}})
    assert one(write, spend(spend=0, metadata=said)).table["billed_usd"].item() == 45.38
    again = one(write, spend(spend=0, cache_hit="True")).table.iloc[0]
    assert (again.input, again.billed_usd) == (0, 0)


def test_unknown_is_not_0(write):
    table = one(write, spend()).table
    assert table["cache_read"].isna().all()
    assert table["certainty"].tolist() == ["unknown: cache_read"]


def test_days_across_a_price_change_are_priced_apart(write):
    rows = [["2025-06-09", "o3", 1e6, 0], ["2025-06-10", "o3", 1e6, 0]]
    usage = cm.ingest.read(write("days.csv", ("time,model,input,output", rows)))
    assert usage.price().usd.tolist() == [10.0, 2.0]


def test_two_readers_of_the_same_traffic_agree_to_the_token(write):
    bodies = [
        chat(sent=1_000 + k, written=50, cached=600, reasoned=20, id=f"c{k}") for k in range(9)
    ]
    rows = [
        spend(
            request_id=f"g{k}", model="gpt-4o", custom_llm_provider="openai",
            prompt_tokens=1_000 + k, completion_tokens=50, total_tokens=1_050 + k,
            metadata={"usage_object": {
                "prompt_tokens_details": {"cached_tokens": 600},
                "completion_tokens_details": {"reasoning_tokens": 20}}},
        )
        for k in range(9)
    ]  # fmt: skip
    bucket = {"start_time": DAY, "results": [{
        "num_model_requests": 9, "input_tokens": 9_036, "input_cached_tokens": 5_400,
        "output_tokens": 450, "model": "gpt-4o"}]}  # fmt: skip
    found = [
        cm.ingest.read(write(name, made)).table[TOKENS].sum()
        for name, made in {"a": bodies, "b": rows, "c": {"data": [bucket]}}.items()
    ]
    assert found[0].tolist() == found[1].tolist() == [3_636, 5_400, 0, 0, 270, 180]
    assert found[2][TOKENS[:2]].tolist() == [3_636, 5_400]
    assert found[2]["output"] == 450


@pytest.mark.parametrize(
    ("doc", "reason"),
    [
        (chat(sent=100, cached=120), "more tokens are cached than the 100 sent"),
        (chat(written=10, reasoned=11), "more tokens are reasoned than the 10 written"),
        (chat(sent=35, written=12, total_tokens=109), "the classes do not add up to 109 tokens"),
        (chat(sent=-5), "a count of tokens is below 0"),
        (chat(prompt_tokens="many"), "a count of tokens is no number"),
        ({"id": "b", "custom_id": "x", "response": None, "error": {"code": "batch_expired"}},
         "failed: batch_expired"),
        (compaction() | {"usage": {"input_tokens": 1, "output_tokens": 1,
          "cache_creation_input_tokens": 9, "cache_creation": {"ephemeral_5m_input_tokens": 3}}},
         "cache writes do not add up to 9 tokens"),
    ],
)  # fmt: skip
def test_a_row_that_does_not_add_up_is_set_aside_with_the_reason(write, doc, reason):
    usage = cm.ingest.read(write("log.jsonl", [chat(), doc]))
    assert len(usage.table) == 1
    assert usage.set_aside[["row", "reason"]].values.tolist() == [[2, reason]]


def test_damage_is_counted_and_said_and_the_rest_is_used(write):
    good = json.dumps(chat(id="a")).encode()
    odd = json.dumps(chat(id="b") | {"service_tier": "caf"}).encode().replace(b"caf", b"caf\xe9")
    again = json.dumps(chat(id="a", sent=200)).encode()
    damaged = write(
        "a.jsonl", b"\n".join([good, odd, b"{broken", again, b'{"hello": 1}', good[:40]])
    )
    zones = "time,model,input,output\n2026-10-01T23:30:00-02:00,gpt-4o,5,5\n2026-10-02,gpt-4o,5,5\n"
    write("b.csv", zones.encode("utf-16"))
    write("notes.txt", "Dear all,\nthe meeting is off.\n")
    cut = gzip.compress(b"\n".join(json.dumps(chat(id=f"z{k}")).encode() for k in range(2_000)))
    write("c.gz", cut[: len(cut) // 2])
    usage = cm.ingest.read(damaged.parent)
    table, reasons = usage.table, usage.set_aside.groupby("file")["reason"].apply(list)
    assert reasons["a.jsonl"] == ["the line is no complete JSON"] * 2
    assert "no usage that is read here" in reasons["notes.txt"][0]
    assert reasons["c.gz"] == ["the line is no complete JSON"]
    assert reasons["all files"][0].startswith("1 row: the id was there before")
    assert any(note.startswith("1 row or line holds no usage") for note in usage.notes)
    assert any("not UTF-8" in note for note in usage.notes)
    first = table[table["input"] == 200]
    assert len(first) == 1, "the last row of an id counts"
    assert table["time"].max().isoformat() == "2026-10-02T01:30:00+00:00"
    assert len(table) > 500


def test_an_array_that_is_cut_off_keeps_what_is_whole(write):
    text = json.dumps([chat(id=f"z{k}") for k in range(5)], indent=1)
    usage = cm.ingest.read(write("rows.json", text[:-60]))
    assert len(usage.table) == 4
    assert usage.set_aside.reason.tolist() == [
        "the JSON breaks off after 4 records; those are used"
    ]


def test_an_unknown_file_names_the_nearest_format_and_what_it_misses(write):
    path = write("x.csv", ("start_time,num_model_requests,model", [[DAY, 3, "gpt-4o"]]))
    with pytest.raises(
        CatalogError, match=r"x\.csv: .* the OpenAI usage CSV, which .* input_tokens"
    ):
        cm.ingest.read(path)
    with pytest.raises(CatalogError, match=r"no column 'inputs' .* did you mean 'input'"):
        cm.ingest.read(path, columns={"inputs": "model"})
    with pytest.raises(CatalogError, match="no file or folder"):
        cm.ingest.read(path.parent / "y.csv")


def test_the_console_and_daily_exports(write):
    header = (
        "usage_date_utc,model_version,api_key,workspace,usage_type,context_window,"
        "usage_input_tokens_no_cache,usage_input_tokens_cache_write_5m,"
        "usage_input_tokens_cache_write_1h,usage_input_tokens_cache_read,usage_output_tokens,"
        "web_search_count,inference_geo,speed"
    )
    row = ["2026-07-31", "claude-opus-4-5", "key-a", "Acme, Inc", "standard", "≤ 200k",
           109_911, 2_528, 0, 0, 34_988, 0, "", ""]  # fmt: skip
    made = cm.ingest.read(write("console.csv", (header, [row])))
    assert made.price().usd.item() == pytest.approx(1.440055, abs=1e-9)
    assert made.table["team"].item() == "Acme, Inc"
    header = "Date,Slug,Usage,BYOK Usage,Requests,Prompt Tokens,Completion Tokens,Reasoning Tokens"
    row = ["2026-10-03", "anthropic/claude-opus-4.7", 430.07, 0, 812, 70_965_665, 3_009_973, 0]
    made = cm.ingest.read(write("daily.csv", (header, [row])))
    assert made.price().usd.item() == pytest.approx(430.07765, abs=1e-9)
    assert made.table["certainty"].item() == "unknown: cache_read"


def test_a_session_of_codex_counts_what_a_turn_adds(write):
    def turn(sent, cached, **more):
        total = {"input_tokens": sent, "cached_input_tokens": cached, "output_tokens": sent // 10,
                 "reasoning_output_tokens": 5, "total_tokens": 0}  # fmt: skip
        payload = {"type": "token_count", "info": {"total_token_usage": total}}
        return {"timestamp": "2026-08-20T09:00:00Z", "type": "event_msg", "payload": payload}

    start = {"timestamp": "2026-08-20T08:00:00Z", "type": "turn_context",
             "payload": {"model": "gpt-5.2-codex"}}  # fmt: skip
    usage = cm.ingest.read(
        write("s.jsonl", [start, turn(1_000, 250), turn(1_000, 250), turn(3_500, 750)])
    )
    assert usage.table[["input", "cache_read"]].values.tolist() == [[750, 250], [2_000, 500]]
    assert usage.bound.startswith("lower bound")


def test_langsmith_langfuse_and_openinference(write):
    run = {"run_type": "llm", "id": "1", "trace_id": "t", "start_time": 1_790_000_000_000,
           "extra": {"metadata": {"ls_provider": "openai", "ls_model_name": "o1-mini"}},
           "outputs": {"usage_metadata": {
               "input_tokens": 43, "output_tokens": 1_901, "total_tokens": 1_944,
               "output_token_details": {"reasoning": 960}}}}  # fmt: skip
    usage = {"input": 40, "input_cached_tokens": 60, "output": 7, "total": 107}
    seen = {"id": "2", "model": "gpt-4o", "startTime": "2026-10-01T00:00Z", "usageDetails": usage}
    inference = {"span_id": "3", "start_time": "2026-10-01T00:00:00Z", "attributes": {
        "llm.model_name": "gpt-4o", "llm.token_count.prompt": 100, "llm.token_count.completion": 7,
        "llm.token_count.prompt_details.cache_read": 60, "llm.token_count.total": 107}}  # fmt: skip
    table = cm.ingest.read(write("mixed.jsonl", [run, seen, inference])).table.set_index("model")
    assert table.loc["o1-mini", TOKENS].tolist() == [43, 0, 0, 0, 941, 960]
    assert sorted(table.loc["gpt-4o", "input"]) == [40, 40]
    assert sorted(table.loc["gpt-4o", "cache_read"]) == [60, 60]


def test_texts_keys_and_addresses_stay_outside(write):
    secret = "the patient said"
    row = spend(team_id="someone@example.org", session_id="sk-123456", messages=secret)
    usage = cm.ingest.read(write("log.jsonl", [row, chat(sent=5, cached=9) | {"content": secret}]))
    everything = usage.table.to_csv() + usage.set_aside.to_csv()
    everything += " ".join(usage.notes) + repr(usage)
    for text in (secret, "example.org", "sk-123456"):
        assert text not in everything
    assert "hidden-" in everything


def test_files_in_other_processes_give_the_same(write):
    folder = write("a.jsonl", [chat(id=f"a{k}", cached=k) for k in range(40)]).parent
    write("b.jsonl", [spend(request_id="a3"), spend()])
    write("notes.txt", "Dear all,\nthe meeting is off.\n")
    one = cm.ingest.read(folder)
    with ProcessPoolExecutor(2) as pool:
        two = cm.ingest.read(folder, executor=pool)
    assert two.table.equals(one.table) and two.set_aside.equals(one.set_aside)
    assert len(one.table) == 41, "an id counts once in all files"


def test_without_msgspec_the_same(write, monkeypatch):
    path = write("log.jsonl", [chat(id=f"c{k}", cached=k) for k in range(50)] + [spend()])
    fast = cm.ingest.read(path).table
    monkeypatch.setattr("costmodel.ingest.files.loads", json.loads)
    monkeypatch.setattr("costmodel.ingest.reader.Reader.shorten", None)
    assert cm.ingest.read(path).table.equals(fast)


def test_observations_of_langfuse_with_texts_beside_their_usage(write):
    usage = {"input": 40, "input_cached_tokens": 60, "output": 7, "total": 107}
    rows = [{"id": f"o{k}", "model": "gpt-4o", "startTime": "2026-10-01T00:00Z", "input": "a text",
             "output": "another", "usageDetails": usage} for k in range(3)]  # fmt: skip
    span = {"id": "s", "model": None, "input": "a text", "output": "another"}
    for name, content in {
        "alone.jsonl": [span, *rows],
        "page.json": {"data": [*rows], "meta": {}},
    }.items():
        table = cm.ingest.read(write(name, content)).table
        assert table[["input", "cache_read", "output"]].values.tolist() == [[40, 60, 7]] * 3


def test_tokens_without_calls_are_priced_in_the_context_window_that_they_name(write):
    header = (
        "usage_date_utc,model_version,context_window,usage_type,speed,usage_input_tokens_no_cache,"
        "usage_output_tokens"
    )
    rows = [["2026-10-01", "claude-sonnet-4-5", window, "standard", "", 10_000_000, 100_000]
            for window in ("≤ 200k", "> 200k", "")]  # fmt: skip
    usage = cm.ingest.read(write("console.csv", (header, rows)))
    assert usage.price().usd.tolist() == pytest.approx([31.5, 62.25, 31.5])
    assert any("do not count their calls" in note for note in usage.notes)
    counted = usage.with_calls(300)
    assert counted.table["calls"].tolist() == pytest.approx([100, 100, 100])
    again = cm.history.reprice(usage, {"same": cm.Api("claude-sonnet-4-5", on="2026-11-01")})
    assert again["why_not"].max() == "", "a sum of calls has no window to fit"


def test_a_quote_that_is_not_closed_loses_one_row(write):
    text = "time,model,input,output,team\n" + "".join(
        f"2026-10-0{k},gpt-4o,{k},5,{team}\n"
        for k, team in enumerate(['"two\nlines"', '"open', "a", "b"], 1)
    )
    usage = cm.ingest.read(write("a.csv", text))
    assert usage.table["input"].tolist() == [1, 3, 4]
    assert usage.set_aside[["row", "reason"]].values.tolist() == [[4, NO_ROW]]


def test_files_without_rows_and_files_that_break_off_say_so(write):
    page = json.dumps({"data": [{"start_time": DAY, "results": [
        {"model": "gpt-4o", "input_tokens": 5, "output_tokens": 1, "num_model_requests": 1}]}
        for _ in range(3)]})  # fmt: skip
    usage = cm.ingest.read(write("cut.json", page[:-20]))
    assert len(usage.table) == 1, "the buckets are of one id"
    assert "the JSON breaks off after 2 records; those are used" in usage.set_aside.reason.tolist()
    for content, said in {
        b"": "the file is empty",
        b"[]": "the JSON has no record",
        b'{"data": [{"start_ti': "the JSON has no record, or none that is complete",
        b"time,model,input,output\n": "a header and no rows",
        b"\x7fELF\x02\x00\x01\r\x00": "this is no text",
    }.items():
        with pytest.raises(CatalogError, match=said):
            cm.ingest.read(write("x.bin", content))
