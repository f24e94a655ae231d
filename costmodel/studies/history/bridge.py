"""Usage against the bill: what is explained, and what usually causes the rest."""

from __future__ import annotations

import re
from collections import Counter

import numpy as np
import pandas as pd

from costmodel.core import check, frozen, percent, public
from costmodel.ingest.bills import Bill
from costmodel.ingest.reader import TOKENS
from costmodel.ingest.usage import Usage, paid

APART = ("fee", "tax", "discount")  # kinds of lines that no tokens explain
SAME_COUNT = 0.005  # two counts of one class that differ by less are equal
MOST = 0.5  # of the unexplained, from which the lines that differ most are named
MATCHED = 0.01  # share of a bill below which the rest is a rounding
LEAST_LINES = 3  # lines that must agree on a discount
PARTS = ["part", "usd", "share", "why"]
NO_BILL = "no bill is given, so the usage is not held against one"
NO_LINES = "export it again, with the amount of each line"
NAMED = {"another class": "tokens in another class", "discount": "a discount"}
CENT = 0.01  # USD: lines of a bill are rounded to it
DOUBTFUL = {  # part -> how the verdict says that it is not explained
    "above the list": "is billed above the list: ",
    "below the list": "is billed below the list: ",
    "surcharge": "is a uniform surcharge, as of another tier (priority, fast), a region or tax",
    "billed without usage": "is billed without usage",
    "used and not billed": "is used and not billed",
}
WHERE = ("above the list", "below the list")  # the parts whose why belongs to the verdict
CAUSES = (
    "calls that timed out or streams that were cut off (they return no usage and are billed), "
    "keys or projects that the usage leaves out, or cached tokens that are logged otherwise"
)
BEYOND = "free calls, credits that no line names, or another bill"  # causes where a bill is less


@frozen
class Reconciliation:
    """A bill beside the usage; `reconcile` makes it.

    Parameters
    ----------
    bridge : DataFrame
        `part`, `usd`, `share` of the bill and `why`: from the tracked tokens to the bill. The parts
        add up to the bill.
    lines : DataFrame
        By day, model and class as far as the bill says them: `tokens` and `usd` of the usage,
        `quantity` and `billed_usd` of the bill.
    sentence : str
        What it says.

    Examples
    --------
    >>> import costmodel as cm
    >>> day = pd.DataFrame({"time": ["2026-10-01"], "model": ["gpt-4o"], "input": [20_680_000]})
    >>> usage = cm.ingest.Usage.of(day)
    >>> made = cm.history.reconcile(usage, cm.ingest.Bill.of_total(96.91))
    >>> made.sentence
    'USD 51.70 of USD 96.91 is tracked; USD 45.21 (47 %) is unexplained. Were there calls that ...?'
    """

    bridge: pd.DataFrame
    lines: pd.DataFrame
    sentence: str

    @property
    def unexplained(self) -> float:
        """What nothing explains on either side, as a share of the bill."""
        left = self.bridge["part"].isin(["unexplained", *DOUBTFUL])
        return float(self.bridge.loc[left, "share"].abs().sum(min_count=1))

    @property
    def steps(self) -> pd.DataFrame:
        """The bridge with running totals (`step`, `usd`, `total`), the bill last; without a bill an
        error.
        """
        check(len(self.bridge), NO_BILL)
        bill = pd.DataFrame({"part": ["the bill"], "usd": [self.bridge["usd"].sum()]})
        whole = pd.concat([self.bridge[["part", "usd"]], bill], ignore_index=True)
        return with_totals(whole.rename(columns={"part": "step"}))

    @property
    def classes(self) -> pd.DataFrame:
        """By class of tokens: list price of the usage against the bill; an error where the bill
        names no classes.
        """
        check("kind" in self.lines, "the bill does not name classes of tokens")
        sums = self.lines.groupby("kind")[["usd", "billed_usd", "tokens", "quantity"]].sum()
        return sums.assign(billed_over_list=sums["billed_usd"] / sums["usd"]).reset_index()


