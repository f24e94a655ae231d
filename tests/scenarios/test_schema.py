"""The schema of a scenario: every example fits it, slips do not, and it is as the classes are."""

import importlib
import json
import re
from pathlib import Path

import jsonschema
import pytest
import yaml

import costmodel as cm
from costmodel.scenarios.scenario import examples, load, save

ROOT = Path(__file__).parents[2]
SHIPPED = ROOT / "notebooks/scenarios/scenario.schema.json"
PAGE = (ROOT / "docs/scenario.md").read_text(encoding="utf-8")
WRITTEN = {path.stem: path.read_text(encoding="utf-8") for path in examples().values()}
WRITTEN["docs"] = re.search(r"```yaml\n(title.*?)```", PAGE, re.S)[1]
OWN = """title: Own
workload:
  {requests_per_month: 1e5, input_tokens: 900, output_tokens: 250, corpus: {tokens: 1_000_000}}
terms: {on: 2026-11-20}
options:
  House:
    serving: {own_api: house-1, usd_per_mtok_in: 0.4, usd_per_mtok_out: {low: 1, high: 2},
              window: 128_000, accepted: 0.8}
  Machine:
    serving:
      hosted: {own_model: ours-9b, parameters: 9e9, layers: 40}
      gpu: {own_gpu: b500, memory: 288e9, bandwidth: 8e12, peak_flops_bf16: 2.5e15,
            usd_per_gpu_hour: {low: 4, high: 5}}
      accepted: 0.7
    techniques: [prompt, {Rag: {top_k: 8}}]
"""


class Loader(yaml.SafeLoader):
    """YAML 1.2 as editors read it: `on` is a name, and a day is text."""


Loader.yaml_implicit_resolvers = {
    letter: [(tag, x) for tag, x in found if "timestamp" not in tag and "bool" not in tag]
    for letter, found in yaml.SafeLoader.yaml_implicit_resolvers.items()
}


def slips(text):
    validator = jsonschema.Draft7Validator(json.loads(SHIPPED.read_text(encoding="utf-8")))
    return [error.message for error in validator.iter_errors(yaml.load(text, Loader))]


def test_the_shipped_schema_is_made_of_the_classes_of_today(monkeypatch):
    """`make schema` writes it."""
    monkeypatch.syspath_prepend(ROOT / "benchmarks")
    made = importlib.import_module("scenario_schema")
    assert SHIPPED.read_text(encoding="utf-8") == made.text()
    assert cm.scenarios.scenario_schema() == made.made()


@pytest.mark.parametrize("name", WRITTEN)
def test_what_is_written_fits(name):
    assert slips(WRITTEN[name]) == []


@pytest.mark.parametrize(
    ("right", "wrong"),
    [
        ("title: Own", "titel: Own"),
        ("input_tokens: 900", "input_token: 900"),
        ("input_tokens: 900", "input_tokens: many"),
        ("own_api: house-1", "own_apy: house-1"),
        ("bandwidth: 8e12", "bandwith: 8e12"),
        ("top_k: 8", "topk: 8"),
        ("{Rag: ", "{Ragg: "),
    ],
)
def test_a_slip_does_not_fit(right, wrong):
    assert slips(OWN) == []
    assert slips(OWN.replace(right, wrong)) != []


def test_own_models_apis_and_gpus_are_written_and_read_again(tmp_path):
    study = load(OWN, draws=50)
    path = save(study, tmp_path / "own.yaml")
    again = load(path)
    assert again == study
    assert slips(path.read_text(encoding="utf-8")) == []
    usd = cm.compare(study)["expected"]
    assert usd.notna().all() and usd.equals(cm.compare(again)["expected"])


def test_examples_name_the_schema():
    for path in examples().values():
        first = path.read_text(encoding="utf-8").splitlines()[0]
        assert first == "# yaml-language-server: $schema=scenario.schema.json"
