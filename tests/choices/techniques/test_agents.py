"""Agents: tokens of a task against hand counts, a tail and a cap, published runs, what a resolved
task and an accepted change cost.
"""

from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from toys import STILL, api, lines, total

import costmodel as cm
from costmodel.laws import agents as agent_loop
from costmodel.ledgers.calendar import Calendar
from costmodel.validation.held_out import measured

SERVING = api(**{"in": 2.0, "out": 10.0, "cache_read": 0.2, "cache_write": 2.5}, accepted=0.8)
WORK = cm.Workload(1_000, instruction_tokens=2_000, output_tokens=300)
EXACT = {
    "step_spread": 0,
    "fail_chance": 0,
    "tools": 0,
    "build_weeks": 0,
    "upkeep_fte": 0,
    "step_output_tokens": 200,
    "tool_tokens": 600,
}


def request(agent, work=WORK, *more):
    return (
        cm.uncertainty.middle(cm.Option(SERVING, agent, *more))
        .case(cm.uncertainty.middle(work), STILL)
        .request
    )


def sent(agent, work=WORK):
    """Input, output tokens and calls of one task."""
    calls = request(agent, work).calls
    return tuple(sum(x * c.per_request for c in calls) for x in (1.0,)) + (
        sum(c.prompt_tokens * c.per_request for c in calls),
        sum(c.output_tokens * c.per_request for c in calls),
    )


# -- one task ------------------------------------------------------------------------------------


def test_a_task_of_seven_calls_by_hand():
    """2,000 of prompt seven times and a history of 800 more with each: 14,000 + 800 x 21; six
    thoughts of 200 and an answer of 300.
    """
    calls, tokens, written = sent(cm.Agent(steps=7, **EXACT))
    assert (calls, tokens, written) == (
        pytest.approx(7),
        pytest.approx(14_000 + 800 * 21),
        pytest.approx(6 * 200 + 300),
    )


def test_one_step_is_a_plain_call():
    agent = cm.Agent(steps=1, **EXACT)
    assert total(cm.Option(SERVING, agent), WORK) == pytest.approx(total(cm.Option(SERVING), WORK))


def test_tools_and_schema_are_sent_with_every_step():
    """58 tools of 950 tokens and a schema of 3,000: 58,100 tokens in each of five calls."""
    with_tools, without = (
        sent(cm.Agent(steps=5, **EXACT | more))[1]
        for more in ({"tools": 58, "tokens_per_tool": 950, "schema_tokens": 3_000}, {})
    )
    assert with_tools - without == pytest.approx(5 * (58 * 950 + 3_000))


def test_a_brute_force_of_compaction():
    """Calls one by one: the history grows by 800, and is cut to 1,000 when it reaches 10,000."""
    history, tokens, cuts = 0.0, 0.0, 0
    for _ in range(40):
        if history >= 10_600:  # the step after the tooth is full starts at what was kept
            history, cuts = 1_000.0, cuts + 1
        tokens, history = tokens + history, history + 800
    modelled = agent_loop.history(800.0, 40.0, 10_000.0, 1_000.0)
    assert modelled.tokens == pytest.approx(tokens, rel=0.12)
    assert modelled.cuts == pytest.approx(cuts, abs=1)
    assert modelled.rewritten == 1_000 * modelled.cuts
    assert modelled.tokens < 0.4 * agent_loop.history(800.0, 40.0).tokens


@pytest.mark.parametrize(
    ("written", "result", "limit", "steps"),
    [
        (200, 600, 20_000, 100),
        (200, 600, 20_000, 400),  # in the end each step clears one result
        (50, 2_000, 100_000, 300),
        (300, 700, 20_000, 40),
    ],
)
def test_a_brute_force_of_clearing_old_results(written, result, limit, steps):
    """Steps one by one: at the limit all results but the last three go; what stands behind the
    first of them is no longer in the cache.
    """
    cleared, kept, tokens, cuts, new = 0, 0, 0.0, 0, 0.0
    for step in range(steps):
        if written * step + result * kept >= limit and kept > 3:
            new += written * (step - cleared) + result * 3
            cleared, kept, cuts = cleared + kept - 3, 3, cuts + 1
        tokens += written * step + result * kept
        kept += 1
    law = agent_loop.history(float(written + result), steps, limit, 3.0 * result, float(written))
    assert law.tokens == pytest.approx(tokens, rel=0.01)
    assert law.cuts == pytest.approx(cuts, abs=1) and law.rewritten == pytest.approx(new, rel=0.08)


