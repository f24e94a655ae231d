"""API prices to the cent: published cases, tiers, dates, modes, refusals, and genai-prices."""

import random
from collections import Counter
from dataclasses import replace
from datetime import UTC, date, datetime
from types import SimpleNamespace

import numpy as np
import pytest
from genai_prices import Usage, data_snapshot
from genai_prices.types import StartDateConstraint

from costmodel.core.draws import sample
from costmodel.core.errors import CatalogError
from costmodel.core.nested import leaves
from costmodel.core.ranges import Range
from costmodel.facts.cards import api_models, api_price, price
from costmodel.facts.listings import offers
from costmodel.facts.pricelist import MODES, PRICES_VERSION
from costmodel.facts.prices import CLASSES, ApiPrice, Rates, Tokens, billed, rates, request_usd

ON = "2026-11-01"
# $3 in, $0.30 read, $3.75 and $6 write, $15 out; twice that (out: x 1.5) above 200K
SONNET = "claude-sonnet-4-5"


def card(**usd_per_mtok: float) -> ApiPrice:
    """A price card with the rates that a published case states."""
    base = Rates(
        "case", 0, **{f"usd_per_mtok_{name}": value for name, value in usd_per_mtok.items()}
    )
    return ApiPrice("case", "case", ON, "standard", None, 1.0, 0.0, None, 0.0, (base,), (), ())


# -- published cases -------------------------------------------------------------------------------


def test_cached_input_is_billed_once():
    """github.com/BerriAI/litellm/issues/14849: $0.1849 with its rates (it was billed $0.7642)."""
    posted = card(**{"in": 1.25, "cache_read": 0.625, "out": 10})
    tokens = Tokens(input=262_960 - 257_955, cache_read=257_955, output=1_744)
    assert round(request_usd(posted, tokens), 4) == 0.1849


def test_cached_input_of_another_provider():
    """github.com/BerriAI/litellm/issues/31714: $0.00860376."""
    posted = card(**{"in": 1.4, "cache_read": 0.26, "out": 4.4})
    assert request_usd(posted, Tokens(input=1, cache_read=27_146, output=351)) == pytest.approx(
        0.00860376, abs=1e-12
    )


def test_drawn_image_has_a_price_of_its_own():
    """github.com/ding113/claude-code-hub/issues/663: $0.248776.

    326 tokens in, 2,000 drawn, 340 of text and 337 of thoughts.
    """
    tokens = Tokens(input=326, output=340, reasoning=337, image_output=2_000)
    assert price("gemini-3-pro-image-preview", tokens, on=ON) == pytest.approx(0.248776, abs=1e-12)


def test_cache_write_replaces_the_base_rate():
    """github.com/BerriAI/litellm/issues/6575: $0.00375 for 1,000 tokens, not $0.00675."""
    assert price(SONNET, Tokens(cache_write=1_000), on=ON) == pytest.approx(0.00375, abs=1e-12)
    assert price(SONNET, Tokens(cache_write_1h=1_000), on=ON) == pytest.approx(0.006, abs=1e-12)


def test_warming_the_cache_before_fanning_out():
    """A 30K prefix at $3/M: three cold writes, one write and three reads, three plain calls."""
    write, read, plain = (
        price(SONNET, Tokens(**{c: 30_000}), on=ON) for c in ("cache_write", "cache_read", "input")
    )
    assert 3 * write == pytest.approx(0.3375, abs=1e-12)
    assert write + 3 * read == pytest.approx(0.1395, abs=1e-12)
    assert 3 * plain == pytest.approx(0.2700, abs=1e-12)


@pytest.mark.parametrize("model, base, upper", [(SONNET, 3.0, 6.0), ("gemini-2.5-pro", 1.25, 2.5)])
def test_a_tier_reprices_the_whole_request_strictly_above_its_threshold(model, base, upper):
    for n, rate in ((199_999, base), (200_000, base), (200_001, upper)):
        assert price(model, Tokens(input=n), on=ON) == pytest.approx(n * rate / 1e6, rel=1e-12)
    out = rates(api_price(model, on=ON)).usd_per_mtok_out
    assert (
        price(model, Tokens(input=200_001, output=1_000), on=ON)
        > 200_001 * upper / 1e6 + 1_000 * out / 1e6
    )


