"""The catalogue of facts: asking for records, single facts, sources, and the table of all rows.

Each kind of record has two functions, one record by its id and all of them: `gpu("H100-SXM")` and
`gpus()`. What belongs to no record (practice, own hardware, carbon, ...) is a `Fact`. Every
function takes `folder`, another folder of facts, and most take `on`, the day whose rows hold.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache
from typing import Any, TypeVar

import pandas as pd

from costmodel.core import CatalogError, Range, check_known, data_folder, public, unknown
from costmodel.facts.loading import facts_in, records_of
from costmodel.facts.records import (
    Embedder,
    Fact,
    Gpu,
    Graph,
    Labels,
    Model,
    Person,
    Reader,
    Rent,
    Reranker,
    Retirement,
    Source,
    Store,
    Tier,
    Tuning,
)
from costmodel.facts.rows import (
    NOT_FACTS,
    Folder,
    checked_rows,
    files,
    newest_rows,
    path_of,
    source_records,
)

CHANNELS = ("hyperscaler", "neocloud", "marketplace")
RESELLERS = ("azure", "aws", "vertex", "together", "fireworks", "cerebras")
DATED = r"[-@](20\d{6}|20\d\d-\d\d-\d\d)(-v\d+:\d+)?"  # the day in the id of a dated version
TERMS = ("on_demand", "spot", "reserved_12mo", "reserved_36mo")
RECORDS: dict[str, type] = {}  # file -> class of its records; filled below

# -- records: one by its id, and all ---------------------------------------------------------------

Kind = TypeVar("Kind")


ONE_DOC = """One {kind} by its id; `{plural}()` has all of them.

    Parameters
    ----------
    id : str
        The id of the {kind}.
    folder : str or path, optional
        Another folder of facts.
    on : str, optional
        The day whose rows hold, such as "2026-11-01"; without it the newest.

    Returns
    -------
    {record}
        Each number is a float, or a Range where a range is known, in the unit of the glossary.
        `sources` pairs each field with the id of its source.

    Raises
    ------
    CatalogError
        Where there is no such {kind}; the message names the nearest.

    Examples
    --------
    >>> {singular}("{id}")
    {record}(id='{id}', ...)
    """
ALL_DOC = """All records of {plural}.csv by id.

    Parameters
    ----------
    folder : str or path, optional
        Another folder of facts.
    on : str, optional
        The day whose rows hold, such as "2026-11-01"; without it the newest.

    Returns
    -------
    {{id: {record}}}
        In the order of the file.

    Examples
    --------
    >>> {plural}()["{id}"].id
    '{id}'
    """


def _pair(
    record: type[Kind], kind: str, singular: str, plural: str, id: str
) -> tuple[Callable[..., Kind], Callable[..., dict[str, Kind]]]:
    """The two functions of one kind of record; `id` is an example."""
    RECORDS[plural] = record

    def all_of_them(folder: Folder = None, on: str | None = None) -> dict[str, Kind]:
        return dict(records_of(RECORDS[plural], plural, data_folder(folder), on))

    def one(id: str, folder: Folder = None, on: str | None = None) -> Kind:
        return _pick(kind, id, all_of_them(folder, on), f"{plural}.csv")

    words = {
        "kind": kind,
        "singular": singular,
        "plural": plural,
        "record": record.__name__,
        "id": id,
    }
    one.__name__, one.__doc__ = singular, ONE_DOC.format(**words)
    all_of_them.__name__, all_of_them.__doc__ = plural, ALL_DOC.format(**words)
    one.__annotations__["return"] = record
    return public(one), public(all_of_them)


def _pick(kind: str, id: Any, found: Mapping[str, Any], where: str) -> Any:
    check_known(kind, id, list(found), where)
    return found[id]


gpu, gpus = _pair(Gpu, "GPU", "gpu", "gpus", "H100-SXM")
model, models = _pair(Model, "open model", "model", "models", "llama-3.1-8b")
person, people = _pair(Person, "role", "person", "people", "engineer")
tier, tiers = _pair(Tier, "tier", "tier", "tiers", "internal")
label, labels = _pair(Labels, "kind of label", "label", "labels", "preference")
store, stores = _pair(Store, "store", "store", "stores", "pinecone")
embedder, embedders = _pair(
    Embedder, "embedding model", "embedder", "embedders", "text-embedding-3-small"
)
reranker, rerankers = _pair(Reranker, "reranker", "reranker", "rerankers", "rerank-v5.0-pro")
reader, readers = _pair(Reader, "class of readers", "reader", "readers", "frontier")
graph, graphs = _pair(Graph, "graph index", "graph", "graphs", "lazy")
tuning, tunings = _pair(Tuning, "managed fine-tuning", "tuning", "tunings", "openai.gpt-4o")
rents = _pair(Rent, "rent", "rent", "rents", "H100-SXM.neocloud.on_demand")[1]
retirements = _pair(Retirement, "retirement", "retirement", "retirements", "openai.gpt-5-mini")[1]


@public
def rent(
    gpu: str,
    channel: str = "neocloud",
    term: str = "on_demand",
    folder: Folder = None,
    on: str | None = None,
) -> Rent:
    """The rent of one GPU.

    Parameters
    ----------
    gpu : str
        The id of the GPU.
    channel : str
        Who rents it out: "hyperscaler", "neocloud" or "marketplace".
    term : str
        "on_demand", "spot", "reserved_12mo" or "reserved_36mo".
    folder, on : optional
        As in `gpu`.

    Returns
    -------
    Rent
        `usd_per_gpu_hour` is a Range [USD/GPU-hour].

    Raises
    ------
    CatalogError
        Where this GPU is not rented out so; the message names what is known for it.

    Examples
    --------
    >>> rent("A10G", "marketplace")
    Traceback (most recent call last):
    costmodel.core.errors.CatalogError: no rent of A10G from a marketplace, on_demand, in ...
    """
    found = rents(folder, on)
    if record := found.get(f"{gpu}.{channel}.{term}"):
        return record
    check_known("GPU", gpu, [r.gpu for r in found.values()], "rents.csv")
    check_known("channel", channel, CHANNELS, "rents.csv")
    check_known("term", term, TERMS, "rents.csv")
    offers = ", ".join(f"{r.channel} {r.term}" for r in found.values() if r.gpu == gpu)
    raise CatalogError(f"no rent of {gpu} from a {channel}, {term}, in rents.csv; known: {offers}")


# -- single facts ----------------------------------------------------------------------------------


def facts_of(file: str, folder: Folder = None, on: str | None = None) -> dict[str, Fact]:
    """All facts of one file (practice, residency, own, carbon, ...) by `id.field`."""
    if file in (*RECORDS, *NOT_FACTS) or not path_of(file, folder).is_file():
        raise unknown("file of facts", file, [f for f in files(folder) if f not in RECORDS])
    return dict(facts_in(file, data_folder(folder), on))


def read_on(file: str, id: str, field: str) -> str | None:
    """The day of the newest row of one number, None where there is none."""
    row = newest_rows(file, data_folder(), None).get(id, {}).get(field)
    return row["as_of"] if row else None


def fact(file: str, key: str, folder: Folder = None, on: str | None = None) -> Fact:
    """One fact by `id.field`, or by a field that only one id has."""
    found = facts_of(file, folder, on)
    keys = [key] if key in found else [k for k, f in found.items() if f.field == key]
    if not keys:
        raise unknown("fact", key, found, where=f"{file}.csv")
    if len(keys) > 1:
        several = " or ".join(sorted(keys))
        raise CatalogError(f"{key!r} in {file}.csv could be {several}; write one of them")
    return found[keys[0]]


@public
def practice(key: str, folder: Folder = None, on: str | None = None) -> Range:
    """What is usual: a number of data/facts/practice.csv with its source.

    Parameters
    ----------
    key : str
        `id.field`, or a field that only one id has.
    folder, on : optional
        As in `gpu`.

    Returns
    -------
    Range
        Its name is `id.field`; low equals high where no range is known.

    Raises
    ------
    CatalogError
        Where there is no such fact; the message names the nearest.

    Examples
    --------
    >>> practice("rag.build_weeks")
    Range(low=9.0, high=33.0, mid=18.0, ... name='rag.build_weeks', ...)
    """
    return fact("practice", key, folder, on).value


def shortest_cached(provider: str, model: str) -> Range:
    """The shortest prefix that a prompt cache holds [token].

    The rule of the model comes first, then that of its provider, then the usual one.

    >>> shortest_cached("anthropic", "claude-haiku-4-5").mid, shortest_cached("toys", "toy").mid
    (4096.0, 1024.0)
    """
    return _cache_rule("cache_min_tokens", provider, model)


def cache_lifetime(provider: str, model: str) -> Range:
    """How long a prefix lives that was written at the lower price of a write [s].

    >>> cache_lifetime("openai", "gpt-6.1-terra").mid, cache_lifetime("anthropic", "claude-x").mid
    (1800.0, 300.0)
    """
    return _cache_rule("ttl_s", provider, model)


def _cache_rule(field: str, provider: str, model: str) -> Range:
    """The rule of the model, else that of its provider, else the usual one."""
    rules = facts_of("caches")
    keys = [f"{id}.{field}" for id in (model, provider, "usual")]
    return next(rules[key].value for key in keys if key in rules)


@public
def retirement(
    model: str, provider: str | None = None, folder: Folder = None, on: str | None = None
) -> Retirement | None:
    """What is known of the end of an API model.

    Parameters
    ----------
    model : str
        The id of the model at its provider. One without a day in its name is its only dated
        version, where all of them end on one day.
    provider : str, optional
        Who sells it: an id of the price list, or "vertex"; without it the maker's own API.
    folder, on : optional
        As in `gpu`.

    Returns
    -------
    Retirement or None
        `retires` is a day such as "2026-12-11", `not_before` one until which it is promised, and
        `successor` the model that the maker names. None where nothing is announced.

    Examples
    --------
    >>> retirement("gpt-5-mini").retires, retirement("gpt-6.1-terra")
    ('2026-12-11', None)
    >>> [retirement("gemini-2.5-pro", p).retires for p in ("google", "vertex")]
    ['2026-12-01', '2026-10-20']
    """
    return _end_of(model, provider, data_folder(folder), on)


@cache
def _end_of(model: str, provider: str | None, folder: Folder, on: str | None) -> Retirement | None:
    found = _ends(folder, on)
    sellers = [provider] if provider else [s for s in found if s not in RESELLERS]
    for ends in (found.get(seller, {}) for seller in sellers):
        if model in ends:
            return ends[model]
        dated = [end for id, end in ends.items() if re.fullmatch(re.escape(model) + DATED, id)]
        if len({end.retires or end.not_before for end in dated}) == 1:
            return dated[-1]
    return None


@cache
def _ends(folder: Folder, on: str | None) -> dict[str, dict[str, Retirement]]:
    """{seller: {model: its end}}."""
    found: dict[str, dict[str, Retirement]] = {}
    for id, end in retirements(folder, on).items():
        seller, _, model = id.partition(".")
        found.setdefault(seller, {})[model] = end
    return found


# -- sources and tables ----------------------------------------------------------------------------


@public
def sources(folder: Folder = None) -> dict[str, Source]:
    """All sources by id.

    Parameters
    ----------
    folder : str or path, optional
        Another folder of facts.

    Returns
    -------
    {id: Source}
        In the order of the file.

    Examples
    --------
    >>> import costmodel as cm
    >>> cm.facts.sources()["genai-prices"].publisher
    'Pydantic'
    """
    return dict(source_records(data_folder(folder)))


@public
def source(id: str, folder: Folder = None) -> Source:
    """One source by its id.

    Parameters
    ----------
    id : str
        As it stands in the column `source` of a file of facts.
    folder : str or path, optional
        Another folder of facts.

    Returns
    -------
    Source
        title, publisher, url, accessed (a day), locator (page or table) and licence.

    Raises
    ------
    CatalogError
        Where there is no such source; the message names the nearest.

    Examples
    --------
    >>> source("genai-prices").publisher
    'Pydantic'
    """
    return _pick("source", id, source_records(data_folder(folder)), "sources.csv")


def cited(text: str) -> Source:
    """The source that a number cites: one of the data by its id, or a text of your own."""
    own = Source(text, title=text, publisher="you", url="", accessed="", locator="", licence="")
    return source_records(data_folder(None)).get(text, own)


@public
def facts(folder: Folder = None) -> pd.DataFrame:
    """Every row of every file of facts, history included.

    Parameters
    ----------
    folder : str or path, optional
        Another folder of facts.

    Returns
    -------
    DataFrame
        Columns: file, id, field, value (text, because dates, names and flags are among them),
        low and high (numbers), unit, as_of, source and note.

    Examples
    --------
    >>> facts().query("id == 'H100-SXM' and field == 'memory'")["value"].item()
    '8e10'
    """
    place = data_folder(folder)
    rows = [{"file": file, **row} for file in files(folder) for row in checked_rows(file, place)]
    table = pd.DataFrame(rows)
    return table.assign(**table[["low", "high"]].apply(pd.to_numeric))
