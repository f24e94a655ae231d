"""The face `cm.knowledge`: caches, retrieval, graphs and long contexts.

Caches      cached_price hit_rate prefix_hit_rate break_even_hit_rate
            cache_map cache_verdict
Retrieval   recall_at_k corpus_shift all_found found_by_entities
Graphs      graph_size graph_index_ratio graph_from_sample index_cost index_upkeep
Ways        knowledge_options knowledge_table knowledge_map knowledge_ratios self_route
            route_by_question
Quality     Effect Found shift context_shift position_shift quality_by_question cost_by_mix
            context_budget
Task        capability_of capability composed examples_shift few_shot_shift log_odds_right
Cascades    cascade_right signal_loading
Waiting     Waiting latency first_token_s holds
"""

from costmodel.choices.quality.capability import capability_of
from costmodel.choices.servings.waiting import Waiting
from costmodel.core import absent
from costmodel.laws.caching import break_even_hit_rate, cached_price, hit_rate, prefix_hit_rate
from costmodel.laws.escalation import cascade_right, signal_loading
from costmodel.laws.quality import Effect, Found, context_shift, position_shift, shift
from costmodel.laws.retrieval import (
    all_found,
    corpus_shift,
    first_token_s,
    graph_index_ratio,
    graph_size,
    recall_at_k,
)
from costmodel.laws.task_quality import (
    capability,
    composed,
    examples_shift,
    few_shot_shift,
    log_odds_right,
)
from costmodel.studies.answers import (
    context_budget,
    cost_by_mix,
    found_by_entities,
    knowledge_map,
    quality_by_question,
)
from costmodel.studies.caching import (
    cache_map,
    cache_verdict,
    holds,
    knowledge_ratios,
    knowledge_table,
)
from costmodel.studies.graph_index import graph_from_sample, index_cost, index_upkeep
from costmodel.studies.knowledge import knowledge_options, latency, route_by_question, self_route

__all__ = [
    "Effect",
    "Found",
    "Waiting",
    "all_found",
    "break_even_hit_rate",
    "cache_map",
    "cache_verdict",
    "cached_price",
    "capability",
    "capability_of",
    "cascade_right",
    "composed",
    "context_budget",
    "context_shift",
    "corpus_shift",
    "cost_by_mix",
    "examples_shift",
    "few_shot_shift",
    "first_token_s",
    "found_by_entities",
    "graph_from_sample",
    "graph_index_ratio",
    "graph_size",
    "hit_rate",
    "holds",
    "index_cost",
    "index_upkeep",
    "knowledge_map",
    "knowledge_options",
    "knowledge_ratios",
    "knowledge_table",
    "latency",
    "log_odds_right",
    "position_shift",
    "prefix_hit_rate",
    "quality_by_question",
    "recall_at_k",
    "route_by_question",
    "self_route",
    "shift",
    "signal_loading",
]
__getattr__ = absent(__name__, __all__)
