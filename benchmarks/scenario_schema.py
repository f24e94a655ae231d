"""Write notebooks/scenarios/scenario.schema.json: the JSON Schema of a scenario, of the classes.

    python benchmarks/scenario_schema.py

Editors complete and check with it, and `costmodel schema` gives it. A test holds the file against
`text()`.
"""

from __future__ import annotations

import inspect
import json
import re
from typing import Any, get_args, get_origin, get_type_hints

from costmodel.choices.mixes import Part, Signal
from costmodel.choices.presets import LABELS, presets
from costmodel.choices.servings.api import Api
from costmodel.choices.servings.own import own_api
from costmodel.choices.study import Study
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload
from costmodel.core import GLOSSARY, Measured, Range
from costmodel.scenarios.places import OWN_RECORDS, SERVINGS, nested_class, writable
from costmodel.scenarios.reading import ELSEWHERE, technique_classes
from costmodel.scenarios.scenario import notebooks_folder

DRAFT = "http://json-schema.org/draft-07/schema#"
TEXT: dict[str, Any] = {"type": ["string", "number", "boolean", "null"]}  # YAML guesses the type
NUMBER = {
    "anyOf": [{"type": "number"}, {"type": "string", "pattern": r"^[-+]?[\d_.]+([eE][-+]?\d+)?$"}]
}
FLAG = {"anyOf": [{"type": "boolean"}, {"enum": ["yes", "no", "on", "off", "true", "false"]}]}
NOTHING = {"anyOf": [{"type": "null"}, {"enum": ["none", "null", "~"]}]}
PRESETS = {"enum": ["presets"]}


def made() -> dict[str, Any]:
    """The schema."""
    known = _Schema()
    hints = get_type_hints(Study) | {"accept_zero": tuple[str, ...]}
    own = {name: known.value(hint) for name, hint in hints.items() if name not in ELSEWHERE}
    option = {"$ref": "#/definitions/Option"}
    options = {
        "type": "object",
        "properties": {"presets": known.presets()},
        "additionalProperties": option,
    }
    properties = {
        **own,
        "workload": known.ref(Workload),
        "terms": known.ref(Terms),
        "options": {"anyOf": [PRESETS, options]},
        "quality": {"type": "object", "additionalProperties": known.amount()},
        "overrides": {"type": "object", "additionalProperties": known.amount()},
        "evidence": {"type": "object", "additionalProperties": option},
        "price_book": {"type": "string"},
    }
    known.definitions["Option"] = known.option()
    return {
        "$schema": DRAFT,
        "title": "A scenario of costmodel",
        "type": "object",
        "required": ["title", "workload"],
        "additionalProperties": False,
        "properties": properties,
        "definitions": dict(sorted(known.definitions.items())),
    }


def text() -> str:
    """The schema as it is shipped."""
    return json.dumps(made(), separators=(",", ":"), ensure_ascii=False) + "\n"