def test_the_tier_is_chosen_on_all_prompt_tokens():
    mixed = Tokens(input=50_001, cache_read=100_000, cache_write=50_000)
    assert billed(api_price(SONNET, on=ON), mixed)["cache_read"] == (100_000, 0.6)
    assert (
        billed(api_price(SONNET, on=ON), Tokens(input=50_000, cache_read=150_000))["cache_read"][1]
        == 0.3
    )


def test_prices_of_the_day():
    both = Tokens(input=1_000_000, output=1_000_000)
    assert price("o3", both, on="2025-06-09", calls=10) == pytest.approx(50)
    assert price("o3", both, on="2025-06-10", calls=10) == pytest.approx(10)
    assert price("gpt-5.6-sol", both, on="2026-08-20") > price("gpt-5.6-sol", both, on="2026-08-21")
    assert price("gpt-4o", Tokens(input=1_000, output=100), on=ON) == pytest.approx(0.0035)


# in, read, out of deepseek-v4-pro: flat, then by the hour every day, then on weekdays alone
FLAT = (0.435, 0.003625, 0.87)
PEAK, OFF_PEAK = (1.32, 0.044, 3.96), (0.66, 0.022, 1.98)


@pytest.mark.parametrize(
    "on, peak_share",
    [
        ("2026-11-20T02:00", 1.0),
        ("2026-11-20T12:00", 0.0),
        ("2026-11-21T02:00", 0.0),  # a Saturday
        ("2026-08-22T02:00", 1.0),  # a Saturday before weekends were off-peak
        ("2026-11-20", 35 / 168),
        ("2026-08-20", 7 / 24),
        ("2026-11-20T07:00-17:00", 3 / 10),  # office hours in Europe, three of ten are dear
        ("2026-11-20T22:00-02:00", 1 / 4),
    ],
)
def test_a_day_without_an_hour_takes_the_mean_of_a_week(on, peak_share):
    found = api_price("deepseek-v4-pro", on=on)
    tier = found.tiers[0]
    wanted = [off + peak_share * (peak - off) for peak, off in zip(PEAK, OFF_PEAK, strict=True)]
    assert [
        tier.usd_per_mtok_in,
        tier.usd_per_mtok_cache_read,
        tier.usd_per_mtok_out,
    ] == pytest.approx(wanted, rel=1e-12)
    assert any("the price changes with the hour" in note for note in found.notes) == ("T" not in on)


@pytest.mark.parametrize("hour", ["", "T02:00", "T12:00"])
def test_no_price_of_the_hour_before_there_was_one(hour):
    tier = api_price("deepseek-v4-pro", on=f"2026-05-27{hour}").tiers[0]
    assert (tier.usd_per_mtok_in, tier.usd_per_mtok_cache_read, tier.usd_per_mtok_out) == FLAT


def test_a_night_discount_that_ended_is_not_given():
    tier = api_price("deepseek-chat", on="2026-01-10").tiers[0]
    assert (tier.usd_per_mtok_in, tier.usd_per_mtok_out) == (0.27, 1.1)


# -- what the list knows of the time to come -------------------------------------------------------


def test_a_day_to_come_has_the_price_that_the_list_knows():
    before, after = (price("gemini-4-argon", Tokens(output=1e6), on=d) for d in (ON, "2026-12-15"))
    assert (before, after) == (10, 20)
    with pytest.raises(ValueError, match="prices after 2027-01-01 are not known"):
        api_price("gemini-4-argon", on="2027-01-02")


def test_a_card_holds_the_steps_that_come_after_its_day():
    argon = api_price("gemini-4-argon", on=ON)
    assert [step.on for step in argon.steps] == ["2026-12-01"]
    assert argon.steps[0].factor("usd_per_mtok_out", 1_000) == 2
    assert "from 2026-12-01 on: input x 2, cache_read x 2, output x 2" in argon.notes
    assert api_price("gemini-4-argon", on="2026-12-01").steps == []
    assert api_price("gpt-4o", on=ON).steps == []


def test_a_step_may_take_a_context_tier_away():
    (step,) = api_price("claude-opus-4-6", on="2026-03-01").steps
    counts = np.array([[200_000.0], [200_001.0]])
    assert step.factor("usd_per_mtok_in", counts).ravel().tolist() == [1.0, 0.5]


