"""What each way of using a language model costs over its whole life, and when the answer changes.

>>> import costmodel as cm
>>> work = cm.Workload(requests_per_month=300_000, instruction_tokens=600, input_tokens=900, output_tokens=250)
>>> option = cm.Option(cm.Api("gpt-6.1-terra", on="2026-11-01"), cm.FewShot(examples=8))
>>> cm.compare({"few-shot": option}, work, months=12)[["mid", "p10", "p90"]].shape
(1, 3)
"""

from importlib import import_module
from inspect import isclass, isfunction
from typing import Any

from costmodel.core.errors import spelt

__version__ = "0.1.0"

_HOMES = {
    "choices.options": "cascade Case Mix Option Part",
    "choices.presets": "MODELS presets quick with_fleet with_quality",
    "choices.profiles": "profile",
    "choices.purchases": "labour Line Traffic",
    "choices.requests": "Cache Call Request Segment",
    "choices.schedule": "every monthly once path with_demand",
    "choices.servings.api": "Api",
    "choices.servings.baselines": "Seats Staff Today",
    "choices.servings.hosted": "Fleet Hosted",
    "choices.servings.owned": "Owned",
    "choices.servings.provisioned": "Provisioned",
    "choices.study": "Scenario",
    "choices.techniques.agents": "Agent CodingAgent",
    "choices.techniques.compliance": "Compliance",
    "choices.techniques.graphs": "GraphRag",
    "choices.techniques.knowledge": "LongContext own_embedder Rag SemanticCache",
    "choices.techniques.operations": "Evals Monitoring Upgrades",
    "choices.techniques.prompting": "FewShot Prompt PromptCache",
    "choices.techniques.release": "Release",
    "choices.techniques.tuning": "Distill FineTune Lora",
    "choices.terms": "People Terms Trends",
    "choices.workload": "Corpus QuestionMix Workload",
    "choices.zeros": "zeros",
    "core.draws": "drive middle sample",
    "core.errors": "CatalogError Infeasible",
    "core.nested": "pin",
    "core.ranges": "Measured Range",
    "core.units": "GLOSSARY",
    "core.words": "Currency money",
    "decisions.breakeven": "breakeven breakeven_date",
    "decisions.compare": "compare sweep",
    "decisions.information": "Measurement measurements value_of_information",
    "decisions.maps": "frontier regions",
    "decisions.sensitivity": "sobol sobol_indices",
    "decisions.tradeoffs": "goal_seek",
    "decisions.uncertainty": "calibrate fan p_cheaper rank_correlation regret swings tornado",
    "decisions.verdict": "brief first_answer made_of priced_on recommend turns Verdict",
    "facts.catalog": "facts gpu gpus model models people person practice rent retirement source sources store stores tuning tunings",
    "facts.pricelist": "PRICES_VERSION",
    "facts.prices": "api_models api_price ApiPrice price Rates Tokens",
    "facts.tokens": "count_tokens pages_to_tokens words_to_tokens",
    "laws.ageing": "cached_share_of cold_cache_ratio gain_of_waiting overpaid_share per_survivor",
    "laws.agents": "attempts per_resolved step_tokens tail turn_tokens",
    "laws.architecture": "own_model",
    "laws.caching": "break_even_hit_rate break_even_reads cached_price hit_rate prefix_hit_rate reads_of_a_write",
    "laws.experiments": "chance_to_detect days_to_collect expected_loss exposed_days runs_to_see samples_per_arm through_judge",
    "laws.money": "irr npv",
    "laws.quality": "allowed_loss context_shift Effect examples_gain position_shift required_gain shift",
    "laws.queueing": "duration_curve replicas_needed wait_chance",
    "laws.retrieval": "all_found first_token_s graph_index_ratio graph_size recall_at_k stale_share",
    "laws.serving.plan": "plan_serving",
    "laws.serving.predict": "predict_serving",
    "laws.training.calibration": "measured_training",
    "laws.training.compute": "adapter_flops gpu_hours training_flops",
    "laws.training.run": "predict_training",
    "ledgers.book": "cash_flow explain ledger",
    "ledgers.engine": "evaluate pick",
    "ledgers.register": "bibliography by_hand register",
    "validation.peers": "beside_peers",
    "scenarios.portfolio": "compare_portfolio",
    "scenarios.scenario": "examples load save",
    "studies.agents": "agent_runs coding_ways per_task steps_and_success user_margins",
    "studies.answers": "context_budget cost_by_mix found_by_entities quality_by_question",
    "studies.business_case": "business_case case_flow Policy tco",
    "studies.buying": "buy_or_rent",
    "studies.changes": "by_phase waterfall",
    "studies.graph_index": "graph_from_sample index_cost index_fidelity",
    "studies.knowledge": "cache_verdict knowledge_map knowledge_options knowledge_ratios knowledge_table route_by_question self_route",
    "studies.memo": "baseline Memo memo numbered traced",
    "studies.operations": "best_policy duties inference_share oneoffs putting_off release_policies unpriced",
    "studies.outcomes": "equal_quality per_outcome resolve unit_economics",
    "studies.pitfalls": "lint PITFALLS",
    "studies.serving": "by_utilisation capacity day footprint own_over_api Site",
    "studies.tuning": "paybacks tenants underestimates",
    "studies.waiting": "api_latency holds latency Waiting",
    "validation.cases": "published_break_evens published_first_year published_underestimates",
    "validation.published": "reality",
    "validation.quality": "measured_quality quality_fidelity",
    "validation.serving": "serving_errors serving_held_out serving_reality",
    "validation.training": "error_by fidelity literature misses Standing standing",
}
_PARTS = {
    "plots": "pages.plots.costs", "plots_decision": "pages.plots.decisions", "plots_fidelity": "pages.plots.validation",
    "plots_knowledge": "pages.plots.knowledge", "plots_operations": "pages.plots.operations", "plots_serving": "pages.plots.serving",
    "report": "pages.report.run", "widgets": "pages.widgets.explorer",
}  # modules that a notebook asks for
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}
__all__ = sorted([*_HOME, "__version__"])


def __getattr__(name: str) -> Any:
    if name in _HOME:
        globals()[name] = value = _public(name)
        return value
    if name in _PARTS:
        return import_module(f".{_PARTS[name]}", __name__)
    raise AttributeError(f"module {__name__!r} has no attribute {name!r}" + _near(name))


def _public(name: str) -> Any:
    """A public function or class, which names the nearest argument when one is misspelt."""
    module = import_module(f".{_HOME[name]}", __name__)
    value = getattr(module, name)
    if isclass(value) and "__init__" in vars(value) and not hasattr(value.__init__, "__wrapped__"):
        value.__init__ = spelt(value.__init__, name)  # type: ignore[method-assign]
    elif isfunction(value) and not hasattr(value, "__wrapped__"):
        value = spelt(value, name)
        setattr(module, name, value)  # where a pickle looks for it
    return value


def _near(name: str) -> str:
    from difflib import get_close_matches

    near = get_close_matches(name, __all__, n=2)
    return f"; did you mean {' or '.join(map(repr, near))}?" if near else ""


def __dir__() -> list[str]:
    return sorted({*globals(), *__all__, *_PARTS})


ledger = _public("ledger")  # early: the function must hide its module of the same name
