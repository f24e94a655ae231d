"""Toys of the tests: prices by hand, lines with one number, terms in which nothing moves."""

from dataclasses import dataclass, replace

import costmodel as cm
from costmodel.choices.purchases import Line
from costmodel.choices.schedule import Schedule, once
from costmodel.facts.prices import ApiPrice, Rates
from costmodel.laws.quality import Effect

ON = "2026-11-01"
STILL = cm.Terms(
    start="2026-12-01",
    on=None,
    discount_rate=0.0,
    trends=cm.choices.Trends(api=0, gpu=0, labour=0, service=0),
)
PEOPLE = cm.choices.People(
    *(
        replace(cm.facts.person(p), usd_per_hour=usd)
        for p, usd in (
            ("engineer", 100.0),
            ("analyst", 80.0),
            ("expert", 60.0),
            ("annotator", 20.0),
        )
    )
)
STAFFED = replace(STILL, people=PEOPLE)  # round wages


def api(name="toy", window=1e6, tiers=(), accepted=None, **usd_per_mtok):
    """An Api with prices by hand: api(**{"in": 3, "out": 15}); `tiers` maps a threshold to the
    rates above it.
    """
    rates = [
        (name, 0.0, usd_per_mtok),
        *((f"{name}>{above:g}", float(above), more) for above, more in dict(tiers).items()),
    ]
    cards = tuple(
        Rates(id, above, **{f"usd_per_mtok_{k}": v for k, v in r.items()}) for id, above, r in rates
    )
    card = ApiPrice(
        id=name,
        provider="toys",
        on=ON,
        mode="standard",
        residency=None,
        residency_uplift=1.0,
        discount=0.0,
        window=window,
        usd_per_request=0.0,
        tiers=cards,
        notes=("unusual price: a toy",),
        sources=(),
    )
    return cm.Api(card, accepted=accepted)


@dataclass(frozen=True)
class Buy:
    """A technique that buys one line and nothing else."""

    usd: object
    schedule: Schedule = once()
    quantity: object = 1.0
    phase: str = "build"
    trend: str = "service"

    def buys(self, case):
        yield Line(
            "a purchase", self.phase, self.quantity, "piece", self.usd, self.schedule, self.trend
        )


@dataclass(frozen=True)
class Better:
    """A technique that only shifts the log-odds of an accepted answer."""

    log_odds: object

    def quality(self, case):
        return Effect(self.log_odds, "toy")


def total(option, work, terms=STILL, **more):
    """USD over the horizon at the middle of all Ranges."""
    return float(cm.ledger(option, work, terms=terms, base_case=True, **more).usd.sum())


def lines(option, work, terms=STILL):
    """The lines of an option evaluated at the middle of all Ranges."""
    return cm.ledgers.evaluate(*cm.uncertainty.middle((option, work, terms))).lines