@settings(max_examples=60)
@given(st.floats(1, 2_000), st.floats(1, 200), st.floats(3_000, 1e5), st.floats(0, 2_000))
def test_compaction_never_sends_more_history_and_never_less_than_nothing(grown, steps, limit, kept):
    whole = float(agent_loop.history(grown, steps).tokens)
    cut = float(agent_loop.history(grown, steps, limit, kept).tokens)
    assert cut + grown / 8 >= -1e-6 and cut <= whole + steps * kept + grown


def test_compaction_pays_for_long_tasks_and_writes_its_summaries():
    long = {"steps": 100, **EXACT}
    cut = cm.Agent(compact_at=20_000, kept_tokens=2_000, **long)
    assert total(cm.Option(SERVING, cut), WORK) < 0.6 * total(
        cm.Option(SERVING, cm.Agent(**long)), WORK
    )
    summaries = request(cut).calls[1]
    assert (
        summaries.prompt_tokens == 2_000 + 20_000  # the instructions, and the history
        and summaries.output_tokens == 2_000
        and summaries.per_request
        == pytest.approx(agent_loop.history(800.0, 100.0, 20_000.0, 2_000.0).cuts)
    )


def test_clearing_saves_tokens_and_loses_the_cache_behind_what_is_cleared():
    """Without a cache every token that is not sent is saved; with one, what stands behind the
    first result that is cleared is written again, so that seldom clearing beats clearing often.
    """
    long = {"steps": 200, "reuse": 1.0, **EXACT}
    plain, rare, often = (
        cm.Agent(**long, clear_at=at, kept_results=3) for at in (None, 80_000, 45_000)
    )
    sent_by = [sent(agent)[1] for agent in (plain, rare, often)]
    assert sent_by[0] > sent_by[1] > sent_by[2]
    cached = [
        total(cm.Option(SERVING, a, cm.PromptCache(minimum_tokens=0)), WORK)
        for a in (plain, rare, often)
    ]
    assert cached[1] < cached[0]
    assert cached[2] / cached[0] > sent_by[2] / sent_by[0]  # the cache gives back less of it
    more = request(often).calls[0].segments[-1].tokens
    assert more > request(plain).calls[0].segments[-1].tokens  # new to the cache in a mean step


def test_clearing_is_priced_call_by_call():
    """The teeth of a cleared history grow together: each call lies in its own context tier."""
    agent = cm.Agent(steps=400, clear_at=180_000, **GROWING)
    work = cm.Workload(1, instruction_tokens=5_500, output_tokens=300)
    book = cm.ledger(cm.Option(GEMINI, agent), work, terms=NOVEMBER, base_case=True)
    assert not book["item"].str.contains("above 200,000").any()
    whole = cm.ledger(
        cm.Option(GEMINI, replace(agent, clear_at=None)), work, terms=NOVEMBER, base_case=True
    )
    assert whole["item"].str.contains("above 200,000").any()
    assert book["usd"].sum() < 0.5 * whole["usd"].sum()


def test_a_summary_and_clearing_are_not_both_chosen():
    with pytest.raises(ValueError, match="Agent has both compact_at and clear_at; give one"):
        cm.Agent(compact_at=9_000, clear_at=9_000)


def test_compression_keeps_a_share_of_each_result_and_pays_a_call_for_it():
    """Nine results of 600 tokens, of which 240 stay: the history adds 440 with each step, and the
    compressor reads 5,400 and writes 2,160 tokens a task.
    """
    small = api("small", **{"in": 1.0, "out": 5.0})
    agent = cm.Agent(steps=10, compressed_to=0.4, compressor=small, **EXACT)
    assert sent(agent)[1] == pytest.approx(cm.operations.step_tokens(2_000, 440, 10))
    found = {line.item: line for line in lines(cm.Option(SERVING, agent), WORK, STILL)}
    each = {
        name: found[f"compress results of tools: {name}"].quantity * 1e6 / WORK.requests_per_month
        for name in ("fresh input", "output")
    }
    assert each == {"fresh input": pytest.approx(5_400), "output": pytest.approx(2_160)}
    plain, short = (
        cm.compare(cm.Option(SERVING, a), WORK, terms=STILL, draws=1).quality.item()
        for a in (replace(agent, compressed_to=1.0), agent)
    )
    shifted = cm.knowledge.shift(0.8, cm.Agent.log_odds_compressed.mid)
    assert plain == pytest.approx(0.8) and short == pytest.approx(float(shifted))