def test_a_step_of_ours_completes_the_list_and_is_named():
    """Calls of Gemini 2.5 Pro are billed as 3.8 Flash, without the tier above 200,000 tokens."""
    before = api_price("gemini-2.5-pro", on=ON)
    assert [step.on for step in before.steps] == ["2026-12-01", "2027-01-01"]
    flash, pro = (
        api_price(model, on="2026-12-05").tiers for model in ("gemini-3.8-flash", "gemini-2.5-pro")
    )
    assert len(pro) == 1
    for field in ("usd_per_mtok_in", "usd_per_mtok_cache_read", "usd_per_mtok_out"):
        assert getattr(pro[0], field) == getattr(flash[0], field)
        stepped = before.steps[0].factor(field, 250_000.0) * getattr(before.tiers[1], field)
        assert stepped == pytest.approx(getattr(flash[0], field))
    flex = api_price("gemini-2.5-pro", on="2026-11-20", mode="flex")  # a rule follows the steps
    assert [step.on for step in flex.steps] == ["2026-12-01", "2027-01-01"]
    after = api_price("gemini-2.5-pro", on="2026-12-05")
    assert any("ai-deprecations" in note for note in after.notes)
    assert ("usd_per_mtok_in", "ai-deprecations") in after.sources


def test_what_the_list_does_not_know_is_said():
    with pytest.raises(CatalogError, match=f"{PRICES_VERSION} of 2026-11-09, .* days old"):
        api_price("no-such-model")
    with pytest.raises(CatalogError, match="no batch price of it before 2026-10-14"):
        api_price("gpt-4o", on="2026-04-15", mode="batch")
    with pytest.raises(CatalogError, match="gpt-6-sol was released on 2026-09-22"):
        api_price("gpt-6-sol", on="2025-06-01")
    assert any("deprecated" in note for note in api_price("z-ai/glm-4.7", "avian", on=ON).notes)
    latest = api_price("mistral-large-latest", on=ON)
    assert any("priced as mistral-large;" in note for note in latest.notes)
    assert any("the list says: " in note for note in api_price("gemini-4-argon", on=ON).notes)


@pytest.mark.parametrize(
    "model, mode, ratios",  # of input, cache read and output to the standard price
    [
        ("claude-opus-4-1", "batch", (0.5, 0.5, 0.5)),
        ("grok-4.7", "batch", (0.8, 0.8, 0.8)),
        ("gemini-2.5-pro", "flex", (0.5, 1.0, 0.5)),
        ("gemini-4-argon", "priority", (1.8, 1.8, 1.8)),
    ],
)
def test_a_mode_that_the_list_lacks_is_priced_by_a_sourced_rule(model, mode, ratios):
    by_rule, standard = (api_price(model, on="2026-11-20", mode=m) for m in (mode, "standard"))
    for field, ratio in zip(
        ("usd_per_mtok_in", "usd_per_mtok_cache_read", "usd_per_mtok_out"), ratios, strict=True
    ):
        for ours, theirs in zip(by_rule.tiers, standard.tiers, strict=True):
            assert getattr(ours, field) == pytest.approx(ratio * getattr(theirs, field))
    assert any("priced by a rule" in note for note in by_rule.notes)
    assert dict(by_rule.sources)["usd_per_mtok_in"] != "genai-prices"


def test_a_rule_holds_from_the_day_on_which_it_was_read():
    with pytest.raises(CatalogError, match="no 'batch' price on 2026-10-01"):
        api_price("claude-opus-4-1", on="2026-10-01", mode="batch")


def test_a_date_before_the_history_says_so():
    with pytest.raises(CatalogError, match="no history before 2025-05-22; choose a later date"):
        api_price("gpt-4o", on="2024-06-01")
    start = StartDateConstraint(date(2026, 1, 1))
    entry = SimpleNamespace(id="new", prices=[SimpleNamespace(constraint=start, prices=None)])
    seller = SimpleNamespace(id="maker")
    with pytest.raises(
        CatalogError,
        match="no price of new is known for 2025-12-31; its first one is of 2026-01-01",
    ):
        offers(seller, entry, "2025-12-31")
    assert offers(seller, entry, "2026-01-01")[1] == []


def test_many_calls_are_not_one_request():
    """A session whose every call is below the tier at 272,000 tokens."""
    session = Tokens(
        input=2_124, cache_read=875_306, cache_write=57_610, output=10_009, reasoning=1_141
    )
    for_all = price("gpt-5.6-terra", session, on="2026-11-20", calls=10)
    assert for_all == pytest.approx(0.457, abs=0.0005)
    assert price("gpt-5.6-terra", session, on="2026-11-20") == pytest.approx(0.847, abs=0.0005)
    halves = Tokens(**{name: count / 10 for name, count in session.classes()})
    assert for_all == pytest.approx(10 * price("gpt-5.6-terra", halves, on="2026-11-20"))
    with pytest.raises(ValueError, match="calls is 0"):
        price("gpt-5.6-terra", session, on=ON, calls=0)


