"""A portfolio of scenarios: a folder, a CSV or a mapping; processes and a Dask cluster give the
same numbers."""

from concurrent.futures import ThreadPoolExecutor

import pandas as pd
import pytest
from click.testing import CliRunner

import costmodel as cm
from costmodel.cli import main

BASE = """
title: Small
workload: {requests_per_month: 1e5, input_tokens: 900, output_tokens: 250}
terms: {on: 2026-11-20, months: 12}
options: {presets: {only: [Prompt, Few-shot]}}
draws: 100
"""


@pytest.fixture
def table_of_rows(tmp_path):
    (tmp_path / "base.yaml").write_text(BASE)
    rows = ["name,scenario,requests_per_month,months"] + [
        f"team {i},base.yaml,{1000 * (i + 1)},{12 if i % 2 else ''}" for i in range(24)
    ]
    path = tmp_path / "teams.csv"
    path.write_text("\n".join(rows))
    return path


def test_each_row_is_what_compare_says(table_of_rows):
    table = cm.scenarios.compare_portfolio(table_of_rows, progress=False)
    assert (
        list(table["scenario"].unique()) == [f"team {i}" for i in range(24)]
        and (table["error"] == "").all()
    )
    for i in (0, 7, 23):
        case = cm.load(table_of_rows.parent / "base.yaml", requests_per_month=1000 * (i + 1))
        alone = cm.compare(
            case.options, case.work, terms=case.terms, draws=case.draws, seed=case.seed
        ).reset_index()
        part = (
            table[table["scenario"] == f"team {i}"]
            .drop(columns=["scenario", "error"])
            .reset_index(drop=True)
        )
        pd.testing.assert_frame_equal(part, alone, check_exact=True)


def test_a_dask_cluster_gives_the_same_numbers(table_of_rows):
    distributed = pytest.importorskip("distributed")
    here = cm.scenarios.compare_portfolio(table_of_rows, progress=False)
    with distributed.LocalCluster(
        n_workers=1, threads_per_worker=1, processes=False, dashboard_address=None
    ) as cluster:
        there = cm.scenarios.compare_portfolio(
            table_of_rows, scheduler=cluster.scheduler_address, progress=False
        )
    pd.testing.assert_frame_equal(here, there, check_exact=True)


def test_any_executor_will_do(table_of_rows):
    with ThreadPoolExecutor(1) as pool:
        ours = cm.scenarios.compare_portfolio(table_of_rows, executor=pool, progress=False)
    pd.testing.assert_frame_equal(
        ours,
        cm.scenarios.compare_portfolio(table_of_rows, workers=1, progress=False),
        check_exact=True,
    )


def test_a_folder_and_its_errors(tmp_path):
    for name, text in (
        ("a", BASE),
        ("b", BASE.replace("input_tokens", "inputtokens")),
        ("c", BASE),
    ):
        (tmp_path / f"{name}.yaml").write_text(text)
    with ThreadPoolExecutor(1) as pool:
        table = cm.scenarios.compare_portfolio(tmp_path, executor=pool, progress=False).set_index(
            "scenario"
        )
    assert list(table.index.unique()) == ["a", "b", "c"]
    assert "did you mean 'input_tokens'" in table.loc["b", "error"] and pd.isna(
        table.loc["b", "expected"]
    )
    assert table.loc["a", "expected"].to_list() == table.loc["c", "expected"].to_list()


def test_a_mapping_of_changes():
    with ThreadPoolExecutor(1) as pool:
        table = cm.scenarios.compare_portfolio(
            {"small": {"requests_per_month": 1_000}, "large": {"requests_per_month": 1e6}},
            base=BASE,
            executor=pool,
            progress=False,
            months=6,
        )
    usd = table.groupby("scenario")["expected"].min()
    assert usd["large"] > usd["small"]


@pytest.mark.parametrize(
    ("source", "says"),
    [
        ("nowhere", "no folder or CSV file 'nowhere'"),
        ({}, "no scenario in"),
        (["a"], "it must be a folder, a CSV file or a mapping"),
    ],
)
def test_a_wrong_source_is_refused(source, says):
    with pytest.raises(ValueError, match=says):
        cm.scenarios.compare_portfolio(source)


def test_a_bar_shows_how_far_it_is(table_of_rows, capsys):
    with ThreadPoolExecutor(1) as pool:
        cm.scenarios.compare_portfolio(table_of_rows, executor=pool, months=2)
    assert "24/24" in capsys.readouterr().err


def test_the_command_writes_the_table(table_of_rows, tmp_path):
    said = CliRunner().invoke(
        main,
        [
            "portfolio",
            str(table_of_rows),
            "--csv",
            str(tmp_path / "out.csv"),
            "--draws",
            "100",
            "--workers",
            "1",
        ],
    )
    assert said.exit_code == 0 and "24 scenarios, 0 of them with an error" in " ".join(
        said.output.split()
    )
    assert len(pd.read_csv(tmp_path / "out.csv")) == 48


def test_a_portfolio_that_none_can_read_writes_nothing(table_of_rows, tmp_path):
    """A misspelt column is one error with the nearest name, not a table of errors."""
    table_of_rows.write_text(
        table_of_rows.read_text().replace("requests_per_month", "request_per_month")
    )
    said = CliRunner().invoke(
        main, ["portfolio", str(table_of_rows), "--csv", str(tmp_path / "out.csv")]
    )
    assert (
        said.exit_code == 2
        and "none of the 24 scenarios" in said.output
        and "did you mean 'requests_per_month'" in said.output
    )
    assert not (tmp_path / "out.csv").exists()


def test_two_scenarios_of_one_name_are_refused(table_of_rows):
    table_of_rows.write_text(table_of_rows.read_text().replace("team 3,", "team 2,"))
    with pytest.raises(
        ValueError, match="two scenarios are called 'team 2'; give each a name of its own"
    ):
        cm.scenarios.compare_portfolio(table_of_rows, progress=False)


@pytest.mark.parametrize("command", [["compare", "support_assistant"], ["portfolio", "."]])
def test_a_folder_that_is_not_there_is_said_before_anything_runs(command, tmp_path):
    said = CliRunner().invoke(main, [*command, "--csv", str(tmp_path / "no" / "x.csv")])
    assert said.exit_code == 2 and "no folder" in said.output and "make it first" in said.output


# -- the bill of a portfolio -----------------------------------------------------------------------