def with_totals(steps: pd.DataFrame) -> pd.DataFrame:
    """Steps with `total`, their sum up to here; the last row is a total itself."""
    total = steps["usd"].cumsum()
    total.iloc[-1] = steps["usd"].iloc[-1]
    return steps.assign(total=total)


@public
def reconcile(usage: Usage, bill: Bill | None) -> Reconciliation:
    """Hold usage, priced at the list of each day, against a bill.

    A billed cost in a row of the usage beats the list. Days, models and classes are kept apart as
    far as the bill says them.

    Parameters
    ----------
    usage : Usage
    bill : Bill or None
        Without one the bridge has no rows.

    Returns
    -------
    Reconciliation

    Raises
    ------
    ValueError
        Where the bill has no lines, or ends before the usage does, so that it is stale.

    Examples
    --------
    >>> import costmodel as cm
    >>> day = pd.DataFrame({"time": ["2026-10-01"], "model": ["gpt-4o"], "input": [1_000_000]})
    >>> made = cm.history.reconcile(cm.ingest.Usage.of(day), cm.ingest.Bill.of_total(2.5))
    >>> made.sentence
    'USD 2.50 of USD 2.50 is tracked: matched.'
    """
    if bill is None:
        nothing = pd.DataFrame(columns=PARTS)
        return Reconciliation(nothing, nothing, f"{NO_BILL[0].upper()}{NO_BILL[1:]}.")
    billed = bill.table
    check(len(billed), f"the bill has no line with an amount; {' '.join(bill.notes) or NO_LINES}")
    ours, unpriced = _tracked(usage)
    _check_days(ours, billed)
    apart = billed["kind"].isin(APART)
    tokens = billed[~apart]
    if len(tokens):
        ours, tokens = _same_names(ours, tokens)
    by = [c for c in ("day", "model", "kind") if len(tokens) and (tokens[c] != "").all()]
    by = [c for c in by if c != "kind" or (tokens["kind"] != "other").all()]
    lines = _beside(ours, tokens, by)
    parts, most = _parts(lines, by)
    for kind in APART:
        if usd := billed.loc[billed["kind"] == kind, "usd"].sum():
            parts[{"fee": "fees", "tax": "tax", "discount": "credits"}[kind]] = usd, "as billed"
    total = bill.usd
    rest = total - sum(usd for usd, _ in parts.values())
    parts["unexplained"] = rest, f"usual causes: {CAUSES if rest > 0 else BEYOND}"
    rows = [
        (part, usd, usd / total if total else np.nan, why) for part, (usd, why) in parts.items()
    ]
    bridge = pd.DataFrame(rows, columns=PARTS)
    return Reconciliation(bridge, lines, _sentence(usage, bridge, total, unpriced, most))


def _tracked(usage: Usage) -> tuple[pd.DataFrame, int]:
    """Dollars and tokens by day, model and class, and how many rows have no price."""
    table = usage.table
    usd, why = paid(table)
    usd["input"] = usd["input"].fillna(usd["billed"])
    keys = [table["time"].dt.strftime("%Y-%m-%d").fillna("").rename("day"),
            table["model"].astype(str)]  # fmt: skip
    sums = [frame[TOKENS].groupby(keys).sum().stack() for frame in (table, usd)]
    both = pd.concat(sums, axis=1, keys=["tokens", "usd"]).rename_axis(["day", "model", "kind"])
    return both[(both > 0).any(axis=1)].reset_index(), int((why != "").sum())


def _check_days(ours: pd.DataFrame, billed: pd.DataFrame) -> None:
    last, ends = ours["day"].max(), billed["day"].max()
    check(
        not ends or not len(ours) or ends >= last,
        f"the bill is stale: it ends on {ends} and the usage on {last}; export the bill again, or "
        f"leave out the usage after {ends}",
    )


