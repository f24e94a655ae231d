"""The commands that carry a study elsewhere: what they print, write and exit with."""

import json

import pytest
from click.testing import CliRunner

from costmodel import cli

SCENARIO = """title: Mine
terms: {months: 24, on: 2025-06-05, start: 2025-05-01}
workload: {requests_per_month: 1e5, input_tokens: 900, output_tokens: 250}
options:
  Large: {serving: {api: o3, accepted: 0.9}, techniques: [prompt, evals]}
  Today | as is: {serving: {today: 900}}
quality_floor: 0.6
draws: 200
"""


def run(*args, code=0):
    result = CliRunner().invoke(cli.main, [str(a) for a in args])
    assert result.exit_code == code, result.output
    return result.output


@pytest.fixture
def scenario(write):
    return write("mine.yaml", SCENARIO)


def test_a_scenario_beside_itself_is_empty_and_exits_0(scenario):
    assert run("diff", scenario, scenario) == "no difference\n"
    assert run("diff", scenario, scenario, "--exit-code") == "no difference\n"


def test_one_scenario_at_two_price_dates(scenario):
    said = run("diff", scenario, "--from", "2025-06-05", "--to", "2025-06-20")
    assert "change price" in " ".join(said.split()) and "o3.usd_per_mtok_in: 10 -> 2" in said
    assert said.startswith("before: ") and "\nafter:  " in said
    later = run("diff", scenario, "--from", "2025-06-20", "--to", "2025-06-21")
    assert later == "no difference\n"
    assert "there is one scenario" in run("diff", scenario, code=2)


def test_a_difference_as_json_and_for_a_pull_request(scenario, write):
    other = write("other.yaml", SCENARIO.replace("1e5", "2e5"))
    found = json.loads(run("diff", scenario, other, "--format", "json"))
    (row,) = found["options"]
    assert row["volume"] == pytest.approx(row["change"]) and row["price"] == 0
    assert found["inputs"] == [
        {"input": "Workload.requests_per_month", "before": "100,000", "after": "200,000"}
    ]
    said = run("diff", scenario, other, "--format", "markdown", "--exit-code", code=1)
    assert "| option | before | after | change | volume |" in said and "**After:** " in said


def test_check_exits_1_with_the_reason(scenario):
    said = run("check", scenario, "--option", "Large", "--max-usd-per-month", 1, code=1)
    assert said.startswith("failed: Large is expected to cost USD ")
    fine = ("--max-usd-per-month", 1e6, "--min-quality", "70%", "--max-growth", "50%")
    assert run("check", scenario, "--option", "Large", *fine) == "Mine: all limits hold\n"
    assert "it must be a share" in run("check", scenario, "--min-quality", "high", code=2)