def test_a_prompt_over_the_window_is_refused():
    prompt = Tokens(input=5_000_000)
    with pytest.raises(CatalogError, match="over the 200,000-token window of claude-haiku-4-5"):
        price("claude-haiku-4-5", prompt, on=ON)
    assert price("claude-haiku-4-5", prompt, on=ON, calls=50) == pytest.approx(5)


# -- modes, residency, discount --------------------------------------------------------------------


def test_batch_reprices_every_class_that_its_price_names():
    standard, batch = (
        rates(api_price(SONNET, on=ON, mode=m), 250_000) for m in ("standard", "batch")
    )
    for name in ("input", "cache_read", "cache_write", "cache_write_1h", "output", "reasoning"):
        field = CLASSES[name][0]
        assert getattr(batch, field) == pytest.approx(getattr(standard, field) / 2)
    assert batch.id != standard.id  # a what-if on one price must not move the other
    assert any(
        "batch does not reprice cache_read" in note
        for note in api_price("o3-mini", on=ON, mode="batch").notes
    )


def test_a_mode_that_is_not_priced_is_an_error_that_names_those_that_are():
    assert price("o4-mini", Tokens(output=1_000_000), on=ON, mode="flex") == pytest.approx(2.2)
    with pytest.raises(
        CatalogError, match="no 'flex' price on 2026-11-01; its modes that day: standard, batch"
    ):
        api_price("gpt-4o", on=ON, mode="flex")
    with pytest.raises(CatalogError, match="no flex price of it before 2026-10-12"):
        api_price("o4-mini", on="2026-09-01", mode="flex")
    with pytest.raises(CatalogError, match="did you mean 'batch'"):
        api_price("gpt-4o", on=ON, mode="bach")


def test_a_discount_scales_every_class_and_tier():
    tokens = Tokens(
        input=150_000,
        cache_read=60_000,
        cache_write=5_000,
        cache_write_1h=5_000,
        output=900,
        reasoning=100,
    )
    assert price(SONNET, tokens, on=ON, discount=0.2) == pytest.approx(
        0.8 * price(SONNET, tokens, on=ON)
    )
    for wrong in (1.0, -0.1):
        with pytest.raises(ValueError, match="discount is"):
            api_price(SONNET, on=ON, discount=wrong)


def test_residency_scales_every_class():
    tokens = Tokens(input=1_000, cache_read=60_000, output=900)
    home, eu = (price("gpt-6-sol", tokens, on=ON, residency=r) for r in (None, "eu"))
    assert eu == pytest.approx(1.1 * home)
    with pytest.raises(CatalogError):
        api_price("gpt-6-sol", on=ON, residency="mars")
    with pytest.raises(CatalogError, match="regional price already"):
        api_price(
            "regional.anthropic.claude-sonnet-4-5-20250929-v1:0", "aws", on=ON, residency="eu"
        )


# -- names -----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "name, provider, id",
    [
        ("claude-opus-4-5-20251101", "anthropic", "claude-opus-4-5"),
        ("gpt-4o-2024-08-06", "openai", "gpt-4o"),
        ("claude-sonnet-4-20250514", "anthropic", "claude-sonnet-4-0"),
        ("ft:gpt-4o-2024-08-06:us::x", "openai", "ft:gpt-4o"),
        ("claude-sonnet-4-5", "anthropic", SONNET),
        ("text-embedding-3-small", "openai", "text-embedding-3-small"),
        ("deepseek-v4-pro", "deepseek", "deepseek-v4-pro"),
        ("gemini-2.5-pro", "google", "gemini-2.5-pro"),
    ],
)
def test_a_name_finds_its_maker(name, provider, id):
    found = api_price(name, on=ON)
    assert (found.provider, found.id) == (provider, id)


@pytest.mark.parametrize(
    "guess, near",
    [
        ("gpt-5-nonexistent", "gpt-5"),
        ("claude-sonnet-9", "claude-sonnet"),
        ("gemini-2.5-pro-xyz", "gemini-2.5-pro"),
        ("my-gpt-4o-wrapper", "gpt-4o"),
        ("claude-sonnet-4-5-9", "claude-sonnet-4-5"),
    ],
)
def test_a_guess_is_refused_with_the_nearest_names(guess, near):
    with pytest.raises(CatalogError, match=rf"did you mean.*{near}"):
        api_price(guess, on=ON)