# -- call by call ----------------------------------------------------------------------------------

GEMINI = cm.Api("gemini-2.5-pro", on="2026-11-20")
GROWING = EXACT | {"step_output_tokens": 300, "tool_tokens": 700, "reuse": 1.0}
NOVEMBER = replace(STILL, start="2026-11-01", months=1)  # before calls are billed as another model


def one_by_one(steps, instructions, user, compact_at=np.inf, kept=0):
    """What a task on gemini-2.5-pro costs, call by call: [USD of millions of tokens]."""
    usd, history, seen = 0.0, 0, 0  # `seen` of the history is in the cache

    def call(read, fresh, out):
        above = read + fresh > 200_000
        rates = (0.25, 2.5, 15) if above else (0.125, 1.25, 10)
        return float(np.dot(rates, (read, fresh, out))) / 1e6

    for step in range(steps):
        known = instructions if step else 0
        usd += call(known + seen, instructions + user + history - known - seen, 300)
        seen, history = history, history + 1_000
        if history >= compact_at and step < steps - 1:
            usd += call(instructions + seen, user + 1_000, kept)
            history, seen = kept, 0
    return usd


def by_ledger(steps, work, **more):
    agent = cm.Agent(steps=steps, **GROWING, **more)
    book = cm.ledger(
        cm.Option(GEMINI, agent, cm.PromptCache()), work, terms=NOVEMBER, base_case=True
    )
    return float(book.usd.sum())


@pytest.mark.parametrize("steps", [1, 50, 195, 196, 197, 300, 389, 390, 391, 395, 420])
@pytest.mark.parametrize("user", [0, 500])
def test_each_step_is_priced_in_its_own_context_tier(steps, user):
    """Published: 390 steps cost 19.13 or 19.46; by the mean prompt 11.58, and 395 steps 23.11."""
    work = cm.Workload(1, instruction_tokens=5_500 - user, input_tokens=user, output_tokens=300)
    assert by_ledger(steps, work) == pytest.approx(one_by_one(steps, 5_500 - user, user), rel=5e-4)


def test_long_agents_have_the_published_cost():
    work = cm.Workload(1, instruction_tokens=5_500, output_tokens=300)
    assert [round(by_ledger(n, work), 1) for n in (300, 390, 420)] == [10.6, 19.1, 22.4]


def test_a_cut_history_is_priced_call_by_call_too():
    """Teeth of 2,000 to 250,000 tokens: most of a tooth lies below the tier, its end above."""
    work = cm.Workload(1, instruction_tokens=5_000, input_tokens=500, output_tokens=300)
    cut = {"compact_at": 250_000, "kept_tokens": 2_000}
    for steps in (400, 500):
        ours, theirs = by_ledger(steps, work, **cut), one_by_one(steps, 5_000, 500, 250_000, 2_000)
        assert ours == pytest.approx(theirs, rel=0.01)


def test_draws_of_long_agents_are_priced_as_each_alone():
    work = cm.Workload(1, instruction_tokens=5_500, output_tokens=300)
    agent = cm.Agent(**GROWING, steps=np.array([[150.0], [390.0], [420.0]]))
    option, work, terms = cm.uncertainty.middle(
        (cm.Option(GEMINI, agent, cm.PromptCache()), work, NOVEMBER)
    )
    usd = cm.ledgers.evaluate(option, work, terms).total(Calendar(work, terms))
    assert usd.ravel() == pytest.approx([by_ledger(n, work) for n in (150, 390, 420)])


