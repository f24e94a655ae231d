"""One answer everywhere: every page about an example names the same winner with the same figures.

A page about some of the options says so. The pages are the analyses, the command line and its CSV,
the sliders, a portfolio, and the reports that take a scenario: notebook 01 of every example, the
longer ones of some. `make pages` walks every report of every example.
"""

import io
import os

import pandas as pd
import pytest
from click.testing import CliRunner

import costmodel as cm
from costmodel.cli import main
from costmodel.scenarios.scenario import notebooks_folder

DRAWS = 400
EVERY_REPORT = os.environ.get("COSTMODEL_PAGES") == "all"
LONG = ("support_assistant", "consumer_app")  # one without an answer, and one with
EXAMPLES = sorted(cm.scenarios.examples())
CENT = 0.01


@pytest.fixture(scope="module")
def studies():
    return {name: cm.load(name, draws=DRAWS) for name in EXAMPLES}


@pytest.fixture(scope="module")
def verdicts(studies):
    return {name: cm.recommend(study) for name, study in studies.items()}


@pytest.fixture(scope="module")
def reports(studies, tmp_path_factory):
    """The reports of the examples on the pages that take them: {(page, example): Report}."""
    jobs = {}
    for name, study in studies.items():
        long = EVERY_REPORT or name in LONG
        labels = set(study.options)
        stems = ["01_which_approach", *(["06_what_matters", "05_business_case"] if long else [])]
        if {"API", "Own base load + API"} <= labels:
            stems.append("02_api_or_own_gpus")
        if {"Few-shot", "LoRA"} <= labels and (EVERY_REPORT or name == "document_extraction"):
            stems.append("03_prompt_cache_tune_or_distil")
        for stem in stems:
            given = {"scenario": name, "draws": DRAWS}
            jobs[f"{stem} {name}"] = notebooks_folder() / f"{stem}.ipynb", given
    made = cm.report.run_many(jobs, tmp_path_factory.mktemp("pages"), formats=["html"])
    for job, page in zip(jobs, made, strict=True):
        assert isinstance(page, cm.report.Report), f"{job}: {page}"
    return {tuple(job.split()): page for job, page in zip(jobs, made, strict=True)}


@pytest.mark.parametrize("name", EXAMPLES)
class TestOneAnswer:
    def test_the_table_of_compare_is_that_of_the_verdict(self, name, studies, verdicts):
        pd.testing.assert_frame_equal(cm.compare(studies[name]), verdicts[name].table)

    def test_the_best_is_the_least_present_value_of_what_is_eligible(self, name, verdicts):
        table = verdicts[name].table
        eligible = table[table["eligible"]]
        best = eligible["present_value"].idxmin() if len(eligible) else None
        assert verdicts[name].best == best
        pays = verdicts[name].pilot is not None and verdicts[name].pilot["worth"][0] > 0
        waits = verdicts[name].headline.startswith("Do not choose yet")
        assert waits == verdicts[name].waits and (waits if best is None else pays or not waits)

    def test_the_lines_of_the_ledger_add_up_to_it(self, name, studies, verdicts):
        added = cm.ledger(studies[name]).groupby("option")["usd"].sum()
        shown = verdicts[name].table["expected"].dropna()
        assert (added - shown).abs().max() < CENT
        assert set(added.index) == set(shown.index)

    def test_most_draws_do_not_exceed_it_and_many_do(self, name, studies, verdicts):
        from costmodel.decisions.simulate import simulate

        named = verdicts[name].named
        usd = simulate(studies[name]).usd[named]
        above = (usd > verdicts[name].table.loc[named, "expected"]).mean()
        assert 0.2 <= above <= 0.7

    def test_the_command_line_says_the_same(self, name, verdicts):
        done = CliRunner().invoke(main, ["compare", name, "--draws", str(DRAWS)])
        assert done.exit_code == 0
        assert verdicts[name].headline in " ".join(done.output.split())
        row = verdicts[name].table.loc[verdicts[name].named]
        assert f"{row['expected']:,.0f}" in done.output

    def test_its_csv_is_the_table(self, name, verdicts):
        done = CliRunner().invoke(main, ["compare", name, "--draws", str(DRAWS), "--csv", "-"])
        table = pd.read_csv(io.StringIO(done.output), index_col="option", keep_default_na=True)
        pd.testing.assert_frame_equal(
            table.drop(columns="why_not"),
            verdicts[name].table.drop(columns="why_not"),
            check_dtype=False,
        )

    def test_the_sliders_start_from_it(self, name, studies, verdicts):
        box = cm.widgets.cockpit(studies[name])
        assert box.verdict.headline == verdicts[name].headline
        pd.testing.assert_frame_equal(box.verdict.table, verdicts[name].table)

    def test_every_report_says_the_same(self, name, reports, verdicts):
        verdict = verdicts[name]
        pages = {stem: page for (stem, example), page in reports.items() if example == name}
        assert pages
        for stem, page in pages.items():
            numbers = page.numbers
            assert numbers["headline"] == verdict.headline, stem
            assert numbers["best"] == verdict.best, stem
            for label, usd in verdict.table["expected"].dropna().items():
                assert abs(numbers["usd"][label] - usd) < CENT, (stem, label)
            assert page.answer.startswith(verdict.headline), stem


def test_a_page_about_a_part_says_so(studies):
    study = studies["support_assistant"].only("RAG", "Few-shot", "Prompt")
    assert "among these three options" in cm.recommend(study).headline
    assert "among these" not in cm.recommend(studies["support_assistant"]).headline


def test_a_portfolio_says_the_same(verdicts):
    table = cm.scenarios.compare_portfolio(
        {name: name for name in EXAMPLES}, workers=1, progress=False, draws=DRAWS
    )
    for name, rows in table.groupby("scenario"):
        shown = rows.set_index("option")["expected"]
        assert (shown - verdicts[name].table["expected"]).abs().max() < CENT
        assert list(shown.index) == list(verdicts[name].table.index)