def test_several_sellers_must_be_chosen_from():
    with pytest.raises(
        CatalogError, match=r"sold by several providers; add provider= one of avian, .*novita"
    ):
        api_price("moonshotai/kimi-k2.5", on=ON)
    assert api_price("moonshotai/kimi-k2.5", "novita", on=ON).tiers[0].id.startswith("novita/")
    with pytest.raises(CatalogError, match="did you mean 'azure'"):
        api_price("gpt-4o", "azur", on=ON)
    assert any("maker's price" in note for note in api_price("gpt-4o", "azure", on=ON).notes)


def test_what_is_not_priced_is_refused_never_zero():
    with pytest.raises(CatalogError, match="no cache_read price"):
        price("text-embedding-3-small", Tokens(cache_read=1), on=ON)
    with pytest.raises(CatalogError, match="no output price"):
        price("text-embedding-3-small", Tokens(output=1), on=ON)
    with pytest.raises(CatalogError, match="no cache_write_1h price"):
        price("gpt-6-sol", Tokens(cache_write_1h=1), on=ON)
    with pytest.raises(CatalogError, match="priced by audio_hours"):
        api_price("whisper-1", on=ON)
    with pytest.raises(CatalogError, match="no published price"):
        api_price("mai-ds-r1:free", "openrouter", on=ON)
    plain = api_price("gpt-4o", on=ON)
    assert any("cache write is not priced" in note for note in plain.notes)
    assert request_usd(plain, Tokens(cache_write=7, cache_write_1h=7)) == request_usd(
        plain, Tokens(input=14)
    )


@pytest.mark.parametrize(
    "wrong", [{"input": -1}, {"output": "12"}, {"image": True}, {"input": float("nan")}]
)
def test_tokens_must_be_counts(wrong):
    with pytest.raises(ValueError, match=f"Tokens.{next(iter(wrong))} is"):
        Tokens(**wrong)


@pytest.mark.parametrize(
    "on",
    ["2026-13-01", "20261101", "yesterday", "2026-11-01T20:00:00+02:00", "2026-11-01T09:00-09:00"],
)
def test_a_date_must_be_a_date(on):
    with pytest.raises(ValueError, match="YYYY-MM-DD"):
        api_price("gpt-4o", on=on)


# -- arrays and doubt ------------------------------------------------------------------------------


def test_arrays_are_the_same_as_numbers():
    sonnet = api_price(SONNET, on=ON)
    counts = np.array([[199_999.0], [200_000.0], [200_001.0]])
    drawn = request_usd(sonnet, Tokens(input=counts, output=500))
    assert drawn.shape == (3, 1)
    assert drawn.ravel().tolist() == [
        request_usd(sonnet, Tokens(input=n, output=500)) for n in counts.ravel()
    ]


def test_a_rate_may_be_a_range():
    sonnet = api_price(SONNET, on=ON, discount=Range(0.1, 0.3))
    drawn = sample(sonnet, 100, seed=1)
    usd = request_usd(drawn, Tokens(input=1_000_000))
    assert usd.shape == (100, 1)
    assert 6 * 0.6 < usd.min() < usd.max() < 6 * 0.95
    assert f"{SONNET}.usd_per_mtok_in" in leaves(sonnet)
    assert f"{SONNET}>200000.usd_per_mtok_in" in leaves(sonnet)


# -- the package itself ----------------------------------------------------------------------------

USAGE_KEY = {
    "cache_read": "cache_read_tokens",
    "cache_write": "cache_write_tokens",
    "cache_write_1h": "cache_write_1h_tokens",
    "reasoning": "output_reasoning_tokens",
    "image": "input_image_tokens",
    "audio": "input_audio_tokens",
    "image_output": "output_image_tokens",
    "audio_output": "output_audio_tokens",
}


def usage_of(t: Tokens) -> Usage:
    """The same request as genai-prices counts it: totals that include their parts."""
    parts = {key: getattr(t, name) for name, key in USAGE_KEY.items()}
    parts["cache_write_tokens"] += t.cache_write_1h
    joint = {
        "cache_audio_read_tokens": 0,
        "cache_image_read_tokens": 0,
    }  # our image and audio are fresh input
    return Usage(input_tokens=t.prompt, output_tokens=t.total - t.prompt, **parts, **joint)