def test_a_summary_reads_the_warm_prefix():
    """99,000 read, 1,000 fresh and 500 written on claude-sonnet-4: 0.0402; without a cache
    0.3075."""
    sonnet = cm.Api("claude-sonnet-4-0", on="2026-11-01")
    agent = cm.Agent(steps=150, compact_at=100_000, kept_tokens=500, **GROWING)
    none = cm.Workload(1_000, output_tokens=300)
    for techniques, usd in (([cm.PromptCache()], 0.0402), ([], 0.3075)):
        option = cm.uncertainty.middle(cm.Option(sonnet, agent, *techniques))
        call = option.case(none, STILL).request.calls[1]
        call = replace(call, per_request=1.0)
        traffic = cm.ledgers.Traffic("summary", call, 1, cm.ledgers.once(), "serving")
        calendar = Calendar(none, STILL)
        paid = sum(
            line.usd * calendar.factor(line.schedule, line.trend)
            for line in option.serving.price([traffic], none, STILL)
        )
        assert paid == pytest.approx(usd)


@pytest.mark.parametrize(
    ("fail", "own", "sdk", "calls"),
    [(0.0, 3, 3, 1.0), (1.0, 3, 3, 9.0), (1.0, 3, 1, 3.0), (0.5, 2, 1, 1.5)],
)
def test_hidden_retries_multiply_to_nine(fail, own, sdk, calls):
    agent = cm.Agent(
        steps=1, **EXACT | {"fail_chance": fail}, own_tries=own, sdk_tries=sdk, billed_share=1
    )
    assert sent(agent)[0] == pytest.approx(calls, rel=1e-6)


def test_a_share_of_the_failed_calls_is_billed():
    """One in two fails, two tries: 1.5 calls are sent, and half of the failed ones are billed."""
    assert sent(
        cm.Agent(
            steps=1, **EXACT | {"fail_chance": 0.5}, own_tries=2, sdk_tries=1, billed_share=0.5
        )
    )[0] == pytest.approx(1.25)


def test_a_storm_of_retries_wastes_32_000_tokens():
    """8,000 tokens of context sent once and three times again."""
    assert 8_000 * cm.operations.attempts(1.0, 4) == pytest.approx(32_000, rel=1e-6)


def test_subagents_have_a_history_of_their_own():
    agent = cm.Agent(steps=4, subagents=3, subagent_steps=5, **EXACT)
    calls, tokens, _ = sent(agent)
    assert calls == pytest.approx(4 + 15)
    assert tokens == pytest.approx(
        cm.operations.step_tokens(2_000, 800, 4) + 3 * cm.operations.step_tokens(2_000, 800, 5)
    )


def test_a_cache_serves_the_steps_of_one_task_even_when_tasks_are_rare():
    """One task a month: no prefix lives until the next task, but nine of ten steps find the 2,000
    tokens of the one before, and every step the 2,880 of its own history; the 720 that the step
    before has added are written.
    """
    rare = replace(WORK, requests_per_month=1)
    agent = cm.Agent(steps=10, reuse=1.0, **EXACT)
    found = {
        line.item: line
        for line in lines(
            cm.Option(SERVING, agent, cm.PromptCache(minimum_tokens=500)),
            rare,
            replace(STILL, months=1),
        )
    }
    read, write = (found[f"production: cache {kind}"].quantity for kind in ("read", "write"))
    assert read / (read + write) == pytest.approx((0.9 * 2_000 + 2_880) / 5_600, abs=0.001)
    assert read + write == pytest.approx(10 * 5_600 / 1e6)
    assert total(cm.Option(SERVING, agent, cm.PromptCache(minimum_tokens=500)), rare) < 0.6 * total(
        cm.Option(SERVING, agent), rare
    )


def test_the_history_of_a_task_is_not_found_by_another_task_however_many_there_are():
    """With 10 million tasks a month every task finds instructions in the cache, but only its own
    steps its history.
    """
    busy = replace(WORK, requests_per_month=1e7)
    for reuse in (0.0, 0.5, 1.0):
        found = {
            line.item: line
            for line in lines(
                cm.Option(
                    SERVING,
                    cm.Agent(steps=10, reuse=reuse, **EXACT),
                    cm.PromptCache(minimum_tokens=500),
                ),
                busy,
                replace(STILL, months=1),
            )
        }
        read, write = (found[f"production: cache {x}"].quantity for x in ("read", "write"))
        assert read / (read + write) == pytest.approx((2_000 + 2_880 * reuse) / 5_600)