class _Schema:
    """The definitions that a schema needs, made as they are asked for."""

    def __init__(self) -> None:
        self.definitions: dict[str, Any] = {}

    def ref(self, kind: Any) -> dict[str, Any]:
        """A reference to the definition of a class."""
        name = kind.__name__
        if name not in self.definitions:
            self.definitions[name] = {}  # it may contain itself
            self.definitions[name] = self.fields(kind)
        return {"$ref": f"#/definitions/{name}"}

    def fields(self, kind: Any, *more: Any) -> dict[str, Any]:
        """A mapping with the fields of a class or of a function, and of its constructors."""
        ways = [name for name in dir(kind) if name.startswith("from_")]
        hints = writable(kind)
        for other in (*more, *(getattr(kind, way) for way in ways)):
            hints = {**writable(other), **hints}
        properties = {name: self.field(name, hint) for name, hint in hints.items()}
        properties |= {way: {"type": "object"} for way in ways}
        made = {"type": "object", "properties": properties, "additionalProperties": False}
        words = re.split(r"\n\s*\n", inspect.getdoc(kind) or "")[0]
        return {"description": " ".join(words.split()), **made} if words else made

    def field(self, name: str, hint: Any) -> dict[str, Any]:
        said = GLOSSARY.get(name)
        words = " ".join(filter(None, (said.meaning, f"[{said.unit}]"))) if said else ""
        return {**self.value(hint), **({"description": words} if words else {})}

    def value(self, hint: Any) -> dict[str, Any]:
        """What a field of this type may hold, as `Place.value` reads it."""
        kinds = get_args(hint) or (hint,)
        if get_origin(hint) is tuple:
            return {"anyOf": [{"type": "array", "items": TEXT}, TEXT]}
        allowed: list[dict[str, Any]] = []
        if Range in kinds or float in kinds or int in kinds:
            allowed.append(self.amount() if Range in kinds else NUMBER)
        if nested := nested_class(hint):
            allowed.append(self.ref(nested))
        allowed += [TEXT] if str in kinds else []
        allowed += [FLAG] if bool in kinds else []
        allowed += [{"type": "object", "additionalProperties": NUMBER}] if dict in kinds else []
        allowed += [{"type": "array", "items": NUMBER}] if list in kinds else []
        allowed += [NOTHING] if type(None) in kinds else []
        if Any in kinds:
            allowed = [self.serving()]
        return allowed[0] if len(allowed) == 1 else {"anyOf": allowed}

    def amount(self) -> dict[str, Any]:
        """A number, a range, an evaluation or several."""
        if "amount" not in self.definitions:
            self.definitions["amount"] = {}
            judged = self.ref(Measured)
            several = {"type": "array", "items": judged}
            self.definitions["amount"] = {"anyOf": [NUMBER, self.ref(Range), judged, several]}
        return {"$ref": "#/definitions/amount"}

    def serving(self) -> dict[str, Any]:
        """{api: model, ...}, {hosted: model, ...}, or the model of an API alone."""
        if "serving" not in self.definitions:
            self.definitions["serving"] = {}
            kinds = [self._serving(name, *SERVINGS[name]) for name in SERVINGS]
            self.definitions["serving"] = {"anyOf": [{"type": "string"}, *kinds]}
        return {"$ref": "#/definitions/serving"}

    def _serving(self, name: str, kind: Any, beside: str) -> dict[str, Any]:
        made = self.fields(kind, *([Api] if kind is own_api else []))
        properties = made["properties"]
        own = {field: (make, record) for field, make, record in _own()}
        for field, (make, record) in own.items():
            if name == "hosted" and field in properties:
                properties[field] = {"anyOf": [TEXT, self._own_record(make, record)]}
        properties[name] = properties.pop(beside)
        return {**made, "required": [name]}

    def _own_record(self, make: Any, record: Any) -> dict[str, Any]:
        made = self.fields(make, record)
        made["properties"].pop("known", None)
        made["properties"][make.__name__] = {"type": "string"}
        return {**made, "required": [make.__name__]}

    def presets(self) -> dict[str, Any]:
        """`only`, and what else `presets` takes."""
        names = [n for n in inspect.signature(presets).parameters if n != "quality"][1:]
        properties = dict.fromkeys(names, TEXT)
        some = {"type": "array", "items": {"enum": list(LABELS)}}
        return {
            "type": ["object", "null"],
            "properties": {**properties, "only": {"anyOf": [some, {"enum": ["all"]}]}},
            "additionalProperties": False,
        }

    def option(self) -> dict[str, Any]:
        """A serving and techniques, or a mix."""
        part = self.fields(Part)
        part["properties"]["option"] = {
            "anyOf": [{"type": "string"}, {"$ref": "#/definitions/Option"}]
        }
        signal = {"anyOf": [{"type": "string"}, self.ref(Signal)]}
        plain = {
            "serving": self.serving(),
            "quality": self.amount(),
            "techniques": self.techniques(),
        }
        mixed = {
            "mix": {"type": "array", "items": part},
            "signal": signal,
            "quality": self.amount(),
        }
        kinds = [
            {"type": "object", "properties": x, "required": [need], "additionalProperties": False}
            for x, need in ((plain, "serving"), (mixed, "mix"))
        ]
        return {"anyOf": kinds}

    def techniques(self) -> dict[str, Any]:
        """A list of names, or of names with fields; Rag, rag, FewShot and few_shot are known."""
        kinds = technique_classes()
        written = {spelt: kind for kind in kinds.values() for spelt in _spellings(kind.__name__)}
        one = {
            "type": "object",
            "properties": {x: {"anyOf": [self.ref(kind), NOTHING]} for x, kind in written.items()},
            "additionalProperties": False,
            "minProperties": 1,
            "maxProperties": 1,
        }
        return {"type": "array", "items": {"anyOf": [{"enum": list(written)}, one]}}


def _own() -> list[tuple[str, Any, Any]]:
    return list(OWN_RECORDS.values())


def _spellings(name: str) -> list[str]:
    snake = re.sub(r"(?<=[a-z])(?=[A-Z])", "_", name).lower()
    return list(dict.fromkeys([snake, name, name.lower()]))


if __name__ == "__main__":
    path = notebooks_folder() / "scenarios" / "scenario.schema.json"
    path.write_text(text(), encoding="utf-8")
