"""The words of a verdict: its headline, its four cards, and the points that it turns on."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from costmodel.choices.study import Study
from costmodel.choices.terms import Terms
from costmodel.choices.workload import Workload
from costmodel.core import Doubt, chance_of, listed, middle, money, number_text, percent, public
from costmodel.decisions.rule import CLOSE, ERRORS
from costmodel.decisions.search import present

WORTH_SAYING = 0.005  # of the total: a smaller cost of wrong answers is not mentioned
NO_HOPE = 0.02  # chance to reach the floor: with less, no evaluation will help
NEAR = 0.75  # of the chance of the likeliest option
AS_LIKELY = 0.03  # of the draws: chances that are this near are alike
UNLIKELY = 0.25  # chance to reach the floor
NARROWER = 0.8  # of the band before a pilot: less is not worth saying
GROWN = 0.02  # a price whose average differs by more from what was typed says so
SELDOM = 0.05  # a pilot that settles the choice less often is not worth asking for
JUDGED = 200  # answers that people judge in one evaluation
LOWEST = "the lowest expected cost"
NUMBERS = "two three four five six seven eight nine ten".split()
Cards = tuple[tuple[str, str, str], ...]


def headline(study: Study, best: str, table: pd.DataFrame) -> str:
    """The answer in one sentence."""
    row, work, floor = table.loc[best], study.work, study.quality_floor
    growth = _growth(work)
    text = f"{'Starting at' if growth else 'At'} {volume(work)} requests a month"
    text += (f" and {growth}" if growth else "") + _peak(work)
    alone = len(study.options) == 1 and not study.part
    does = f"has {lowest(study, best, table[table['eligible']])}"
    if alone and not study.risk:
        does = "is expected to cost"
    text += f", {_among(study)}{'it' if study.alone else best} {does}"
    if floor is not None and not alone:
        text += f" of the options that are at least {percent(study.confidence)} sure to reach"
        text += f" {percent(floor)} accepted answers"
    text += f"{' ' if alone else ': '}{_cost(study, row)}"
    if (floor is None or alone) and not np.isnan(row["quality"]):
        text += f", with {percent(row['quality'])} of its answers accepted"
    equal = list(table.index[table["as_good"] & (table.index != best)])
    be = "is" if len(equal) == 1 else "are"
    text += f"; {listed(equal)} {be} as good, within {percent(CLOSE)}" if equal else ""
    return text + "."


def lowest(study: Study, named: str, table: pd.DataFrame) -> str:
    """What an option has that the rule puts first of a table: costs are weighed in present value,
    and where another costs less when its months are added up, that is said."""
    if study.risk:
        return "the lowest cost after its risk"
    return LOWEST if least_added_up(named, table) == named else f"{LOWEST} in present value"


def least_added_up(named: str, table: pd.DataFrame) -> str:
    """The option of a table whose months, added up, are expected to cost least."""
    usd = table["expected"]
    return named if np.isclose(usd[named], usd.min(), atol=0) else str(usd.idxmin())


def near(table: pd.DataFrame) -> list[str]:
    """The options that come near to being eligible where none is, in the order of the table.

    Those with three quarters of the chance of the likeliest; those of unknown quality only where no
    quality is known. Where none has a chance, the best answers.
    """
    known = table["quality"].notna()
    chances = table["p_reaches"].where(known | (not known.any())).fillna(-1.0)
    if known.any() and chances.max() == 0:
        return [str(table["quality"].idxmax())]
    return [*map(str, table.index[chances >= NEAR * chances.max()])]


def nearest(table: pd.DataFrame) -> str:
    """The option to speak of where none is eligible: the least present value of those near it."""
    return near(table)[0]


def has_lowest(study: Study, named: str, table: pd.DataFrame) -> str:
    """What the option that comes nearest has, where none is eligible."""
    among = "has" if named == table.index[0] else "has, of what comes near,"
    return f"{among} {lowest(study, named, table.loc[near(table)])}"


def do_not_choose(study: Study, named: str, table: pd.DataFrame, first: str = "") -> str:
    """The sentence where no option reaches the floor with confidence; `named` is `nearest`.

    `first` says what to measure.
    """
    row, floor = table.loc[named], percent(study.quality_floor or 0.0)
    text, cost = f"Do not choose yet: {_among(study)}", _cost(study, row)
    if study.quality_floor is None:
        text += f"no option is {percent(study.confidence)} sure to run; {named}, at {cost}"
        return f"{text}, runs in only {chance_of(row['p_reaches'], study.confidence)} of the draws."
    if np.isnan(row["quality"]):
        text += f"the quality of no option is known, so none is sure to reach your {floor}"
        return f"{text}; {named} costs {cost}; judge some {JUDGED} answers of each first."
    chances = table["p_reaches"].where(table["quality"].notna())
    if chances.max() < NO_HOPE:
        return (
            f"{text}no option is likely to reach your {floor}; the nearest, {named}, has "
            f"{percent(row['quality'])} of its answers accepted, at {cost}; add a better option or "
            "lower the floor."
        )
    text += f"{named} {has_lowest(study, named, table)}, {cost}, but its chance to reach your "
    text += f"{floor} is only {chance_of(row['p_reaches'], study.confidence)}"
    likeliest = str(chances.index[chances >= chances.max() - AS_LIKELY][0])  # the cheapest of them
    if likeliest != named:
        other = table.loc[likeliest]
        text += f" ({likeliest} has {chance_of(other['p_reaches'], study.confidence)}, at "
        text += f"{money(other['per_month'], study.terms)} a month)"
    if chances.max() < UNLIKELY and not first:
        return f"{text}; probably no option reaches it: add a better one or lower the floor."
    return f"{text}{first and '; '}{first}."


def points(study: Study, best: str, table: pd.DataFrame, flips: pd.DataFrame) -> Iterator[str]:
    """What a reader must know beside the headline: how close it is, and what it turns on."""
    row, floor, terms = table.loc[best], study.quality_floor, study.terms
    unread = study.work.corpus is not None and not _reads(study.option(best))
    if unread and floor is None and row["wrong_answers"] == 0:
        yield (
            f"{best} does not read the corpus, and wrong answers are free here: "
            "ask for a quality_floor, or give them a price (usd_per_failure)."
        )
    others = table[table["eligible"] & (table.index != best)]
    if len(others):
        less = least_added_up(best, table[table["eligible"]])
        other = others.index[0] if study.risk or less == best else less
        yield _beside(study, best, table, other)
    missed = table[~table["eligible"] & (table["risk_adjusted"] < row["risk_adjusted"])]
    missed = missed[(missed["p_reaches"] < study.confidence) & missed["quality"].notna()]
    if len(missed):
        label, least = missed.index[0], missed.iloc[0]
        does = "run" if floor is None else f"reach {percent(floor)}"
        how = " in present value" if least["expected"] >= row["expected"] else ""
        yield (
            f"{label} would cost less{how}, {money(least['per_month'], terms)} a month, but its "
            f"chance to {does} is {chance_of(least['p_reaches'], study.confidence)}, less than the "
            f"{percent(study.confidence)} asked for."
        )
    if study.risk:
        yield (
            f"Options are ranked by the mean plus {percent(study.risk)} of what the worst tenth of "
            "the draws costs beyond it."
        )
    if np.isnan(row["quality"]):
        yield "Its quality is not known, so the cost of wrong answers is not in it."
    now = present(study.work.requests_per_month)
    turns = [
        f"{flip.option} is cheaper {'below' if flip.below == flip.option else 'above'} some "
        + number_text(flip.crossing, 2 if 0.5 < flip.crossing / now < 2 else 1)  # its band is wide
        for flip in flips.itertuples()
    ]
    if turns:
        yield f"At other volumes: {', '.join(turns)} requests a month."


def cards(study: Study, row: pd.Series) -> Cards:
    """Four numbers of the answer, each with a title and a remark."""
    terms, months, floor = study.terms, study.terms.months, study.quality_floor

    def monthly(amount: float) -> str:
        return money(amount / months, terms)

    known = not np.isnan(row["quality"])
    each = f"{money(row['per_accepted'], terms)} for an accepted answer" if known else ""
    each = each if row["quality"] != 0 else "no answer is accepted"
    price = present(study.work.usd_per_failure)
    wrong = ""
    if known:
        wrong = f"a month, assumed: {percent(1 - row['quality'])} of answers, "
        each_wrong = row["wrong_answers"] * row["per_request"] / (row["expected"] or 1.0)
        each_wrong /= max(1 - row["quality"], 1e-9)
        on_average = ""
        if isinstance(study.work.usd_per_failure, Doubt):
            on_average = " on average"
        elif price and abs(each_wrong / price - 1) > GROWN:  # the wages behind it rise
            on_average = " on average over the months"
        priced = f"{money(each_wrong, terms)} each{on_average}"
        wrong += priced if price else "for which no price was given"
    chance: tuple[str, str, str] = (
        "Chance to be the cheapest",
        chance_of(row["p_cheapest"]) if row["eligible"] else "not eligible",
        "of the eligible options, on the same draws",
    )
    if floor is not None:
        chance = (
            f"Chance to reach {percent(floor)}",
            chance_of(row["p_reaches"], study.confidence) if known else "not known",
            f"{percent(study.confidence)} is asked for",
        )
    return (
        ("To pay a month", monthly(row["to_pay"]), each or f"expected, over {_months(months)}"),
        ("Wrong answers", monthly(row["wrong_answers"]) if known else "not known", wrong),
        (
            "Expected cost a month",
            monthly(row["expected"]),
            f"{'both together; ' if known else ''}8 cases in 10: {monthly(row['p10'])} to "
            f"{monthly(row['p90'])}",
        ),
        chance,
    )


def no_answer(table: pd.DataFrame) -> str:
    """Why no option can run."""
    reasons = (f"{label}: {reason}" for label, reason in table["why_not"].items())
    return f"No option can run: {'; '.join(reasons)}"


def volume(work: Workload) -> str:
    """The requests of a month as people write them."""
    return number_text(round(present(work.requests_per_month)))


def _among(study: Study) -> str:
    """A page about some of the options says so."""
    many = len(study.options)
    if not study.part or many == 1:
        return ""
    return f"among these {NUMBERS[many - 2] if many <= 10 else many} options, "


def _months(many: int) -> str:
    return f"{many} month{'s' if many != 1 else ''}"


def _cost(study: Study, row: pd.Series) -> str:
    """The expected cost of a month, and what of it is paid."""
    terms, months = study.terms, study.terms.months
    rate = f" ({terms.money.rate})" if terms.money.rate else ""  # tables beside it are in USD
    text = f"about {money(row['per_month'], terms)} a month{rate} over {_months(months)}"
    if row["wrong_answers"] < WORTH_SAYING * row["expected"]:
        return text
    paid, wrong = (money(row[x] / months, terms) for x in ("to_pay", "wrong_answers"))
    return f"{text}, of which {paid} is paid and {wrong} is the assumed cost of wrong answers"


def _beside(study: Study, best: str, table: pd.DataFrame, other: str) -> str:
    """How much the best is ahead of the next, and how often it is not."""
    row, next_row, terms = table.loc[best], table.loc[other], study.terms
    less = (next_row["expected"] - row["expected"]) / terms.months
    if np.isclose(next_row["more"], 0, atol=1e-9 * abs(row["present_value"])):
        return f"{best} and {other} cost the same."
    dearer = 1 - next_row["p_dearer"]
    amount, side = money(abs(less), terms), "less" if less >= 0 else "more"
    how = f"{best} costs {amount} a month {side} than {other}"
    if dearer < 0.005 and less >= 0:
        return f"{how}, and less in practically every case."
    if less < 0 and study.risk:
        return f"{how}, and less in the worst tenth."
    if less < 0:
        ahead = money(next_row["present_value"] - row["present_value"], terms)
        return (
            f"In present value, which ranks the options, {best} costs {ahead} less than {other} "
            f"over {_months(terms.months)}; with the months added up it costs {amount} a month "
            "more, because more of its cost comes late."
        )
    return f"{how} on average, but is dearer in {of_ten(dearer)}."


def of_ten(share: float) -> str:
    """A share in cases of ten.

    >>> of_ten(0.37), of_ten(0.03), of_ten(0.1)
    ('4 cases of 10', '3 cases of 100', '1 case of 10')
    """
    whole = 10 if 0.095 <= share <= 0.905 else 100
    cases = max(1, min(whole - 1, round(share * whole)))
    return f"{cases} case{'s' if cases > 1 else ''} of {whole}"


def _growth(work: Workload) -> str:
    """How the requests change, in words."""
    yearly, ramp = middle((work.growth_per_year, work.ramp_months))
    grows = f"{'growing' if yearly > 0 else 'falling'} {percent(abs(yearly))} a year"
    words = [grows] if yearly else []
    return " ".join(words + ([f"after a ramp of {ramp:g} months"] if ramp else []))


def _peak(work: Workload) -> str:
    """The month that differs most from an ordinary one, in words."""
    extra = middle(work.seasons).extra if work.seasons else {}
    if not any(extra.values()):
        return ""
    most, least = (end(extra, key=extra.__getitem__) for end in (max, min))
    kind, month = ("peak", most) if extra[most] > 0 else ("low", least)
    sign = "+" if extra[month] > 0 else ""
    return f", with a {kind} of {sign}{percent(extra[month])} in {month.capitalize()}"


def _reads(option: Any) -> bool:
    """Whether some part of an option looks something up in the corpus."""
    parts = middle(option).parts()
    return any(
        hasattr(technique, "questions") for part, *_ in parts for technique in part.techniques
    )


# -- a pilot --------------------------------------------------------------------------------------


def pays(table: pd.DataFrame) -> bool:
    """Whether the best pilot of a table is worth more than it costs, beyond sampling errors."""
    return bool(table["worth"][0] > ERRORS * table["error"][0])


@public
def pilot_sentence(table: pd.DataFrame, terms: Terms | None = None) -> str:
    """Say which pilot to run before the choice, what it costs and what it is worth.

    Parameters
    ----------
    table : DataFrame
        Of `pilot`.
    terms : Terms, optional
        Whose currency is shown; US dollars without it.

    Returns
    -------
    str

    Examples
    --------
    >>> import costmodel as cm
    >>> study = cm.load("support_assistant").only("RAG", "Long context + cache")
    >>> print(pilot_sentence(cm.decisions.pilot(study, draws=1_000)))
    Judge 200 or more answers each of RAG and Long context + cache first, for some USD ...
    """
    first, why = pilot_in_two(table, terms)
    if first:
        return f"{first[0].upper()}{first[1:]}. {why}"
    if (table["usd"] <= ERRORS * table["error"]).all():
        return f"Judge nothing first: {table['n'].max()} answers would hardly change the choice."
    words, row = _Words(table, terms), table.loc[table["usd"].idxmax()]
    price, worth = words.some(row.usd_to_measure), words.some(row.usd)
    return (
        f"Judge nothing first: what tells most, {words.asked(row)}, costs {price} and is worth "
        f"{worth}."
    )


def pilot_in_two(table: pd.DataFrame, terms: Terms | None = None) -> tuple[str, str]:
    """Which pilot to run first and its price, to end a sentence, and why, as the next sentence.

    Empty where no pilot would settle anything.
    """
    words, row = _Words(table, terms), table.iloc[0]
    why = words.why(row)
    if not words.unsettled and not pays(table):
        return "", ""
    if row.worth <= 0:
        row = table.loc[table["p_settled"].idxmax()]
        why = f"The pilot saves less than it costs, but {words.settles(row)}."
    return f"judge {words.asked(row)} first, for {words.some(row.usd_to_measure)}", why


@dataclass(frozen=True)
class _Words:
    """The words about the rows of a table of pilots."""

    table: pd.DataFrame
    terms: Terms | None

    @property
    def unsettled(self) -> bool:
        """Whether a pilot can make some option sure of the floor that is not sure yet."""
        return self.table.attrs["settled_now"] < 1 and self.table["p_settled"].max() >= SELDOM

    def some(self, usd: float) -> str:
        return f"some {money(float(f'{usd:.2g}'), self.terms)}"

    def asked(self, row: pd.Series) -> str:
        labels = self.table.attrs["judged"][row.plan]
        best = row.name == 0 and row.worth > 0  # so many pay most, of those that were asked
        many = " or more" if best and row.n == self.table.attrs["most"] else ""
        return f"{row.n}{many} answers{' each' if len(labels) > 1 else ''} of {row.plan}"

    def settles(self, row: pd.Series) -> str:
        sure, floor = (percent(self.table.attrs[name]) for name in ("confidence", "floor"))
        return f"in {of_ten(row.p_settled)} one option is then {sure} sure to reach {floor}"

    def why(self, row: pd.Series) -> str:
        first = self.table.attrs["judged"][row.plan][0]
        text = f"The pilot is worth {self.some(row.usd)}: it changes the choice in "
        text += of_ten(row.p_changes)
        if row.band_after < NARROWER * row.band_before:
            text += f" and narrows the 80 % band of {first} from {row.band_before:.0f} to "
            text += f"{row.band_after:.0f} points"
        return text + (f"; {self.settles(row)}" if self.unsettled else "") + "."