def test_subagents_and_summaries_do_not_change_what_is_looked_up_and_judged():
    """Both are calls beside the one that answers: questions to the index and tokens that a judge
    reads stay the same.
    """
    work = replace(WORK, input_tokens=500, corpus=cm.Corpus(tokens=9e6))
    helped = {"subagents": 2, "compact_at": 5_000}
    for technique, item in (
        (cm.Rag(), "embed the questions"),
        (cm.Monitoring(judge=SERVING), "production judge: fresh input"),
    ):
        plain, more = (
            [
                line.quantity
                for line in lines(cm.Option(SERVING, cm.Agent(**EXACT, **fields), technique), work)
                if line.item == item
            ]
            for fields in ({}, helped)
        )
        assert len(plain) == 1 and more == plain
    tokens = cm.Monitoring.rubric_tokens.mid + 500 + work.output_tokens
    assert plain[0] == pytest.approx(1_000 * cm.Monitoring.judge_share.mid * tokens / 1e6)


# -- the tail ------------------------------------------------------------------------------------


def test_a_tail_of_long_tasks_costs_more_than_its_mean():
    """The square of the steps has the mean mean^2 x exp(spread^2)."""
    flat, tailed = (sent(cm.Agent(steps=20, **EXACT | {"step_spread": s}))[1] for s in (0, 0.8))
    assert flat == pytest.approx(cm.operations.step_tokens(2_000, 800, 20))
    squares = 20**2 * np.exp(0.8**2)
    assert tailed == pytest.approx(2_000 * 20 + 800 * (squares - 20) / 2, rel=0.01)


def test_a_cap_cuts_the_tail_and_what_it_cuts_has_failed():
    """Cut at twice the mean: ln(2) + 0.32 over 0.8 is 1.27 standard deviations, so that 10 % do not
    end.
    """
    free, capped = (
        cm.Agent(steps=20, cap_steps=cap, **EXACT | {"step_spread": 0.8}) for cap in (None, 40)
    )
    assert sent(capped)[1] < 0.75 * sent(free)[1]
    table = cm.compare(
        {"free": cm.Option(SERVING, free), "capped": cm.Option(SERVING, capped)},
        WORK,
        terms=STILL,
        draws=2,
    )
    assert table.quality["free"] == pytest.approx(0.80, abs=1e-5) and table.quality[
        "capped"
    ] == pytest.approx(0.80 * 0.897, abs=0.001)


def test_an_agent_without_a_cap_has_an_unpriced_risk():
    endless, capped = (cm.Option(SERVING, cm.Agent(cap_steps=cap)) for cap in (None, 30))
    assert (
        "Agent(cap_steps=...)" in cm.operations.unpriced(endless, WORK, STILL).operation.to_list()
    )
    assert (
        "Agent(cap_steps=...)"
        not in cm.operations.unpriced(capped, WORK, STILL).operation.to_list()
    )


def test_the_heavy_user_has_a_negative_margin():
    """$24 of cost on a seat of $20 at the 95th percentile, while the mean user pays."""
    spread = 1.0
    mean = 24 / float(cm.operations.tail(1.0, spread, 0.95))
    table = cm.operations.user_margins(mean, 20, spread).set_index("percentile")
    assert table.usd[95] == pytest.approx(24) and table.margin[95] == pytest.approx(-0.20)
    assert 1 - mean / 20 > 0.4 and table.margin[50] > 0.7


# -- outcomes ------------------------------------------------------------------------------------


def test_a_resolved_task_costs_4_12_when_68_percent_are_resolved_at_2_80():
    option = cm.Option(api(**{"in": 2.80, "out": 0.0}), quality=0.68)
    work = cm.Workload(1_000, input_tokens=1e6 - 1)
    row = cm.finance.per_outcome(option, work, terms=STILL).iloc[0]
    assert row.per_request == pytest.approx(2.80, abs=1e-4) and round(row.per_accepted, 2) == 4.12
    handed = cm.finance.per_outcome(option, work, usd_per_escalation=10, terms=STILL).iloc[0]
    assert handed.per_accepted == pytest.approx((2.80 + 0.32 * 10) / 0.68, abs=1e-3)


