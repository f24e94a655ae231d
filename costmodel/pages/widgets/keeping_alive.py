"""The question of notebook 07: release policies of one option, or ways of an agent."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Any

from costmodel.choices.options import Option
from costmodel.choices.servings.api import Api
from costmodel.choices.study import Study
from costmodel.choices.techniques.agents import Agent
from costmodel.choices.techniques.prompting import PromptCache
from costmodel.choices.techniques.release import POLICIES, Release
from costmodel.core import check, middle, objects
from costmodel.pages.widgets.questions import VOLUME, WRONG, Pick, Question, same_names
from costmodel.studies.agents import schema_options

WAYS = ("release policies", "ways of an agent", "schemas of a database")


@dataclass(frozen=True)
class Alive(Question):
    """What keeps it alive: release policies, or ways of an agent."""

    title: str = "What does it cost to keep it alive?"
    controls: tuple[str, ...] = (
        "releases_per_month",
        "regression_chance",
        "runs_per_month",
        "api.model_life_months",
        VOLUME,
        WRONG,
    )
    notebook: str = "07_keep_it_alive"
    remembered: bool = True

    def start(self, study: Study, **given: Any) -> dict[str, Any]:
        plain = [label for label, x in study.options.items() if isinstance(x, Option)]
        first = {"label": plain[0] if plain else "", "ways": WAYS[0], "policy": POLICIES[3]}
        return first | given

    def in_sight(self, study: Study, picked: Mapping[str, Any]) -> tuple[str, ...]:
        return ("steps", *self.controls)

    def picks(self, study: Study, picked: Mapping[str, Any]) -> list[Pick]:
        plain = tuple((x, x) for x, option in study.options.items() if isinstance(option, Option))
        kept = Pick("label", "Kept alive", plain, picked["label"], front=True)
        ways = Pick("ways", "Compare", same_names(WAYS), picked["ways"], front=True)
        own = [kept, ways] if picked["ways"] == WAYS[0] else [ways]
        return [*own, *super().picks(study, picked)]

    def filed(self, asked: Any) -> Study:
        """The options, and not the policies of one of them."""
        return replace(asked, question=Question(self.title), shown=None).now()

    def parameters(self, study: Study, given: Mapping[str, Any]) -> dict[str, Any]:
        told = {"label": given["label"], "policy": given["policy"]}
        for thing in objects(study.options.get(given["policy"])):
            if isinstance(thing, Release):
                told["releases_per_month"] = middle(thing.releases_per_month)
        return told

    def rebuild(self, study: Study, given: Mapping[str, Any]) -> Study:
        study = super().rebuild(study, given)
        option = study.plain_option(given["label"])
        api = given.get("api") or option.serving
        options: Mapping[str, Any]
        if given["ways"] == WAYS[0]:
            release, more = given.get("release") or Release(), given.get("more") or ()
            options = {
                name: _with(option, replace(release, policy=name), *more)
                for name in (*POLICIES[:5], given["policy"])
            }
        else:
            check(
                isinstance(api, Api),
                f"{given['label']} asks no API, and an agent is priced by API here; choose an "
                "option that does",
            )
            options = agents(api) if given["ways"] == WAYS[1] else schema_options(api)
        floor = None if given["ways"] == WAYS[0] else study.quality_floor  # policies answer alike
        return replace(study, options=dict(options), quality_floor=floor, accept_zero=None)


def _with(option: Option, *more: Any) -> Option:
    """The option with these techniques, in the place of those of their kind."""
    kinds = tuple(map(type, more))
    kept = (thing for thing in option.techniques if not isinstance(thing, kinds))
    return replace(option, techniques=(*kept, *more))


def agents(api: Api) -> dict[str, Option]:
    """Ways of one agent: plain, with a cache, and with a shorter history."""
    plain, cache = Agent(), PromptCache()
    return {
        "agent": Option(api, plain),
        "with a cache": Option(api, plain, cache),
        "with a cache, compacted": Option(api, replace(plain, compact_at=8_000), cache),
        "with a cache, results cleared": Option(api, replace(plain, clear_at=8_000), cache),
    }
