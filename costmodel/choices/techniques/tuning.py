"""Tuning: managed fine-tuning, full fine-tuning or LoRA on own GPUs. Distillation: `distillation`.

The training run is one line among many: its life (labels, runs that fail, evaluation, engineering,
retraining, the end of the base model) is in `tunes.life`, the run itself in `tunes.run`. Not in it:
preference tuning and RL (`predict_training` has their runs), the slowdown of a server that holds
many adapters.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any, ClassVar

import numpy as np

from costmodel.choices.effort import BUILD, CASES, REPLACED, UPKEEP, effort, usual
from costmodel.choices.options import Case
from costmodel.choices.purchases import Line, Purchases, cite
from costmodel.choices.quality.accepted import tuned
from costmodel.choices.schedule import monthly
from costmodel.choices.servings.api import Api
from costmodel.choices.servings.hosted import Hosted
from costmodel.choices.techniques.lookup import Id, find_records
from costmodel.choices.tunes.life import Ending, ending, keep_checkpoints, label_examples, life_of
from costmodel.choices.tunes.offers import refuse_base, refuse_closed, tuned_price
from costmodel.choices.tunes.run import RunPrice, checkpoint_gb, managed_run, own_run, quoted_run
from costmodel.core import (
    HOURS_PER_MONTH,
    Infeasible,
    Number,
    Range,
    check,
    check_known,
    frozen,
    middle,
    require,
    validate,
)
from costmodel.facts import catalog
from costmodel.facts.catalog import practice
from costmodel.laws.quality import Effect
from costmodel.laws.training.calibration import laws
from costmodel.laws.training.run import STACKS

ERROR = laws()[2]["adapter"]  # of the predicted speed of a tune: 80 % lie within


@dataclass(frozen=True, kw_only=True)
class Tune:
    """What every tune has in common.

    A run passes the gate with `pass_chance`; how many it takes is drawn (`luck`), unless `runs`
    says it. The run itself is predicted, unless its `mfu`, its `speed` over the prediction or its
    price (`usd_per_run`) is known; `speed_error` is how far published adapter runs lie from the
    prediction, and is widened for full tunes, mixtures of experts and offload. A plain script
    (`stack="naive"`) does not pack.
    """

    # -- the provider, and the data
    tuning: catalog.Tuning | Id | None = None
    customer: bool = False
    examples: Number = 1_000
    tokens_per_example: Number = practice("tune.tokens_per_example")
    epochs: Number = practice("fine_tune.epochs")
    labels: catalog.Labels | Id = "expert_example"
    minutes_per_label: Number | None = None
    label_role: catalog.Person | Id = "expert"
    minutes_per_check: Number = practice("tune.minutes_per_check")
    # -- runs until one passes
    build_weeks: Number = usual("fine_tune.build_weeks", BUILD)
    pass_chance: Number = practice("tune.pass_chance")
    luck: Number = Range(
        0.05,
        0.95,
        mid=0.5,
        form="share",
        why="where in the distribution of the number of runs: nearly uniform in 0..1",
    )
    runs: Number | None = None
    failed_share: Number = practice("tune.failed_share")
    sweep_runs: Number = 0
    sweep_share: Number = practice("tune.sweep_share")
    debug_hours: Number = practice("tune.debug_hours")
    candidate_items: Number = usual("eval.examples", CASES)
    # -- one run, predicted or known
    speed: Number | None = None
    speed_error: Number = Range(
        1 / ERROR,
        ERROR,
        mid=1,
        level=0.80,
        name="training.speed",
        source="derived",
        why="published adapter runs over the prediction",
    )
    mfu: Number | None = None
    usd_per_run: Number | None = None
    seq_len: Number = 2_048
    packed: bool | None = None
    stack: str = "standard"
    hours_per_run: Number = practice("tune.hours_per_run")
    checkpoints: Number = 3
    usd_per_gb_month: Number = practice("tinker.usd_per_gb_month")
    # -- retraining
    retrain_months: Number = usual("fine_tune.retrain_months", REPLACED)
    retrain_labels: Number = practice("tune.retrain_labels")
    retrain_hours: Number = practice("tune.retrain_hours")
    # -- the end of the base model
    base_life_months: Number = practice("tune.base_life_months")
    provider_life_months: Number = practice("api.model_life_months")
    labels_kept: Number = practice("tune.labels_kept")
    rebuild_share: Number = practice("tune.rebuild_share")
    # -- upkeep, and further tenants
    upkeep_fte: Number = usual("fine_tune.maintenance_fte", UPKEEP)
    adapters: Number = 1
    further_share: Number = practice("tune.further_share")
    labelled: ClassVar[tuple[str, ...]] = ()  # fields that multiply the examples which people label

    def __post_init__(self) -> None:
        kind = type(self).__name__
        find_records(self, labels=catalog.label, label_role=catalog.person, tuning=catalog.tuning)
        validate(self)
        for name in ("examples", "tokens_per_example", "adapters"):
            require(f"{kind}.{name}", getattr(self, name), low=1)
        check_known("stack", self.stack, STACKS, where=kind)
        length, window = middle((self.tokens_per_example, self.seq_len))
        number = np.ndim(length) == np.ndim(window) == 0  # draws reach beyond what is usual
        predicted = self.tuning is None and self.usd_per_run is None
        check(
            not (number and predicted) or length <= window,
            f"{kind}.seq_len is {window:,.0f}, an example has {length:,.0f} tokens: what is "
            "longer would be cut off; give a seq_len that holds an example",
        )

    @property
    def tokens(self) -> Any:
        """Tokens of one training run."""
        return self.examples * self.tokens_per_example * self.epochs

    @property
    def tenants_words(self) -> str:
        """How the formula of what each tenant needs begins: with their number, where there are
        several.
        """
        return "{adapters} tenants x " if np.any(self.adapters != 1) else ""

    @property
    def tenants(self) -> tuple[Any, str]:
        """Engineering for all tenants over that for the first, and its formula."""
        words = " x (1 + ({adapters} - 1) x {further_share})" if self.tenants_words else ""
        return 1 + (self.adapters - 1) * self.further_share, words

    @property
    def people(self) -> tuple[Any, str]:
        """Engineering of the project over that of an adapter of one tenant, and its formula."""
        return self.tenants

    @property
    def chance(self) -> tuple[Any, str]:
        """Chance that a run passes, and its formula."""
        return self.pass_chance, "{pass_chance}"

    @property
    def method(self) -> str:
        """How the weights are trained: "full", "lora" or "qlora"."""
        return "qlora" if getattr(self, "quantised", False) else "lora"

    def adapt(self, serving: Any) -> Any:
        """The tuned model: on own GPUs as it is, behind an API at its own price."""
        offer, kind = self.tuning, type(self).__name__
        if offer is not None:
            refuse_base(offer, serving, kind)
        if isinstance(serving, Hosted):
            return serving
        if not isinstance(serving, Api):
            raise Infeasible(
                f"{kind} needs a Hosted serving, or an Api with tuning=; "
                f"this one is {type(serving).__name__}"
            )
        if offer is None:
            raise Infeasible(
                f"{kind} on {serving.model.id!r} needs tuning=, the provider's offer; "
                f"known: {', '.join(catalog.tunings())}"
            )
        return replace(serving, model=tuned_price(serving.model, offer))

    def ends(self, case: Case) -> Ending:
        """When the base ends: own weights, or the first of the days on which a provider retires the
        tune or its base, or takes no more jobs.
        """
        offer: Any = self.tuning
        if isinstance(case.serving, Hosted):
            model = case.serving.model
            _refuse_retired(model.id, model.retired, case.terms.start)
            cites = cite(model, "retired") if model.retired else ()
            closes = getattr(offer, "closes", None)
            return ending(self, model.retired, cites, case.terms, closes=closes)
        base = catalog.retirement(offer.base, offer.provider)
        _refuse_retired(offer.base, base.retires if base else None, case.terms.start)
        known = ((x, n) for x in (offer, base) for n in ("closes", "retires") if x is not None)
        days = [(getattr(x, n), *cite(x, n)) for x, n in known if getattr(x, n, None)]
        day, *known_by = min(days, default=(None,))
        return ending(self, day, (*known_by,), case.terms, "provider_life_months", offer.closes)

    def run(self, case: Case) -> RunPrice:
        """One training run: at a known price, by a provider, or on own GPUs."""
        offer: Any = self.tuning
        if offer is not None:
            weeks = effort(self, "build_weeks", case.work)
            refuse_closed(offer, case.terms.start, weeks, self.customer)
        if self.usd_per_run is not None:
            return quoted_run(self)
        return own_run(self, case.serving) if offer is None else managed_run(self)

    def buys(self, case: Case) -> Purchases:
        offer: Any = self.tuning
        ends = self.ends(case)
        yield from label_examples(self, case, ends)
        yield from life_of(self, case, self.run(case), ends)
        if isinstance(case.serving, Hosted):
            yield keep_checkpoints(self, checkpoint_gb(case.serving, self.method))
        elif getattr(offer, "usd_per_hour_hosting", None) is not None:
            yield Line(
                "host the tuned model",
                "serving",
                HOURS_PER_MONTH * self.adapters,
                "hour",
                offer.usd_per_hour_hosting,
                monthly(),
                "api",
                basis=self.tenants_words + "every hour of the month, busy or idle",
                cites=("usd_per_hour_hosting",),
            )

    def quality(self, case: Case) -> Effect:
        return tuned(case, self.examples)


def _refuse_retired(base: str, day: str | None, start: Any) -> None:
    if day and day <= start:
        raise Infeasible(
            f"{base} is retired since {day}, this option starts on {start}; "
            "choose a base that is alive"
        )


@frozen(kw_only=True)
class FineTune(Tune):
    """Fine-tune all weights: at a provider (`tuning`, with an Api), or on own GPUs (Hosted).

    You buy labels, failed runs and upkeep; you give up the base model's updates. Each of `adapters`
    tenants at a provider has a tuned model of its own; whole models do not share own GPUs.

    Parameters
    ----------
    tuning : id or record, or None
        The provider's offer. One for a size class of open models trains at the provider's price and
        answers on a Hosted serving, with the rent of its endpoint. None trains on own GPUs.
    customer : bool
        Whether you are a customer of the offer already, where it is closed to new ones.
    examples, tokens_per_example, epochs : number or Range
        The training set, and the passes over it.
    runs : number, at least 1, or None
        Runs until one passes; None draws them from `pass_chance`.
    mfu, speed, usd_per_run : number or Range, or None
        What you know of a run: its utilisation, its speed over the prediction, or its price.
    labels : id or record
        What one label costs, from the catalogue.
    minutes_per_label, label_role : number or Range, above 0, or None, and id or record
        Minutes of a role, such as "nurse", on one label, in place of that price.
    minutes_per_check : number or Range, at least 0
        Minutes of a person who checks one example.
    build_weeks : number or Range, at least 0
        Weeks of an engineer before the first answer.
    pass_chance, luck : number or Range, 0 to 1
        Chance that a run is good enough, and where in the distribution of the number of runs you
        land.
    failed_share : number or Range, 0 to 1
        Share of the cost of a run that a failed one takes before it is stopped.
    sweep_runs, sweep_share : number or Range
        Short runs that search for settings [count], and the share of the data in one.
    debug_hours : number or Range, at least 0
        Hours of people on one failed run.
    candidate_items : number or Range, at least 0
        Cases of the golden set that a candidate answers.
    speed_error : number or Range, at least 0
        How far runs lie from their predicted speed [x].
    seq_len : number, at least 1
        Length of a training sequence [token]; it must hold an example.
    packed : bool or None
        Whether several examples share a sequence; None: in every stack but a naive one.
    stack : {"tuned", "standard", "naive", "offload"}
        The training software.
    hours_per_run : number or Range, at least 0
        Hours of a run beside its computing, on each GPU.
    checkpoints, usd_per_gb_month : number or Range, at least 0
        Checkpoints that are kept, and the price of their storage [USD/GB-month].
    retrain_months : number or Range, above 0
        Months between two trainings. Left out, it is trained again each time that answers drift, as
        the `Monitoring` beside it has it (`drifts_per_year`), and without one every few months.
    retrain_labels, retrain_hours : number or Range
        Share of the labels that a retraining makes again, and the hours of people on it.
    base_life_months, provider_life_months : number or Range, above 0
        Months until a base of your own weights ends, and until a provider ends the tuned model,
        where no day is announced.
    labels_kept, rebuild_share : number or Range, 0 to 1
        Share of the labels that outlive the base model, and the engineering for a new base over
        that of the first.
    upkeep_fte : number or Range, at least 0
        Share of an engineer who keeps the tune working.
    effort_ratio, runs_ratio : number or Range, at least 1
        On own GPUs: engineering of the project, and runs until one passes, over those of an adapter
        [x]. A provider's offer brings its recipe.
    adapters, further_share : number or Range
        Tenants with a tune of their own (at least 1), and the engineering of a further one over
        that of the first [share].

    Raises
    ------
    Infeasible
        Where the offer does not fit the serving, has closed, or names no price.
    CatalogError
        When the offer, the labels or the stack are not known.
    ValueError
        When a field is outside its range, or an example is longer than `seq_len`.

    Examples
    --------
    >>> import costmodel as cm
    >>> cm.FineTune(examples=1_000, tokens_per_example=800, epochs=3).tokens
    2400000
    """

    effort_ratio: Number = practice("full_tune.effort_ratio")
    runs_ratio: Number = practice("full_tune.runs_ratio")

    @property
    def method(self) -> str:
        return "full"

    def adapt(self, serving: Any) -> Any:
        if isinstance(serving, Hosted) and np.any(self.adapters > 1):
            raise Infeasible(
                "whole models of several tenants do not share GPUs; use Lora(adapters=...)"
            )
        return super().adapt(serving)

    @property
    def _own(self) -> bool:
        """Whether all weights are trained on own GPUs; providers have a recipe of their own."""
        return self.tuning is None

    @property
    def people(self) -> tuple[Any, str]:
        times, words = self.tenants
        whole = times * self.effort_ratio, words + " x {effort_ratio} for all weights"
        return whole if self._own else (times, words)

    @property
    def chance(self) -> tuple[Any, str]:
        lower = self.pass_chance / self.runs_ratio, "{pass_chance} / {runs_ratio} for all weights"
        return lower if self._own else super().chance


@frozen(kw_only=True)
class Lora(Tune):
    """Train a small adapter: a third fewer FLOPs, many adapters on one base.

    You give up a little quality on large sets. `adapters` tenants share the fleet; the workload is
    then that of all of them.

    Parameters
    ----------
    quantised : bool
        True is QLoRA: a base in 4 bits needs a quarter of the memory and runs slower.
    tuning : id or record, or None
        A provider's offer: it trains at that price. One for a size class of open models answers on
        a Hosted serving; one for a model, or with a price of the adapter, behind an Api. None
        trains on own GPUs.
    customer : bool
        As of `FineTune`.
    examples, tokens_per_example, epochs, runs, mfu, speed, usd_per_run
        As of `FineTune`.
    labels, minutes_per_label, label_role, minutes_per_check, build_weeks
        The labels and the first work, as of `FineTune`.
    pass_chance, luck, failed_share, sweep_runs, sweep_share, debug_hours, candidate_items
        The runs until one passes, as of `FineTune`.
    speed_error, seq_len, packed, stack, hours_per_run, checkpoints, usd_per_gb_month
        One run and what is kept of it, as of `FineTune`.
    retrain_months, retrain_labels, retrain_hours
        Retraining, as of `FineTune`.
    base_life_months, provider_life_months, labels_kept, rebuild_share
        The end of the base model, as of `FineTune`.
    upkeep_fte, adapters, further_share
        Upkeep, and tenants, as of `FineTune`.
    log_odds_adapter : number or Range
        What an adapter adds to that in place of all weights, mostly below 0 [log-odds].

    Raises
    ------
    ValueError
        When a field is outside its range, or an example is longer than `seq_len`.

    Examples
    --------
    >>> import costmodel as cm
    >>> cm.Lora().method, cm.Lora(quantised=True).method
    ('lora', 'qlora')
    """

    examples: Number = 2_000
    quantised: bool = False
    log_odds_adapter: Number = practice("Lora.log_odds_adapter")

    def quality(self, case: Case) -> Effect:
        return tuned(case, self.examples, self.log_odds_adapter)