@pytest.mark.parametrize(("steps", "usd"), [(417, 105.8), (230, 49.9)])
def test_measured_sessions_lie_in_the_band_of_a_session_and_over_that_of_a_benchmark(steps, usd):
    """Two sessions on Opus 4.7; a step of a benchmark is a third as long."""
    opus = cm.Api("claude-opus-4-7", on="2026-11-20")
    work = cm.Workload(1, instruction_tokens=8_000, input_tokens=500, output_tokens=500)
    bands = {}
    for interactive in (True, False):
        agent = cm.CodingAgent(
            steps=steps,
            step_spread=0,
            reviewed_share=0,
            build_weeks=0,
            upkeep_fte=0,
            interactive=interactive,
        )
        option, terms = cm.Option(opus, agent, cm.PromptCache()), replace(STILL, months=1)
        bands[interactive] = cm.compare(option, work, terms=terms, draws=1_000).iloc[0]
    assert bands[True].p10 < usd < bands[True].p90
    assert bands[False].p90 < usd


def test_a_session_fills_in_what_is_not_given_and_can_be_taken_back():
    session = cm.CodingAgent(interactive=True, tool_tokens=500)
    assert session.tool_tokens == 500 and session.steps.mid == 120
    assert replace(session, interactive=False).steps is cm.CodingAgent().steps


def test_people_check_results():
    checked = cm.Agent(steps=3, **EXACT, reviewed_share=0.5, review_minutes=6)
    (line,) = [
        line for line in lines(cm.Option(SERVING, checked), WORK) if line.item == "check results"
    ]
    assert line.quantity == pytest.approx(1_000 * 0.5 * 6 / 60)


def test_an_accepted_change_against_a_developers_hours():
    """Two hours by hand at the loaded rate; the agent is read for 20 minutes, and what is rejected
    is done by hand after all.
    """
    agent = cm.CodingAgent(
        steps=30, step_spread=0, transfer=0.5, review_minutes=20, build_weeks=0, upkeep_fte=0
    )
    ways = cm.operations.coding_ways(cm.Option(SERVING, agent), WORK, 2.0, 1.19, STILL).set_index(
        "way"
    )
    hourly = cm.facts.person("engineer").usd_per_hour.mid
    assert ways.usd_per_change["developer alone"] == pytest.approx(2 * hourly)
    assert ways.usd_people["agent, read by a developer"] == pytest.approx(
        (1 / 3 + 0.6 * 2) * hourly, rel=1e-4
    )
    useless = (
        cm.operations.coding_ways(
            cm.Option(SERVING, replace(agent, transfer=0.05)), WORK, 2.0, 1.19, STILL
        )
        .set_index("way")
        .usd_per_change
    )
    assert useless["agent, read by a developer"] > useless["developer alone"]


def test_published_runs_of_a_coding_agent_lie_in_the_band():
    """Dollars a task of mini-SWE-agent on SWE-bench Verified: 13 of 15 models in the 80 % band, the
    median 16 % off. The defaults were chosen with these rows in view. Outside: gpt-4o, one percent
    below its band, and GLM-4.5 at $0.30, between our $0.11 with a cache and $0.44 without, as if
    less than half of its prompts had been cached.
    """
    found = cm.operations.agent_runs()
    assert len(found) == 15 and found.inside.mean() >= 0.8
    assert set(found[~found.inside].case) == {"gpt-4o", "GLM-4.5"}
    assert np.exp(np.abs(np.log(found.ratio)).median()) < 1.20
    assert found.per_resolved.to_list() == pytest.approx((found.reported / found.success).to_list())


def test_the_order_of_shapes_does_not_matter():
    work = replace(WORK, corpus=cm.Corpus(tokens=9e6))
    pieces = [cm.Agent(), cm.PromptCache(), cm.FewShot()]
    usd = {
        total(cm.Option(SERVING, *order), work)
        for order in (pieces, pieces[::-1], [pieces[1], pieces[0], pieces[2]])
    }
    assert max(usd) == pytest.approx(min(usd))


