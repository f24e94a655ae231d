"""From your own numbers to a question: a study whose inputs are measured, and what that changed."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.mixes import Mix, Part
from costmodel.choices.options import Option
from costmodel.choices.presets import LABELS, presets, with_quality
from costmodel.choices.servings.api import Api
from costmodel.choices.servings.hosted import Hosted
from costmodel.choices.study import Study
from costmodel.choices.techniques.prompting import PromptCache, TokenSizes
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Corpus
from costmodel.core import CatalogError, Measured, check, check_known, leaves, public, today
from costmodel.core.words import money, percent
from costmodel.decisions.compare import compare
from costmodel.facts.prices import rates
from costmodel.ingest.bills import Bill
from costmodel.ingest.evaluations import Evaluations
from costmodel.ingest.loadtests import LoadTest
from costmodel.ingest.reader import TOKENS
from costmodel.ingest.usage import SELLERS, Usage, modes_of, paid
from costmodel.laws.serving.predict import predict_serving
from costmodel.ledgers.book import explain
from costmodel.studies.history.bridge import reconcile
from costmodel.studies.history.traffic import lengths_of, workload

LEAST_SHARE = 0.001  # of tokens and of dollars: a model below both counts with the others of today
MEASURES = {  # of a load test -> its column there, that of a prediction, and their unit
    "TTFT": ("ttft_s", "ttft_s", "s"),
    "TPOT": ("tpot_s", "tpot_s", "s"),
    "throughput": ("output_per_s", "output_tokens_per_s", "token/s"),
}
ERROR = "concurrency measure unit measured low predicted high over_predicted in_band".split()


@public
def study(
    usage: Usage,
    bill: Bill | None = None,
    evaluations: Evaluations | None = None,
    corpus: Corpus | None = None,
    on: str | None = None,
    **fields: Any,
) -> Study:
    """A question on your own traffic: what you use today beside the usual options.

    Parameters
    ----------
    usage : Usage
        Makes the workload, and the option "Today: ...": the model that is used, or a Mix of those
        that are, by their calls and each with its own sizes. It has the evaluations, upkeep and
        people of the preset "Prompt", so that all options are compared with what keeps them
        running, and a prompt cache where the usage has one.
    bill : Bill, optional
        A discount that its lines agree on becomes that of today's option.
    evaluations : Evaluations, optional
        Qualities by the label of a preset ("Prompt", "RAG") or the id of an API model.
    corpus : Corpus, optional
    on : str, optional
        Day of the prices; today without it.
    **fields
        Fields of the `Study`, such as `quality_floor`, or of the `Workload`; None is not said.

    Returns
    -------
    Study

    Raises
    ------
    CatalogError
        For an evaluation whose option is neither a preset nor an API model.
    ValueError
        Where the usage has no calls with a time, or the bill is stale.

    Examples
    --------
    >>> import costmodel as cm
    >>> days = pd.date_range("2026-10-01", periods=30).strftime("%Y-%m-%d")
    >>> table = {"time": days, "model": "gpt-4o", "calls": 1_000, "input": 9e5, "output": 2e5}
    >>> own = study(cm.ingest.Usage.of(pd.DataFrame(table)), on="2026-11-20", draws=100)
    >>> list(own.options)[:2], own.title
    (['Today: gpt-4o', 'Small model'], 'Your own traffic, 2026-10')
    """
    on = on or today().isoformat()
    of_study = {k: v for k, v in fields.items() if k in Study.__dataclass_fields__}
    of_work = {k: v for k, v in fields.items() if k not in of_study and v is not None}
    work = workload(usage, **({"corpus": corpus} if corpus else {}) | of_work)
    judged = evaluations.measured() if evaluations else {}
    usual: Any = presets(work, on=on, only=["Prompt"])["Prompt"]
    options: dict[str, Any] = presets(work, on=on)
    options |= presets(work, on=on, only=[x for x in judged if x in LABELS and x not in options])
    used, said_of_others = _used(usage, on, _discount(usage, bill) if bill else 0.0)
    alone = used["api"].iloc[0].model.id if len(used) == 1 else ""
    by_id: dict[str, Measured] = {}
    for label, measured in judged.items():
        if label in options:
            options[label] = with_quality(options[label], measured)
            continue
        api = _api(label, options, on)
        by_id[api.model.id] = measured
        if api.model.id != alone:  # otherwise it is that of today
            caches = bool(usage.table["cache_read"].sum())
            options[label] = _kept(usual, caches, api, measured)
    label, mine = _today(used, said_of_others, usual, by_id)
    said: dict[str, Any] = {"title": f"Your own traffic, {_months(usage)}", "terms": Terms(on=on)}
    return Study({label: mine} | options, work, **(said | of_study))


@public
def beyond_the_bill(study: Study, usage: Usage, bill: Bill | None = None) -> str:
    """Why what was billed is so much less than what an option costs: the bill has the calls alone.

    Parameters
    ----------
    study : Study
        Made by `study`; what is said is of its first option, that of today.
    usage : Usage
    bill : Bill, optional
        Without one, what the calls cost at the list of each day is said.

    Returns
    -------
    str

    Raises
    ------
    Infeasible
        Where the option cannot run.

    Examples
    --------
    >>> import costmodel as cm
    >>> days = pd.date_range("2026-10-01", periods=30).strftime("%Y-%m-%d")
    >>> table = {"time": days, "model": "gpt-4o", "calls": 1_000, "input": 9e5, "output": 2e5}
    >>> usage = cm.ingest.Usage.of(pd.DataFrame(table))
    >>> own = study(usage, on="2026-11-20", draws=100)
    >>> beyond_the_bill(own, usage, cm.ingest.Bill.of_total(130)).partition(". ")[0]
    'USD 130 was billed for the calls of 2026-10 alone'
    """
    label, terms = next(iter(study.options)), study.terms
    by = explain(study, label).groupby("phase")["usd"].sum()
    if bill:
        alone = f"{money(bill.usd, terms)} was billed"
    else:
        alone = f"{money(float(paid(usage.table)[0].sum().sum()), terms)} is the list price"
    wrong = ", upkeep and wrong answers" if by.get("failures", 0.0) else " and upkeep"
    return (
        f"{alone} for the calls of {_months(usage)} alone. The costs here are those of "
        f"{terms.months} months with all that keeps an option running: of the "
        f"{money(by.sum(), terms)} of {label!r}, {percent(by['serving'] / by.sum())} is for calls, "
        f"and the rest for people, evaluation{wrong}."
    )


def _months(usage: Usage) -> str:
    """The months of the usage, such as "2026-09 to 2026-10"."""
    when = usage.table["time"].dropna().dt.strftime("%Y-%m")
    return " to ".join(dict.fromkeys([when.min(), when.max()]))


@public
def narrower(before: Study, after: Study) -> pd.DataFrame:
    """Which inputs of a workload became measured, and how much narrower they and the answer are.

    Parameters
    ----------
    before, after : Study
        The same question with assumed and with measured inputs.

    Returns
    -------
    DataFrame
        By input of the workload, then by option: `before_low`, `before_high`, `after_low`,
        `after_high` (90 %; of an option its expected cost, 10 to 90 % [USD]), and `narrower`, the
        width after over that before, on the scale of logarithms.

    Examples
    --------
    >>> import costmodel as cm
    >>> options = {"API": cm.Option(cm.Api("gpt-4o", on="2026-11-20"))}
    >>> guess = cm.Study(options, cm.Workload(cm.Range(1e4, 9e4), input_tokens=900), draws=200)
    >>> known = cm.Study(options, cm.Workload(cm.Range(3e4, 3.3e4), input_tokens=900), draws=200)
    >>> narrower(guess, known).narrower.round(2).to_dict()
    {'Workload.requests_per_month': 0.04, 'API': 0.42}
    """
    inputs = [
        {k: (getattr(v, "low", v), getattr(v, "high", v)) for k, v in leaves(s.work).items()}
        for s in (before, after)
    ]
    rows = {key: (*inputs[0][key], *inputs[1][key]) for key in inputs[1] if key in inputs[0]}
    rows = {key: ends for key, ends in rows.items() if ends[:2] != ends[2:]}
    tables = [compare(s) for s in (before, after)]
    for label in tables[0].index.intersection(tables[1].index, sort=False):
        rows[label] = tuple(t.loc[label, end] for t in tables for end in ("p10", "p90"))
    columns = ["before_low", "before_high", "after_low", "after_high"]
    made = pd.DataFrame.from_dict(rows, "index", columns=columns).astype(float)
    widths = [np.log(made[f"{k}_high"] / made[f"{k}_low"]) for k in ("after", "before")]
    return made.assign(narrower=widths[0] / widths[1].where(widths[1] > 0))


@public
def with_load_test(hosted: Hosted, test: LoadTest, replicas: int = 1) -> Hosted:
    """A deployment with your measured throughput in place of the predicted one and its band.

    Parameters
    ----------
    hosted : Hosted
    test : LoadTest
        Of requests like those of the workload.
    replicas : int
        How many replicas were tested at once.

    Returns
    -------
    Hosted

    Examples
    --------
    >>> import costmodel as cm
    >>> runs = pd.DataFrame({"requests_per_s": [4.0], "completed": [400]})
    >>> own = with_load_test(cm.Hosted("llama-3.1-8b"), cm.ingest.LoadTest(runs))
    >>> own.requests_per_s.mid
    4.0
    """
    measured = replace(test.requests_per_s(replicas), source="measured")
    return replace(hosted, requests_per_s=measured)


@public
def load_test_sentence(error: pd.DataFrame) -> str:
    """What a table of `load_test_error` says, in one sentence.

    Parameters
    ----------
    error : DataFrame

    Returns
    -------
    str

    Examples
    --------
    >>> import costmodel as cm
    >>> run = {"concurrency": [8], "input": [1_000], "output": [200], "tpot_s": [0.009]}
    >>> test = cm.ingest.LoadTest(pd.DataFrame(run))
    >>> load_test_sentence(load_test_error(cm.Hosted("llama-3.1-8b"), test)).partition("; ")[0]
    '0 of 1 measured numbers lie in the 80 % band of the prediction'
    """
    hit, ratio = int(error["in_band"].sum()), error["over_predicted"]
    return (
        f"{hit} of {len(error)} measured numbers lie in the 80 % band of the prediction; measured "
        f"over predicted is {ratio.min():.2f} to {ratio.max():.2f}"
    )


@public
def load_test_error(hosted: Hosted, test: LoadTest | None) -> pd.DataFrame:
    """How far the prediction of a deployment was from a load test, run by run.

    Parameters
    ----------
    hosted : Hosted
        What was tested, one replica.
    test : LoadTest or None
        With tokens and concurrency.

    Returns
    -------
    DataFrame
        One row a run and measure ("TTFT", "TPOT" and "throughput" of the replica): `concurrency`,
        `measure`, `unit`, `measured`, `low`, `predicted`, `high` (80 % band), `over_predicted` [x]
        and `in_band`. A run that does not say its tokens or its concurrency is left out.

    Raises
    ------
    ValueError
        Where no load test is given, or no run of it says its tokens and its concurrency.

    Examples
    --------
    >>> import costmodel as cm
    >>> run = {"concurrency": [8], "input": [1_000], "output": [200], "tpot_s": [0.009]}
    >>> test = cm.ingest.LoadTest(pd.DataFrame(run))
    >>> made = load_test_error(cm.Hosted("llama-3.1-8b"), test)
    >>> made.measure.tolist(), bool(0.3 < made.over_predicted.item() < 3)
    (['TPOT'], True)
    """
    if test is None:
        raise CatalogError(
            "no load test is given, so the predicted speed of own GPUs is not checked here"
        )
    sizes = test.table[["concurrency", "input", "output"]]
    runs = test.table[np.isfinite(sizes).all(axis=1)].reset_index(drop=True)
    check(len(runs), "no run of the load test says its concurrency and its tokens a request")
    said = predict_serving(
        hosted.model, hosted.gpu, tensor_parallel=int(hosted.gpus), precision=hosted.precision,
        engine=hosted.engine, input_tokens=runs["input"].tolist(),
        output_tokens=runs["output"].tolist(), concurrency=runs["concurrency"].tolist(),
    )  # fmt: skip
    found = []
    for name, (ours, theirs, unit) in MEASURES.items():
        band = said[[f"{theirs}_{end}" for end in ("low", "mid", "high")]]
        found.append(
            band.set_axis(["low", "predicted", "high"], axis=1).assign(
                concurrency=runs["concurrency"],
                measure=name,
                unit=unit,
                measured=runs.get(ours, np.nan),
            )
        )
    table = pd.concat(found).dropna(subset="measured").sort_index(kind="stable")
    table = table.sort_values("concurrency", kind="stable")
    table["over_predicted"] = table["measured"] / table["predicted"]
    table["in_band"] = table["measured"].between(table["low"], table["high"])
    return table[ERROR].reset_index(drop=True)


def _kept(usual: Option, caches: bool, api: Api, quality: Measured | None, *first: Any) -> Option:
    """An API with what keeps the usual option running, and a cache where the usage has one."""
    cached = caches and rates(api.model).usd_per_mtok_cache_read
    techniques = (*first, *((PromptCache(),) if cached else ()), *usual.techniques)
    return replace(usual, serving=api, techniques=techniques, quality=quality)


def _used(usage: Usage, on: str, discount: float) -> tuple[pd.DataFrame, str]:
    """The models that are used, with most tokens first (`api`, calls, tokens and lengths of
    prompts), each way of sale apart, and what is said of the others; where the first has no price,
    it is an error.
    """
    table = usage.table.assign(
        usd=paid(usage.table)[0].sum(axis=1), mode=modes_of(usage.table).to_numpy()
    )
    by = table[table["calls"] > 0].groupby(["provider", "model", "mode"], observed=True)
    sums = by[["calls", *TOKENS, "usd"]].sum()
    tokens = sums[TOKENS].sum(axis=1).sort_values(ascending=False)
    rare = (tokens < LEAST_SHARE * tokens.sum()) & (sums["usd"] < LEAST_SHARE * sums["usd"].sum())
    apis: dict[Any, Api] = {}
    said = [f"{rare.sum()} rare counted with them"] if rare.any() else []
    for provider, model, mode in tokens.index[~rare[tokens.index]]:
        try:
            seller = SELLERS.get(provider, provider) or None
            apis[provider, model, mode] = Api(model, seller, on, mode, discount=discount)
        except CatalogError:
            if not apis:
                raise
            said.append(f"without {model}, which has no price")
    lengths = [lengths_of(by.get_group(key)) for key in apis]
    used = sums.loc[list(apis)].assign(api=list(apis.values()), lengths=lengths)
    return used, f" ({'; '.join(said)})" if said else ""


def _today(
    used: pd.DataFrame, said: str, usual: Option, judged: dict[str, Measured]
) -> tuple[str, Option | Mix]:
    """What is used today: one model, or a mix of several by their calls."""
    each = used[TOKENS].div(used["calls"], axis=0).map(lambda x: float(f"{x:.5g}"))
    options = []
    for api, lengths, (sent, read, *writes, written, thought) in zip(
        used["api"], used["lengths"], each.to_numpy().tolist(), strict=True
    ):
        sizes = TokenSizes(read + sum(writes), sent, written, thought, lengths)
        own = (sizes,) if len(used) > 1 else ()
        options.append(_kept(usual, read > 0, api, judged.get(api.model.id), *own))
    first, *others = dict.fromkeys(used.index.get_level_values("model"))
    label = f"Today: {first}"
    if others:
        label += f" and {others[0] if len(others) == 1 else f'{len(others)} more'}"
    if len(options) == 1:
        return label + said, options[0]
    shares = (used["calls"] / used["calls"].sum()).round(6).tolist()
    rest = [Part(o, answers=s) for o, s in zip(options[1:], shares[1:], strict=True)]
    return label + said, Mix(Part(options[0]), *rest)


def _api(label: str, options: dict[str, Any], on: str) -> Api:
    """The API model that an evaluation is named after."""
    try:
        return Api(label.rpartition(":")[2], on=on)
    except CatalogError:
        check_known("option", label, options, "the presets or the API models")
        raise


def _discount(usage: Usage, bill: Bill) -> float:
    rows = reconcile(usage, bill).bridge.set_index("part")["usd"]
    return float(-rows["discount"] / rows["tracked tokens"]) if "discount" in rows else 0.0