def _same_names(ours: pd.DataFrame, billed: pd.DataFrame) -> tuple[pd.DataFrame, pd.DataFrame]:
    """Both with the model names of the usage: a bill says "Claude Haiku 4.5" or "gpt 4o"."""

    def bare(name: str) -> str:
        short = re.sub(r"(20\d{6}|20\d\d-\d\d-\d\d)", "", name.rsplit("/", 1)[-1].lower())
        return re.sub(r"[^a-z0-9]", "", short)

    names = {bare(name): name for name in sorted(ours["model"].unique(), reverse=True)}
    known = {m: names.get(bare(m), m) for m in billed["model"].unique()}
    ours = ours.assign(model=[names[bare(m)] for m in ours["model"]])
    return ours, billed.assign(model=billed["model"].map(known))


def _beside(ours: pd.DataFrame, billed: pd.DataFrame, by: list[str]) -> pd.DataFrame:
    """The lines of the usage and of the bill beside each other."""
    keys = by or ["all"]
    ours, billed = (t if by else t.assign(all="") for t in (ours, billed))
    left = ours.groupby(keys)[["tokens", "usd"]].sum()
    right = billed.groupby(keys)[["quantity", "usd"]].sum(min_count=1)
    both = left.join(right.rename(columns={"usd": "billed_usd"}), how="outer").reset_index()
    return both if by else both.drop(columns="all")


def _parts(
    lines: pd.DataFrame, by: list[str]
) -> tuple[dict[str, tuple[float, str]], tuple[float, str]]:
    """The parts of the bridge that the lines explain, and where most of the rest lies [USD]."""
    used, billed = lines["usd"].fillna(0.0), lines["billed_usd"].fillna(0.0)
    parts = {"tracked tokens": (float(used.sum()), "the usage at the price list of each day")}
    matched = (used > 0) & (billed > 0)
    off, same = _discount(lines[matched])
    if off:
        name, side = ("discount", "off") if off > 0 else ("surcharge", "above")
        why = f"{percent(abs(off))} {side} the list, on {same} lines"
        parts[name] = -off * float(used[matched].sum()), why
    alone, missing = lines["usd"].isna(), lines["billed_usd"].isna()
    if by and alone.any():
        names = ", ".join(map(str, lines.loc[alone, by[0]].unique()[:3]))
        why = f"no usage of {names}: other keys, projects or tools"
        parts["billed without usage"] = float(billed[alone].sum()), why
    if by and missing.any():
        parts["used and not billed"] = -float(used[missing].sum()), "free, or on another bill"
    both = lines[matched].assign(gap=billed[matched] - used[matched] * (1 - off))
    named: list[str] = [c for c in ("kind", "model") if c in by]
    if not named:
        return parts, (0.0, "")
    same_count = (both["quantity"] / both["tokens"] - 1).abs() <= SAME_COUNT
    apart = both["gap"].abs() > (SAME_COUNT * both["usd"]).clip(lower=CENT)
    total = float(billed.sum())
    beside = f", and other lines are at {1 - off:.2f} of it" if off else ""
    for name, sign in (("above the list", 1), ("below the list", -1)):
        dear = same_count & apart & (sign * both["gap"] > 0)
        if abs(usd := float(both.loc[dear, "gap"].sum())) > MATCHED * total:
            where = [text for _, text in _where(both[dear], named, "the list price")]
            parts[name] = usd, f"{', '.join(where[:3])}; the counts are equal{beside}"
            both = both[~dear]
            same_count, apart = same_count[~dear], apart[~dear]
    if "kind" in by:
        moved, both = _moved(both, by, off)
        parts |= moved
    rest = _where(both[both["gap"].abs() > CENT], named, "what was logged")
    return parts, rest[0] if rest else (0.0, "")


def _where(lines: pd.DataFrame, named: list[str], whole: str) -> list[tuple[float, str]]:
    """The gap of each class and model of these lines [USD], largest first, and in words what was
    billed over the whole, with its days.
    """
    found = []
    for _, group in lines.groupby(named):
        words = " of ".join(str(group[name].iloc[0]).replace("_", " ") for name in named)
        ratio = group["billed_usd"].sum() / group["usd"].sum()
        words += f" at {ratio:.2f} of {whole}"
        if "day" in group:
            days = sorted(group["day"].unique())
            more = f" on {len(days)} days ({days[0]} to {days[-1]})"
            words += f" on {days[0]}" if len(days) == 1 else more
        found.append((float(group["gap"].sum()), words))
    return sorted(found, key=lambda pair: -abs(pair[0]))