def test_operations_pay_for_the_steps_of_an_agent():
    """An evaluation of 100 tasks of 7 steps is 700 calls."""
    option = cm.Option(
        SERVING,
        cm.Agent(steps=7, **EXACT),
        cm.Evals(items=100, runs_per_month=1, spread=0, changes_per_week=0),
    )
    (line,) = [line for line in lines(option, WORK) if line.item == "evaluation runs: output"]
    assert line.quantity == pytest.approx(100 * (6 * 200 + 300) / 1e6)


def test_a_task_that_outgrows_the_window_is_refused():
    small = api(window=16_000, **{"in": 2.0, "out": 10.0})
    with pytest.raises(cm.Infeasible, match="set compact_at"):
        lines(cm.Option(small, cm.Agent(steps=25, **EXACT)), WORK)
    lines(cm.Option(small, cm.Agent(steps=25, compact_at=8_000, **EXACT)), WORK)


def test_another_loop_whose_steps_are_not_known_is_held_four_times_of_five():
    """Dollars a task of OpenHands and of the vendors' own loops on SWE-bench, which the defaults
    have not seen: a provider without a listed cache lies above the band.
    """
    found = {}
    bills = measured("bills").query("way == 'coding agent' and source == 'openhands-index'")
    for id, model, on, usd in bills[["id", "model", "on", "value"]].itertuples(index=False):
        thinks = cm.Range(300, 3_000, mid=1_000) if model != "claude-sonnet-4-5" else 0.0
        agent = cm.CodingAgent(
            reviewed_share=0, build_weeks=0, upkeep_fte=0, step_reasoning_tokens=thinks
        )
        option = cm.Option(cm.Api(model, on=on, accepted=0.74), agent, cm.PromptCache())
        work = replace(WORK, instruction_tokens=cm.Range(1_500, 6_000, mid=3_000))
        terms = replace(STILL, months=1, start=on)  # some of these models have ended since
        row = cm.compare(option, work, terms=terms, draws=2_000).iloc[0]
        found[id] = row.p10 / 1_000 <= usd <= row.p90 / 1_000
    assert found == {
        "swe-openhands": True,
        "swe-claude-code": True,
        "swe-subagents": True,
        "swe-codex": True,
        "swe-minimax": False,
    }


def test_a_doubt_about_the_person_widens_the_band_and_not_the_middle():
    option = cm.Option(SERVING, cm.uncertainty.middle(cm.Agent()))
    work, terms = cm.uncertainty.middle((WORK, STILL))
    sure, doubt = (
        cm.finance.per_outcome(option, work, usd_per_escalation=usd, terms=terms, draws=4_000).iloc[
            0
        ]
        for usd in (2.0, cm.Range(1, 4))
    )
    assert doubt.per_accepted == sure.per_accepted and doubt.p90 > sure.p90 and doubt.p10 < sure.p10


def test_the_band_of_a_developer_with_ai_holds_both_trials():
    """0.44 times the hours in one trial, 1.19 in another: neither way is surely the cheaper."""
    still = replace(STILL, people=cm.uncertainty.middle(STILL.people))
    ways = cm.operations.coding_ways(
        cm.Option(SERVING, cm.CodingAgent()), WORK, 2.0, terms=still
    ).set_index("way")
    alone = ways.usd_per_change["developer alone"]
    assert ways.p10["developer alone"] == pytest.approx(alone) == ways.p90["developer alone"]
    assert ways.p10["developer with AI"] < alone < ways.p90["developer with AI"]
    assert (ways.p10 <= ways.usd_per_change).all() and (ways.usd_per_change <= ways.p90).all()


