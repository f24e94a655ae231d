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

from .errors import spelt

__version__ = "0.1.0"

_HOMES = {
    "errors": "CatalogError Infeasible",
    "ranges": "Measured Range drive middle pin sample",
    "units": "GLOSSARY",
    "catalog": "facts gpu gpus model models people person practice rent retirement source sources store stores tuning tunings",
    "prices": "PRICES_VERSION ApiPrice Rates Tokens api_models api_price price",
    "tokens": "count_tokens pages_to_tokens words_to_tokens",
    "training": "training_flops adapter_flops gpu_hours",
    "training_measured": "measured_training",
    "training_runs": "predict_training",
    "architectures": "own_model",
    "caching": "break_even_hit_rate break_even_reads cached_price hit_rate prefix_hit_rate reads_of_a_write",
    "retrieval": "all_found first_token_s graph_index_ratio graph_size recall_at_k stale_share",
    "quality": "Effect allowed_loss context_shift examples_gain position_shift required_gain shift",
    "experiments": "chance_to_detect days_to_collect expected_loss exposed_days runs_to_see samples_per_arm through_judge",
    "ageing": "cached_share_of cold_cache_ratio gain_of_waiting overpaid_share per_survivor",
    "agent_loop": "attempts per_resolved step_tokens tail turn_tokens",
    "serving_model": "plan_serving predict_serving",
    "fleet": "duration_curve replicas_needed wait_chance",
    "measured_serving": "serving_errors serving_held_out serving_reality",
    "lines": "Cache Call Line Request Segment Traffic every labour monthly once path with_demand",
    "workload": "Corpus Currency People QuestionMix Terms Trends Workload",
    "options": "Case Mix Option Part cascade",
    "servings": "Api",
    "profiles": "profile",
    "hardware": "Owned",
    "hosting": "Fleet Hosted",
    "provisioned": "Provisioned",
    "baselines": "Seats Staff Today",
    "techniques.prompting": "FewShot Prompt PromptCache",
    "techniques.knowledge": "LongContext Rag SemanticCache own_embedder",
    "techniques.graphs": "GraphRag",
    "techniques.adaptation": "Distill FineTune Lora",
    "techniques.operations": "Evals Monitoring Upgrades",
    "techniques.release": "Release",
    "techniques.compliance": "Compliance",
    "techniques.agents": "Agent CodingAgent",
    "choices": "MODELS presets quick with_fleet with_quality",
    "ledger": "bibliography by_hand cash_flow evaluate explain ledger npv pick register",
    "uncertainty": "calibrate fan p_cheaper rank_correlation regret swings tornado",
    "sensitivity": "sobol sobol_indices",
    "information": "Measurement measurements value_of_information",
    "tradeoffs": "breakeven_date frontier goal_seek regions",
    "finance": "Policy business_case case_flow irr tco",
    "outcomes": "equal_quality per_outcome resolve unit_economics",
    "changes": "by_phase waterfall",
    "pitfalls": "PITFALLS lint zeros",
    "board": "Memo baseline memo numbered traced",
    "decision": "breakeven compare sweep",
    "knowledge_ways": "cache_verdict knowledge_map knowledge_options knowledge_ratios knowledge_table route_by_question self_route",
    "index_estimate": "graph_from_sample index_cost index_fidelity",
    "answer_quality": "context_budget cost_by_mix found_by_entities quality_by_question",
    "waiting": "Waiting holds latency",
    "quality_fit": "measured_quality quality_fidelity",
    "operating": "Site api_latency by_utilisation capacity day footprint own_over_api",
    "buying": "buy_or_rent",
    "payback": "paybacks tenants underestimates",
    "worked": "published_break_evens published_first_year published_underestimates",
    "verdict": "Verdict brief first_answer made_of money priced_on recommend turns",
    "published": "reality",
    "held_out": "Standing error_by fidelity literature misses standing",
    "peers": "beside_peers",
    "risks": "best_policy release_policies unpriced",
    "tasks": "agent_runs coding_ways duties inference_share oneoffs per_task putting_off steps_and_success user_margins",
    "scenario": "Scenario examples load save",
    "portfolio": "compare_portfolio",
}
_PARTS = ("plots", "plots_decision", "plots_fidelity", "plots_knowledge", "plots_operations", "plots_serving", "report", "widgets")  # modules that a notebook asks for
_HOME = {name: module for module, names in _HOMES.items() for name in names.split()}
__all__ = sorted([*_HOME, "__version__"])


def __getattr__(name: str) -> Any:
    if name in _HOME:
        globals()[name] = value = _public(name)
        return value
    if name in _PARTS:
        return import_module(f".{name}", __name__)
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
