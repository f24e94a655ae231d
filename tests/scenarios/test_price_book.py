"""A book of prices: what a contract gives off the list reaches every API of a study."""

import pytest
from click.testing import CliRunner

import costmodel as cm
from costmodel import cli

ON = "2026-11-20"
WORK = cm.Workload(1e6, instruction_tokens=2_000, input_tokens=900, output_tokens=250)
TERMS = cm.Terms(on=ON, months=12)
SOL, LUNA = (cm.Api(model, on=ON, accepted=0.8) for model in ("gpt-6-sol", "gpt-6-luna"))
STUDY = cm.Study(
    {
        "Sol": cm.Option(SOL, cm.PromptCache(), cm.Evals(judge=LUNA)),
        "Units": cm.Option(
            cm.Provisioned(SOL, tokens_per_min_per_unit=1e5, units_min=1, units_step=1, cover=0.3)
        ),
    },
    WORK,
    TERMS,
)


def book(tmp_path, text):
    path = tmp_path / "contract.csv"
    path.write_text(text, encoding="utf-8")
    return path


def usd(study):
    table = cm.ledger(study, base_case=True)
    table = table[~table["basis"].str.contains("/h")]  # no people
    return table.groupby(["option", "item"])["usd"].sum()


def test_a_discount_scales_every_class_of_its_model_and_no_other(tmp_path):
    before, after = (
        usd(s)
        for s in (
            STUDY,
            cm.scenarios.with_price_book(STUDY, book(tmp_path, "model,discount\ngpt-6-sol,0.25\n")),
        )
    )
    sol = before["Sol"].index.str.contains("production|evaluation runs")
    assert sol.sum() >= 6  # fresh, read, written, answered
    assert (after["Sol"][sol] / before["Sol"][sol]).to_list() == pytest.approx([0.75] * sol.sum())
    assert after["Sol"][~sol].to_list() == before["Sol"][~sol].to_list()
    over = before["Units"].index.str.startswith("overflow")
    assert (after["Units"][over] / before["Units"][over]).to_list() == pytest.approx([0.75, 0.75])


def test_prices_replace_those_of_the_list_and_scale_what_is_left_open(tmp_path):
    listed = SOL.model.tiers
    text = f"model,usd_per_mtok_in,usd_per_mtok_out\ngpt-6-sol,{listed[0].usd_per_mtok_in / 2},7\n"
    study = cm.scenarios.with_price_book(STUDY, book(tmp_path, text))
    for old, new in zip(listed, study.options["Sol"].serving.model.tiers, strict=True):
        assert new.usd_per_mtok_in == old.usd_per_mtok_in / 2
        assert new.usd_per_mtok_cache_read == old.usd_per_mtok_cache_read / 2
        same = old.usd_per_mtok_out / listed[0].usd_per_mtok_out  # the tier's own step stays
        assert new.usd_per_mtok_out == pytest.approx(7 * same)
    told = cm.explain(study, "Sol").set_index("item").loc["production: output", "sources"]
    assert told == "your workload"


def test_a_window_is_that_of_the_contract(tmp_path):
    study = cm.scenarios.with_price_book(STUDY, book(tmp_path, "model,window\ngpt-6-sol,9000\n"))
    assert study.options["Sol"].serving.window == 9_000


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "contract.csv has no rows"),
        ("modl,discount\na,1\n", "no column 'modl' in contract.csv; did you mean 'model'"),
        ("discount\n0.5\n", "contract.csv has no column model"),
        ("model,discount\ngpt-6-soll,0.1\n", "no API model 'gpt-6-soll' .* did you mean"),
        ("model,discount\ngpt-6-sol,2\n", "line 2: discount is 2.0, allowed is between 0 and"),
        ("model,discount\ngpt-6-sol,much\n", "line 2: discount is 'much', it must be a number"),
        ("model,discount\ngpt-6-sol,\n", "line 2 says nothing of gpt-6-sol"),
        ("model,discount,usd_per_mtok_in\ngpt-6-sol,0.1,2\n", "its prices, not both"),
        ("model,discount\ngpt-6-sol,0.1\ngpt-6-sol,0.2\n", "line 3: gpt-6-sol is there twice"),
    ],
)
def test_a_slip_is_one_sentence(tmp_path, text, words):
    with pytest.raises(ValueError, match=words):
        cm.scenarios.with_price_book(STUDY, book(tmp_path, text))


SCENARIO = """
title: Test
workload: {requests_per_month: 1e5, input_tokens: 900, output_tokens: 250}
terms: {on: 2026-11-20, months: 12}
options: {Sol: {serving: {api: gpt-6-sol, accepted: 0.8}}}
draws: 50
"""


def test_a_file_names_its_book_and_the_command_line_another(tmp_path):
    book(tmp_path, "model,discount\ngpt-6-sol,0.25\n")
    plain, mine = tmp_path / "plain.yaml", tmp_path / "mine.yaml"
    plain.write_text(SCENARIO)
    mine.write_text(SCENARIO + "price_book: contract.csv\n")
    study = cm.load(mine)
    assert study.options["Sol"].serving.discount == 0.25
    assert cm.load(cm.scenarios.save(study, tmp_path / "saved.yaml")) == study
    other = tmp_path / "other.csv"
    other.write_text("model,discount\ngpt-6-sol,0.5\n")
    assert cm.load(plain, price_book=other).options["Sol"].serving.discount == 0.5
    told = CliRunner().invoke(
        cli.main, ["compare", str(plain), "--price-book", str(other), "--csv", "-"]
    )
    ours = cm.compare(cm.load(plain, price_book=other)).to_csv()
    assert told.output == ours and ours != cm.compare(cm.load(plain)).to_csv()


def test_the_command_line_takes_an_api_of_your_own(tmp_path):
    path = tmp_path / "plain.yaml"
    path.write_text(SCENARIO)
    own = ["--own-api", "acme-1", "0.4", "1.6", "128000"]
    told = CliRunner().invoke(cli.main, ["compare", str(path), *own])
    assert told.exit_code == 0 and "acme-1" in told.stdout
    assert "acme-1 stands in the place of gpt-6-sol in 'Sol'" in told.stderr


def test_a_book_may_give_a_model_for_nothing_with_a_word(tmp_path):
    head = "model,usd_per_mtok_in,usd_per_mtok_out,note\n"
    with pytest.raises(ValueError, match="note= of own_api and of a price book"):
        cm.scenarios.with_price_book(STUDY.only("Sol"), book(tmp_path, f"{head}gpt-6-sol,0,0,\n"))
    free = cm.scenarios.with_price_book(
        STUDY.only("Sol"), book(tmp_path, f"{head}gpt-6-sol,0,0,pilot\n")
    )
    assert usd(free)["Sol", "production: output"] == 0


def test_a_free_model_of_your_own_on_the_command_line():
    own = ["compare", "startup_chatbot", "--draws", "100", "--own-api", "house-1", "0", "0", "9e4"]
    assert CliRunner().invoke(cli.main, own).exit_code != 0
    found = CliRunner().invoke(cli.main, [*own, "--note", "free in house"])
    assert found.exit_code == 0 and "house-1" in found.output