WRONG = {
    "steps_and_success: the option has no Agent": lambda: cm.operations.steps_and_success(
        cm.Option(SERVING), WORK, [2], [0.5]
    ),
    "steps_and_success: steps is \\[\\], it must be a list": lambda: (
        cm.operations.steps_and_success(cm.Option(SERVING, cm.Agent()), WORK, [], [0.5])
    ),
    "success is \\(2.0, 2.0\\), allowed is between": lambda: cm.operations.steps_and_success(
        cm.Option(SERVING, cm.Agent()), WORK, [2], [2]
    ),
    "usd_per_escalation is -1, allowed is at least 0": lambda: cm.finance.per_outcome(
        cm.Option(SERVING), WORK, usd_per_escalation=-1
    ),
    "coding_ways: the option has no CodingAgent": lambda: cm.operations.coding_ways(
        cm.Option(SERVING, cm.Agent()), WORK, 2
    ),
    "coding_ways compares the ways of one Option": lambda: cm.operations.coding_ways(
        cm.cascade(cm.Option(SERVING), cm.Option(SERVING), 0.3), WORK, 2
    ),
    "hours_by_hand is -2, allowed is at least 0": lambda: cm.operations.coding_ways(
        cm.Option(SERVING, cm.CodingAgent()), WORK, -2
    ),
    "usd_per_seat_month is 0, allowed is at least 0.01": lambda: cm.operations.user_margins(
        8, 0, 1
    ),
    "at is \\(2.0, 2.0\\), allowed is between": lambda: cm.operations.user_margins(
        8, 16, 1, at=[2]
    ),
    "inference_share: volumes is empty": lambda: cm.operations.inference_share(
        cm.Option(SERVING), WORK, []
    ),
    "on is 'soon', it must be a day": lambda: cm.operations.duties("soon"),
    "Agent.sdk_tries is 0, allowed is at least 1": lambda: cm.Agent(sdk_tries=0),
    "CodingAgent.cap_steps is 0, allowed is at least 1": lambda: cm.CodingAgent(cap_steps=0),
}


@pytest.mark.parametrize("message", WRONG)
def test_what_cannot_be_meant_is_one_sentence(message):
    with pytest.raises(ValueError, match=message):
        WRONG[message]()


def test_a_cap_that_no_task_meets_accepts_next_to_nothing():
    option = cm.Option(SERVING, cm.Agent(steps=10, cap_steps=2, **EXACT))
    assert 0 <= cm.compare(option, WORK, terms=STILL, draws=2).quality.item() < 1e-5


def test_a_described_schema_saves_steps_and_its_inputs_are_their_own():
    """2 steps of 2,000 + 3,000 against 8 of 2,000 + 800 tokens, and a history."""
    ways = cm.uncertainty.middle(cm.operations.schema_options(SERVING))
    exact = {"step_spread": 0, "fail_chance": 0, "tools": 0}
    bare, described = (
        sent(replace(ways[f"{which} schema"].techniques[0], **exact))
        for which in ("bare", "described")
    )
    assert (bare[0], described[0]) == (pytest.approx(8), pytest.approx(2))
    assert described[1] == pytest.approx(cm.operations.step_tokens(5_000, 600, 2))
    assert bare[1] == pytest.approx(cm.operations.step_tokens(2_800, 600, 8))
    study = cm.Study(cm.operations.schema_options(SERVING), WORK, STILL)
    keys = [f"{w}_schema.{n}" for w in ("bare", "described") for n in ("steps", "schema_tokens")]
    for key in keys:
        table = cm.sweep(study, key, [2.0, 20.0], draws=20)
        moved = table.groupby("option")["present_value"].nunique()
        which = key.split("_")[0]
        assert moved[f"{which} schema"] == 2 and moved.drop(f"{which} schema").item() == 1


def test_agents_that_clear_and_compress_can_be_written_in_a_scenario(tmp_path):
    text = """
title: Agents
workload: {requests_per_month: 1_000, instruction_tokens: 2_000, output_tokens: 300}
terms: {on: 2026-11-20, months: 12}
options:
  Session:
    serving: {api: claude-opus-4-7}
    techniques:
      - coding agent: {interactive: yes, clear_at: 100_000, compressed_to: 0.5}
      - prompt cache
"""
    file = tmp_path / "agents.yaml"
    file.write_text(text.replace("coding agent", "coding_agent"), encoding="utf-8")
    study = cm.load(file)
    agent = cm.CodingAgent(interactive=True, clear_at=100_000, compressed_to=0.5)
    option = cm.Option(cm.Api("claude-opus-4-7", on="2026-11-20"), agent, cm.PromptCache())
    typed = replace(study, options={"Session": option})
    assert cm.ledger(study)["usd"].sum() == pytest.approx(cm.ledger(typed)["usd"].sum())