def _discount(matched: pd.DataFrame) -> tuple[float, int]:
    """The share off the list (below 0: above it) that lines of equal counts agree on, and how many
    they are.
    """
    counts = (matched["quantity"] / matched["tokens"] - 1).abs()
    ratio = (matched["billed_usd"] / matched["usd"])[~(counts > SAME_COUNT)]
    middle = float(ratio.median()) if len(ratio) >= LEAST_LINES else 1.0
    agree = int((abs(ratio - middle) < SAME_COUNT * middle).sum())
    apart = abs(1 - middle) > SAME_COUNT and 2 * agree > len(ratio)
    return (1 - middle, agree) if apart else (0.0, 0)


def _moved(
    matched: pd.DataFrame, by: list[str], off: float
) -> tuple[dict[str, tuple[float, str]], pd.DataFrame]:
    """Tokens that the usage counts in one class of input and the bill in another, and the lines
    without them.
    """
    prompt, usd = matched[matched["kind"].isin(TOKENS[:4])], 0.0
    said: Counter[tuple[str, str]] = Counter()
    for _, lines in prompt.groupby([c for c in by if c != "kind"] or (lambda _: 0)):
        apart = lines["quantity"] - lines["tokens"]
        if not lines["quantity"].sum() or abs(apart.sum()) > SAME_COUNT * lines["tokens"].sum():
            continue
        if apart.abs().max() > SAME_COUNT * lines["tokens"].sum():
            to, out = lines["kind"][apart.idxmax()], lines["kind"][apart.idxmin()]
            usd += float((lines["billed_usd"] - lines["usd"] * (1 - off)).sum())
            said[to, out] += apart.max()
            matched = matched.drop(lines.index)
    why = [f"{count:,.0f} tokens are billed as {to} and logged as {out}"
           for (to, out), count in said.most_common(3)]  # fmt: skip
    return ({"another class": (usd, "; ".join(why))} if said else {}), matched


def _sentence(
    usage: Usage, bridge: pd.DataFrame, total: float, unpriced: int, most: tuple[float, str]
) -> str:
    """The verdict: matched where no part is left that nothing explains, on either side.

    `most` says where the lines differ, which is named where it is most of the unexplained.
    """
    parts = bridge.set_index("part")
    usd, why = parts["usd"], parts["why"]
    said = f"USD {usd['tracked tokens']:,.2f} of USD {total:,.2f} is tracked"
    if usage.bound:
        said = f"At least {said} ({usage.bound})"
    if named := [NAMED.get(p, p) for p in usd.index[1:-1] if p not in DOUBTFUL]:
        said += f", together with {' and '.join(filter(None, [', '.join(named[:-1]), named[-1]]))}"
    if unpriced:
        said += f"; {unpriced:,} rows have no price"
    rest = usd["unexplained"]
    more = "is unexplained" if rest > 0 else "is tracked beyond the bill"
    if most[0] / (rest or 1.0) > MOST:
        more += f", most of it {most[1]}"
    asked = f". Were there {CAUSES if rest > 0 else BEYOND}?"
    doubtful = DOUBTFUL | {"unexplained": f"{more}{asked}"}
    doubtful |= {part: DOUBTFUL[part] + why[part] for part in WHERE if part in usd}
    left = [f"USD {abs(usd[part]):,.2f} ({percent(abs(usd[part]) / abs(total))}) {words}"
            for part, words in doubtful.items()
            if part in usd and abs(usd[part]) > MATCHED * abs(total)]  # fmt: skip
    end = ("" if left[-1].endswith(asked) else ".") if left else ": matched."
    if not left and (usage.bound or unpriced):
        end = "."
    return "; ".join([said, *left]) + end
