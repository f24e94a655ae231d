"""Costs of your own, data that leaves a cloud, and a second region for when the first is lost."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np

from costmodel.choices.options import Case
from costmodel.choices.purchases import PHASES, PRICE_TRENDS, Line, Purchases, cite, labour, setup
from costmodel.choices.running import paid_as, requests_served
from costmodel.choices.schedule import (
    Schedule,
    by_month,
    every,
    monthly,
    occurrences,
    once,
    path,
    with_demand,
)
from costmodel.choices.servings.fields import OpenNumber
from costmodel.choices.techniques.lookup import Id, find_records
from costmodel.choices.terms import STEADY
from costmodel.core import (
    GB,
    MONTHS_PER_YEAR,
    ROUNDING,
    Number,
    Range,
    check,
    check_known,
    checked,
    frozen,
    unchecked,
    validate,
    whole_number,
)
from costmodel.facts import catalog
from costmodel.facts.catalog import practice

PER = ("once", "month", "year", "request")
TREATMENTS = ("opex", "capex")
LAST_MONTH = 120  # of the longest horizon


@frozen
class Cost:
    """A cost of your own, in dollars or in hours of a person: once, or per month, year or request.

    Equation: usd x persons, or hours x hourly rate x persons, each time it comes round. It belongs
    to the options whose techniques name it; give it to all if it does not tell them apart.

    Parameters
    ----------
    item : str
        What it is, as the ledger shows it, such as "penetration test".
    usd : number or Range, at least 0, or None
        The price of one occurrence [USD].
    hours : number or Range, at least 0, or None
        Hours of a person instead of a price, of one occurrence.
    role : id or record
        Who works these hours: a person of the catalogue, such as "engineer" or "counsel".
    per : {"once", "month", "year", "request"}
        How often it is paid.
    persons : number or Range, at least 0
        Persons for each of whom it is paid, such as the users of a tool [count].
    month : int, or None
        The month in which it is paid, or first paid: 0 is up front. None is up front for what is
        paid once, and month 1 for the rest. After the horizon it is in no total: `lint` says so.
    phase, treatment : str
        The phase of the life, and "opex" or "capex".
    trend : {"none", "service", "labour", "gpu", "api"}
        The class of prices that it follows; "none" stays what you say. Hours follow the pay.

    Raises
    ------
    CatalogError
        When the phase, the trend, the treatment, the role or `per` is not known.
    ValueError
        When neither or both of usd and hours are given, or a field is outside its range.

    Examples
    --------
    >>> import costmodel as cm
    >>> option = cm.Option(
    ...     cm.Api("gpt-6-luna"),
    ...     cm.Cost("penetration test", usd=12_000, month=3, phase="compliance"),
    ...     cm.Cost("seat of a tool", usd=30, per="month", persons=20),
    ... )
    >>> book = cm.ledger(option, cm.Workload(10_000, input_tokens=500), months=3)
    >>> book[book.month == 3].set_index("item").usd[
    ...     ["penetration test", "seat of a tool"]
    ... ].to_list()
    [12000.0, 600.0]
    """

    item: str
    usd: Number | None = None
    hours: Number | None = None
    role: catalog.Person | Id = "engineer"
    per: str = "once"
    persons: Number = 1
    month: int | None = None
    phase: str = "build"
    treatment: str = "opex"
    trend: str = STEADY

    def __post_init__(self) -> None:
        check(
            isinstance(self.item, str) and self.item,
            f"Cost.item is {self.item!r}, it must say what is paid, such as 'penetration test'",
        )
        where = f"the cost {self.item!r}"
        check(
            (self.usd is None) != (self.hours is None),
            f"{where} needs usd=, its price, or hours= of a person; give one of the two",
        )
        check(
            self.per != "person",
            f"{where} is paid for each person: give persons=, and per= how often, one of "
            f"{', '.join(PER)}",
        )
        check_known("per", self.per, PER, where)
        check_known("phase", self.phase, PHASES, where)
        check_known("trend", self.trend, PRICE_TRENDS, where)
        check_known("treatment", self.treatment, TREATMENTS, where)
        if self.month is not None:
            check(self.per != "request", f"{where} is paid per request; leave month out")
            whole_number(f"the month of {where}", self.month, 0, LAST_MONTH)
        find_records(self, role=catalog.person)
        validate(self)
        for name in ("usd", "hours", "persons"):  # two costs are two doubts
            value = getattr(self, name)
            if isinstance(value, Range) and value.name is None:
                object.__setattr__(self, name, replace(value, name=f"{self.item}.{name}"))

    @property
    def id(self) -> str:
        """The name under which its numbers are cited."""
        return self.item

    def _when(self, months: int) -> Schedule:
        if self.per == "request":
            return with_demand()
        if self.per == "once":
            return once(self.month or 0)
        first = 1 if self.month is None else self.month
        if self.per == "month":
            return monthly(first)
        since = np.arange(months + 1) - first
        return path((since >= 0) & (since % MONTHS_PER_YEAR == 0))

    def buys(self, case: Case) -> Purchases:
        each: Any = self.persons * (requests_served(case) if self.per == "request" else 1)
        when, times = self._when(case.terms.months), "" if self.per == "once" else f" a {self.per}"
        persons = " x {persons} persons" if np.any(self.persons != 1) else ""
        if self.usd is None:
            basis = f"{{hours}} h{times}{persons} x {{usd_per_hour}}/h"
            yield labour(
                self.item,
                self.hours * each,
                paid_as(self.role, case),
                when,
                self.phase,
                basis,
                cite(self, "hours", "persons"),
                self.treatment,
            )
            return
        yield Line(
            self.item,
            self.phase,
            each,
            "request" if self.per == "request" else "piece",
            self.usd,
            when,
            self.trend,
            self.treatment,
            f"{{usd}}{times}{persons}",
            cite(self, "usd", "persons"),
        )


BYTES_PER_CHARACTER = 1.0  # English in UTF-8
STORES = ("store the index",)  # lines that a second region buys again


@frozen
class Egress:
    """Data that leaves your cloud: answers to users, and prompts with their documents to an API.

    Equation: gigabytes a month = requests x (tokens x characters x overhead + files), less what is
    free, at the price of a gigabyte. Not in it: data that comes in, which clouds do not charge.

    Parameters
    ----------
    cloud : str
        Where your application runs, an id of data/facts/egress.csv: "aws", "coreweave", ...
    usd_per_gb : number or Range, at least 0, or None
        Price of a gigabyte that leaves [USD/GB]; None is that of the cloud.
    gb_free : number, at least 0, or None
        Gigabytes of a month that leave for nothing; None is that of the cloud.
    prompts_leave : bool or None
        Whether prompts leave too, with the documents in them; None: where an API answers.
    files_mb : number or Range, at least 0
        Megabytes of documents that are sent beside each answer.
    chars_per_token : number or Range, at least 0
        Characters of a token.
    transfer_overhead : number or Range, x
        Bytes on the wire over those of the text.

    Raises
    ------
    CatalogError
        When the cloud is not known.

    Examples
    --------
    >>> import costmodel as cm
    >>> option = cm.Option(cm.Api("gpt-6-luna"), cm.Egress(gb_free=0, files_mb=2))
    >>> book = cm.ledger(option, cm.Workload(1e5, input_tokens=900), months=1, base_case=True)
    >>> float(book.set_index("item").loc["data that leaves the cloud", "quantity"])
    200.72
    """

    cloud: str = "aws"
    usd_per_gb: OpenNumber = None
    gb_free: OpenNumber = None
    prompts_leave: bool | None = None
    files_mb: Number = 0.0
    chars_per_token: Number = practice("text.chars_per_token")
    transfer_overhead: Number = practice("Egress.transfer_overhead")

    def __post_init__(self) -> None:
        facts = {key: fact.value for key, fact in catalog.facts_of("egress").items()}
        check_known("cloud", self.cloud, {key.split(".")[0] for key in facts}, "Egress")
        for name, otherwise in (("usd_per_gb", None), ("gb_free", 0.0)):
            given = getattr(self, name)
            if given is None or given in facts.values():  # nobody gave it, so the cloud says it
                value = facts.get(f"{self.cloud}.{name}", otherwise)
                object.__setattr__(self, name, value)
        validate(self)

    def buys(self, case: Case) -> Purchases:
        tokens = requests_served(case) * case.request.main.output_tokens
        own_gpus = hasattr(case.serving, "fleet")
        if not own_gpus if self.prompts_leave is None else self.prompts_leave:
            sent = (call.prompt_tokens * call.per_request for call in case.request.calls)
            tokens = tokens + case.requests_per_month * sum(sent)
        text = tokens * self.chars_per_token * BYTES_PER_CHARACTER * self.transfer_overhead
        gigabytes = text / GB + requests_served(case) * self.files_mb / 1_000
        demand = 1.0 if case.work.flat else occurrences(with_demand(), case.work, case.terms)
        count, when = by_month(np.maximum(gigabytes * demand - self.gb_free, 0.0))
        yield Line(
            "data that leaves the cloud",
            "serving",
            count,
            "GB",
            self.usd_per_gb,
            when,
            basis="requests x (tokens x {chars_per_token} characters x {transfer_overhead} + "
            "{files_mb} MB) - {gb_free} GB, at {usd_per_gb}",
        )


@checked
class SecondRegion:
    """A second region: you buy that answers go on when a region is lost.

    Own GPUs keep `standby_share` of their replicas up there (`Fleet.regions`), the index is stored
    again, documents and changes are copied, and the move is tested. What is not kept up starts when
    it is needed: the first answers wait for GPUs, if there are any. An API keeps itself up; its
    option pays for the data. Not in it: what an outage costs you.

    Parameters
    ----------
    standby_share : number or Range, 0 to 1
        1 is active in both regions, and each carries the peak alone; less is a warm standby.
    regions : int, at least 1
        All regions, the first included.
    usd_per_gb_region : number or Range, at least 0
        Price of a gigabyte that moves between regions [USD/GB].
    bytes_per_token : number or Range, at least 0
        What is copied for a token of the corpus [byte].
    build_weeks, drill_hours : number or Range, at least 0
        Weeks of an engineer to set it up, and hours of each test of the move.
    drills_per_year : number or Range, at least 0
        Tests of the move in a year.

    Examples
    --------
    >>> import costmodel as cm
    >>> own = cm.Hosted("llama-3.1-8b", gpu="L40S")
    >>> work = cm.Workload(1e6, input_tokens=1_000, output_tokens=100)
    >>> both = cm.Option(own, cm.SecondRegion())
    >>> [int(cm.serving.capacity(x, work)["replicas"].max()) for x in (cm.Option(own), both)]
    [1, 2]
    """

    standby_share: Number = 1.0
    regions: int = 2
    usd_per_gb_region: Number = catalog.fact("egress", "aws.usd_per_gb_region").value
    bytes_per_token: Number = practice("SecondRegion.bytes_per_token")
    build_weeks: Number = practice("SecondRegion.build_weeks")
    drills_per_year: Number = practice("SecondRegion.drills_per_year")
    drill_hours: Number = practice("SecondRegion.drill_hours")

    def adapt(self, serving: Any) -> Any:
        """Own GPUs in all regions."""
        if not hasattr(serving, "fleet"):
            return serving
        fleet = unchecked(serving.fleet, regions=self.regions, standby_share=self.standby_share)
        return unchecked(serving, fleet=fleet)  # its numbers may be draws

    def buys(self, case: Case) -> Purchases:
        work, engineer, further = case.work, case.terms.people.engineer, self.regions - 1
        yield setup(
            "set up the second region", self, work, engineer, times=(further, " x ({regions} - 1)")
        )
        yield labour(
            "test the move to the second region",
            self.drill_hours,
            engineer,
            every(MONTHS_PER_YEAR / np.maximum(self.drills_per_year, ROUNDING)),
            "maintenance",
            "{drills_per_year} tests a year x {drill_hours} h x {usd_per_hour}/h",
        )
        for technique in case.techniques:
            if technique is self or not hasattr(technique, "store"):
                continue
            for bought in technique.buys(case):
                if bought.item in STORES:
                    item = f"{bought.item}: further regions"
                    yield replace(bought, item=item, quantity=bought.quantity * further)
        if work.corpus is None:
            return
        gigabytes = work.corpus.tokens * self.bytes_per_token / GB * further
        changed, churn = (
            gigabytes * work.corpus.churn_per_month,
            cite(work.corpus, "churn_per_month"),
        )
        size = "{tokens} tokens x {bytes_per_token} B x further regions"
        for item, count, when, words, cites in (
            ("copy documents to the second region", gigabytes, once(), "", ()),
            (
                "copy changes to the second region",
                changed,
                monthly(),
                " x {churn_per_month}",
                churn,
            ),
        ):
            usd, basis = self.usd_per_gb_region, f"{size}{words} at {{usd_per_gb_region}}"
            yield Line(item, "retrieval", count, "GB", usd, when, basis=basis, cites=cites)