def random_tokens(rng: random.Random) -> Tokens:
    often = {"input": 1.0, "output": 0.9, "cache_read": 0.5, "cache_write": 0.3, "reasoning": 0.3}
    return Tokens(
        **{
            name: int(10 ** rng.uniform(0, 5.5))
            for name in CLASSES
            if rng.random() < often.get(name, 0.1)
        }
    )


def test_we_agree_with_the_package_over_every_model():
    """Every model of every provider, at three moments, with random tokens.

    A refused class is left out and counted.
    """
    rng, agreed, refused = random.Random(7), 0, Counter()
    for provider in data_snapshot.get_snapshot().providers:
        for model in provider.models:
            for on in ("2025-06-20T12:00", "2026-08-25T09:59", "2026-11-01T14:30"):
                mode = rng.choice(["standard", *MODES]) if model.price_variants else "standard"
                tokens, ours = random_tokens(rng), None
                while ours is None:
                    try:
                        found = api_price(model.id, provider.id, on, mode)
                        if any("priced by a rule" in note for note in found.notes):
                            refused["by rule"] += 1
                            break
                        ours = request_usd(found, tokens)
                    except CatalogError as error:
                        reason = reason_of(str(error), mode)
                        refused[reason] += 1
                        if reason not in CLASSES:
                            break
                        tokens = replace(tokens, **{reason: 0})
                else:
                    usage, when = usage_of(tokens), datetime.fromisoformat(on).replace(tzinfo=UTC)
                    theirs = [
                        float(
                            model.calc_price(
                                usage, provider, genai_request_timestamp=when, price_context=context
                            ).total_price
                        )
                        for context in MODES[mode] or [None]
                    ]
                    assert any(ours == pytest.approx(usd, rel=1e-9, abs=1e-15) for usd in theirs), (
                        provider.id,
                        model.id,
                        on,
                        mode,
                        tokens,
                    )
                    agreed += 1
    print(f"genai-prices {PRICES_VERSION}: {agreed} agree, refused by rule: {dict(refused)}")
    assert agreed > 6_000
    assert set(refused) - {"by rule"} == {
        "mode",
        "no price",
        "not by token",
        "unreleased",
        "cache_read",
        "cache_write_1h",
        "output",
        "reasoning",
        "audio",
        "image_output",
        "audio_output",
    }


def reason_of(message: str, mode: str) -> str:
    if f"has no {mode!r} price" in message:
        return "mode"
    if "was released on" in message:
        return "unreleased"
    if "no published price" in message:
        return "no price"
    if "not by token" in message:
        return "not by token"
    found = [name for name in CLASSES if f" has no {name} price" in message]
    assert found, message
    return found[0]


def test_no_token_price_of_the_package_is_overlooked():
    known = {key for _, key in CLASSES.values()} | {
        "cache_audio_read_mtok",
        "cache_image_read_mtok",
        "input_video_mtok",
        "output_video_mtok",
        "output_citation_mtok",
    }
    seen = set()
    for provider in data_snapshot.get_snapshot().providers:
        for model in provider.models:
            lists = (
                [p.prices for p in model.prices]
                if isinstance(model.prices, list)
                else [model.prices]
            )
            seen |= {
                key
                for p in lists + [v.prices for v in model.price_variants or ()]
                for key in vars(p)
            }
    assert {key for key in seen if key.endswith("_mtok")} <= known


def test_every_context_of_the_package_is_a_mode_or_left_out_on_purpose():
    contexts = {
        tuple(v.when.items())
        for p in data_snapshot.get_snapshot().providers
        for m in p.models
        for v in m.price_variants or ()
    }
    ours = {tuple(c.items()) for found in MODES.values() for c in found}
    left_out = {
        ("service_tier", "default"),
        ("route", "mistral/eu"),
        ("search_type", "fast"),
        ("search_type", "web"),
    }
    assert contexts - ours == {(pair,) for pair in left_out}


def test_every_listed_model_can_be_asked_for():
    assert "gpt-6-sol" in api_models("openai") and "whisper-1" not in api_models("openai")
    assert len(api_models()) > 1_500


def test_a_dispute_of_later_is_said_while_the_price_stands():
    """The bill of August 2026 for 301,016 tokens was USD 3.311176, twice the list."""
    card = api_price("openai.gpt-5.5", "aws", on="2026-08-28")
    assert any("disputed" in note and "usd_per_mtok_in 11" in note for note in card.notes)
    assert request_usd(card, Tokens(301_016)) == pytest.approx(1.655588)
