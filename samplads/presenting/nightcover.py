"""A plan for shared night cover as the tables, pictures and sentences of its page and of its business case."""

from __future__ import annotations

import dataclasses
import datetime as dt
import math
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import Any

import altair as alt
import polars as pl

from samplads import i18n
from samplads.nightcover import overlap, plan, post_cost, rules, savings
from samplads.nightcover.finder import Found
from samplads.nightcover.plan import Candidates, Couple, FrontierPoint, NightPlan
from samplads.presenting import charts, formats, tables, theme

Names = Mapping[str, str]
"""Municipality code -> name."""

MINUTES = tables.Column("travel_minutes", "number", "minutes", width=100)
OVERLAPS = tables.Column("overlaps_per_year", "number", decimals=1, width=120)
COUPLE_COLUMNS: tuple[str | tables.Column, ...] = (
    tables.Column("nr", "whole", width=40),
    tables.Column("units_named", width=395),
    tables.Column("travel_minutes", "number", "minutes", width=92),
    tables.Column("saving_ore", "money", "kr_per_year", width=130),
    tables.Column("net_ore", "money", "kr_per_year", width=150),
    tables.Column("overlaps_per_year", "number", decimals=1, width=112),
    tables.Column("verdicts", width=125),
    tables.Column("net_by_municipality", width=330),
    tables.Column("wait_p95", "number", "minutes", width=130),
    tables.Column("break_even_calls", "number", decimals=1, width=190),
    tables.Column("payback", width=130),
    tables.Column("net_payback", width=190),
)
"""Columns of `couples` as the page shows them."""

COUPLE_MORE: tuple[str | tables.Column, ...] = (
    "unit_ids",
    "verdicts_named",
    tables.Column("km", "km", "km"),
    tables.Column("shared_hours", "number", "hours", decimals=1),
    tables.Column("posts_ore", "money", "kr_per_year"),
    tables.Column("call_out_ore", "money", "kr_per_year"),
    tables.Column("driving_ore", "money", "kr_per_year"),
    tables.Column("gear_ore", "money", "kr_per_year"),
    "one_off_ore",
    tables.Column("payback_months", "whole"),
    tables.Column("net_payback_months", "whole"),
    "present_value_ore",
    "net_present_value_ore",
    tables.Column("chance_pct", "percent", "percent"),
    tables.Column("wait_mean", "number", "minutes"),
    tables.Column("uncovered_minutes", "number", "minutes"),
    "couple_status",
)
"""What an export of couplings tells beyond the screen."""


def word(key: str, language: str, **values: object) -> str:
    """A text of the page's own area."""
    return i18n.text(f"nightcover_page.{key}", language, **values)


def rule_name(rule: str, language: str) -> str:
    """A rule with its id: "W7 Nattevagtens længde"."""
    return f"{rule} {i18n.text(f'nightcover.rules.{rule}', language)}"


@cache
def _sentences() -> dict[str, str]:
    """The rule files' own sentences in English, with their keys in the catalogue."""
    return {text: key for key, text in i18n.catalogue("en").items() if key.startswith("nightcover_page.why.")}


def source(told: str, name: str, language: str) -> str:
    """Where a value stands, in the reader's language; a value that no source gives says the word assumption.

    A rule file's own sentence is translated while it is the one we know (the English text of `why.<name>`); edited, it is shown as it is.
    """
    bare = told.removeprefix("assumption").lstrip(": ")
    # Sets of terms give different sources for one term: a sentence that is not the name's own may be another's.
    keys = (f"nightcover_page.why.{name}", _sentences().get(bare, ""))
    shown = next((i18n.text(why, language) for why in keys if i18n.has(why, "en") and i18n.text(why, "en") == bare), bare)
    if not told.startswith("assumption"):
        return shown
    assumed = i18n.text("ui.assumptions.assumption", language)
    return f"{assumed}: {shown}" if shown else assumed


# --- sentences ---------------------------------------------------------------------------------------------------------------------------


def answer(best: NightPlan, language: str) -> str:
    """The plan in one sentence; where nothing can be shared, why."""
    if not best.couples:
        states = dict(best.candidates.pairs.group_by("status").len().iter_rows())
        lawful = best.candidates.pairs.filter(pl.col("status").is_in(["pass", "warn"]))
        if lawful.height:
            reason = "not_chosen" if lawful["saving_ore"].max() > 0 else "too_dear"  # type: ignore[operator]  # a whole number
            return i18n.text(f"nightcover.{reason}", language, lawful=formats.number(lawful.height, language))
        counts = {"pairs": best.candidates.pairs.height, "failed": states.get("fail", 0), "unknown": states.get("unknown", 0)}
        return i18n.text("nightcover.nothing", language, **{name: formats.number(n, language) for name, n in counts.items()})
    return formats.plural(
        len(best.couples),
        "nightcover_page.answer",
        language,
        saving=formats.millions(best.saving_ore, language),
        net=formats.millions(best.net_ore, language),
        overlaps=formats.number(best.overlaps_per_year, language, 1),
    )


def proof(best: NightPlan, language: str) -> str:
    """How sure it is that no other plan saves more."""
    return i18n.text(f"nightcover.proof.{best.proof.status}", language, gap=formats.percent(best.proof.gap_pct, language, 2))


def considered(best: NightPlan, language: str) -> str:
    """How many units were looked at, and what became of the pairs within reach."""
    pairs = best.candidates.pairs
    states = dict(pairs.group_by("status").len().iter_rows())
    counts = {
        "units": len(best.candidates.nights.members),
        "pairs": pairs.height,
        "lawful": states.get("pass", 0) + states.get("warn", 0),
        "unknown": states.get("unknown", 0),
        "failed": states.get("fail", 0),
    }
    return word("considered", language, **{name: formats.number(n, language) for name, n in counts.items()})


def open_units(found: Candidates) -> int:
    """Units in at least one pair whose only obstacle is an unanswered question."""
    asked = found.pairs.filter(pl.col("status") == "unknown")
    return pl.concat([asked["unit_a"], asked["unit_b"]]).n_unique()


def worth_asking(found: Candidates, more_ore: int, language: str) -> str | None:
    """How many units have questions open, and what answering them is worth; None where nothing is open."""
    units = open_units(found)
    if not units:
        return None
    amount = formats.millions(more_ore, language)
    return formats.plural(
        units, "nightcover_page.worth_asking" if more_ore > 0 else "nightcover_page.nothing_to_ask", language, more=amount
    )


def break_even(best: NightPlan, calls: Sequence[float | None], language: str) -> str | None:
    """Up to how many calls a night the plan's most sensitive coupling pays, and how often it is called now."""
    rated = [(limit, couple) for limit, couple in zip(calls, best.couples, strict=True) if limit is not None]
    if not rated:
        return word("break_even.always", language) if best.couples else None
    limit, couple = min(rated, key=lambda pair: (pair[0], pair[1].unit_ids))
    now = couple.risk.incidents_per_year / plan.NIGHTS
    return word(
        "break_even.told",
        language,
        calls=formats.number(limit, language, 1),
        units=formats.listing(couple.names, language),
        now=formats.number(now, language, 2),
    )


# --- tables ------------------------------------------------------------------------------------------------------------------------------


def _worst(couple: Couple) -> dict[str, rules.Outcome]:
    """Each rule once, with its worst outcome among the coupling's units."""
    worst: dict[str, rules.Outcome] = {}
    for verdict in couple.verdicts:
        worst[verdict.rule] = max(worst.get(verdict.rule, "pass"), verdict.outcome, key=rules.OUTCOMES.index)
    return worst


def verdict_line(couple: Couple, language: str) -> str:
    """The rules of a coupling in a line: "! W7 Nattevagtens længde · ✓ 19 andre"."""
    order = sorted(_worst(couple).items(), key=lambda item: (-rules.OUTCOMES.index(item[1]), item[0]))
    parts = [f"{theme.VERDICT_SIGNS[outcome]} {rule_name(rule, language)}" for rule, outcome in order if outcome != "pass"]
    kept = len(order) - len(parts)
    return " · ".join([*parts, f"{theme.VERDICT_SIGNS['pass']} {word('kept', language, n=kept)}"])


def verdict_count(couple: Couple) -> str:
    """The rules of a coupling by their signs: "✓ 19 · ! 2"; which they are stands with the coupling's details."""
    worst = list(_worst(couple).values())
    counts = {outcome: worst.count(outcome) for outcome in rules.OUTCOMES}
    return " · ".join(f"{theme.VERDICT_SIGNS[outcome]} {count}" for outcome, count in counts.items() if count)


def payback(month: int | None, language: str) -> str:
    """When something is paid back: "14 måneder", or that it never is."""
    return word("never_paid_back", language) if month is None else formats.plural(month, "nightcover_page.months", language)


def net_by_municipality(couple: Couple, names: Names, language: str) -> str:
    """Who saves what in a coupling, net of refund: "Køge 262.000 kr., Greve 80.000 kr."."""
    told = savings.by_municipality(couple.gains)
    return ", ".join(
        f"{names.get(code, code)} {formats.kr(net, language)}" for code, net in told.select("municipality", "net_ore").iter_rows()
    )


def couples(best: NightPlan, calls: Sequence[float | None], names: Names, language: str) -> pl.DataFrame:
    """One row a coupling of the plan, the largest saving first: `COUPLE_COLUMNS`, `COUPLE_MORE`. `calls`: break-even calls a night."""
    rows = [
        {
            "nr": nr,
            "units_named": formats.listing(couple.names, language),
            "unit_ids": ", ".join(couple.unit_ids),
            "travel_minutes": couple.minutes,
            "km": couple.km,
            "shared_hours": couple.shared_minutes / 60,
            "saving_ore": couple.saving_ore,
            "net_ore": couple.net_ore,
            "net_by_municipality": net_by_municipality(couple, names, language),
            "overlaps_per_year": couple.risk.overlaps_per_year,
            "chance_pct": 100 * couple.risk.chance_per_year,
            "wait_mean": couple.risk.wait_minutes,
            "wait_p95": couple.risk.wait_minutes_p95,
            "uncovered_minutes": couple.risk.uncovered_minutes,
            "break_even_calls": float("inf") if limit is None else limit,
            "payback": payback(couple.payback_month, language),
            "net_payback": payback(couple.net_payback_month, language),
            "payback_months": couple.payback_month,
            "net_payback_months": couple.net_payback_month,
            "posts_ore": couple.posts_ore,
            "call_out_ore": couple.call_out_ore,
            "driving_ore": couple.driving_ore,
            "gear_ore": couple.gear_ore,
            "one_off_ore": couple.one_off_ore,
            "present_value_ore": couple.present_value_ore,
            "net_present_value_ore": couple.net_present_value_ore,
            "couple_status": i18n.text(f"nightcover.status.{couple.status}", language),
            "verdicts": verdict_count(couple),
            "verdicts_named": verdict_line(couple, language),
        }
        for nr, (couple, limit) in enumerate(zip(best.couples, calls, strict=True), 1)
    ]
    months = {"payback_months": pl.Int64, "net_payback_months": pl.Int64}
    schema: dict[str, Any] = {"nr": pl.Int64, "break_even_calls": pl.Float64, **months}
    texts = ("units_named", "unit_ids", "net_by_municipality", "couple_status", "verdicts", "verdicts_named", "payback", "net_payback")
    if not rows:
        keys = [spec if isinstance(spec, str) else spec.key for spec in (*COUPLE_COLUMNS, *COUPLE_MORE)]
        return pl.DataFrame(schema={key: pl.String if key in texts else schema.get(key, pl.Float64) for key in keys})
    return pl.DataFrame(rows, schema_overrides=schema)


VERDICT_COLUMNS: tuple[str | tables.Column, ...] = (
    tables.Column("sign", width=50),
    tables.Column("night_rule", width=330),
    tables.Column("rule_kind", width=100),
    tables.Column("unit_name", width=180),
    tables.Column("found_value", width=120),
    tables.Column("rule_limit", width=120),
    tables.Column("source", width=320),
)


_CHOICES = {"W10": "danger_met_by", "S4": "approval_status", "S5": "night_cover"}
"""Rules whose value is one of a contract's choices."""


def counted(value: float | str, unit: str, language: str) -> str:
    """A figure with what it is counted in: "11 timer", "75 %"; text (a span such as "5-12") is taken as it stands."""
    if unit == "share" and not isinstance(value, str):
        return formats.percent(100 * value, language)
    written = value if isinstance(value, str) else formats.typed(round(value, 1), language)
    key = f"nightcover.unit.{unit}.{'one' if value == 1 else 'other'}"
    return i18n.text(key, language, n=written) if i18n.has(key, language) else written


def _valued(rule: str, value: float | str | None, unit: str, language: str, groups: Names) -> str:
    """A verdict's value or limit in words."""
    if value is None:
        return "–"
    if not isinstance(value, str):
        return counted(value, unit, language)
    if rule in _CHOICES:
        return formats.choice(_CHOICES[rule], value, language)
    if value in {"yes", "no"}:
        return formats.yes_no(value == "yes", language)
    if i18n.has(f"nightcover.values.{value}", language):
        return i18n.text(f"nightcover.values.{value}", language)
    return counted(value, unit, language) if rule == "W14" else groups.get(value, value)


def verdicts(couple: Couple, language: str, groups: Names | None = None) -> pl.DataFrame:
    """Every verdict of a coupling, the worst first: `VERDICT_COLUMNS`, and the outcome in words. `groups`: target group code -> name."""
    named = dict(zip(couple.unit_ids, couple.names, strict=True))
    ordered = sorted(couple.verdicts, key=lambda verdict: -rules.OUTCOMES.index(verdict.outcome))
    rows = []
    for verdict in ordered:
        value, limit = (_valued(verdict.rule, told, verdict.unit, language, groups or {}) for told in (verdict.value, verdict.limit))
        rows.append(
            {
                "sign": theme.VERDICT_SIGNS[verdict.outcome],
                "outcome": i18n.text(f"nightcover.status.{verdict.outcome}", language),
                "night_rule": rule_name(verdict.rule, language),
                "rule_kind": i18n.text(f"nightcover.rule_kind.{'hard' if verdict.hard else 'soft'}", language),
                "unit_name": word("whole_coupling", language) if verdict.unit_id is None else named.get(verdict.unit_id, verdict.unit_id),
                "found_value": value,
                "rule_limit": limit,
                "source": source(verdict.source, verdict.rule, language),
            }
        )
    return pl.DataFrame(rows)


def rule_limit(rule: str, limits: rules.Limits, ceiling: float | None, language: str) -> str:
    """What a rule is held against, in words: "11 timer", "35 timer, højst 6 døgn imellem", "afdelingens egen grænse"."""
    key = f"nightcover.limit_text.{rule}"
    figures = {
        name.replace(f"{rule}_", "").replace(rule, "n"): counted(limit.value, limit.unit, language)
        for name, limit in limits.items()
        if limit.value is not None and (name == rule or name.startswith(f"{rule}_"))
    }
    if rule == "S7":
        return word("no_ceiling", language) if ceiling is None else counted(ceiling, limits["S7"].unit, language)
    return i18n.text(key, language, **figures) if i18n.has(key, language) else figures.get("n", "–")


def rules_checked(best: NightPlan, language: str) -> pl.DataFrame:
    """Every rule with its limit, how many couplings of the plan keep it, are to be looked into, or lack an answer; for the business case.

    A rule that asks nothing of these couplings (no post is on call, nobody is regional) has zeros.
    """
    given = best.candidates.nights.assumptions
    counts: dict[str, dict[str, int]] = {rule: dict.fromkeys(rules.OUTCOMES, 0) for rule in (*rules.HARD, *rules.SOFT)}
    for couple in best.couples:
        for rule, outcome in _worst(couple).items():
            counts[rule][outcome] += 1
    rows = [
        {
            "night_rule": rule_name(rule, language),
            "rule_kind": i18n.text(f"nightcover.rule_kind.{'hard' if rule in rules.HARD else 'soft'}", language),
            "rule_limit": rule_limit(rule, given.limits, given.max_overlaps, language),
            "kept_by": count["pass"],
            "warned_in": count["warn"],
            "unanswered_in": count["unknown"],
            "source": source(given.limits[rule].source, rule, language),
        }
        for rule, count in counts.items()
    ]
    numbers = ("kept_by", "warned_in", "unanswered_in")
    keys = ("night_rule", "rule_kind", "rule_limit", *numbers, "source")
    return pl.DataFrame(rows, schema={key: pl.Int64 if key in numbers else pl.String for key in keys})


ASSUMPTION_KEYS = ("assumption_part", "assumption", "value", "standing_value", "source")
_DEFAULTS = {field.name: field.default for field in dataclasses.fields(plan.Assumptions)}


def _calendar(terms: post_cost.Terms, language: str) -> str:
    told = terms.calendar
    if isinstance(told, post_cost.RealYear):
        return word("calendar.real", language, year=str(told.year), country=told.country)
    counts = {name: formats.number(value, language) for name, value in vars(told).items()}
    return word("calendar.stylised", language, **counts)


def _clock(minute: int) -> str:
    return f"{minute // 60 % 24:02d}.{minute % 60:02d}" if minute != post_cost.DAY else "24.00"


def choices(
    given: plan.Assumptions,
    language: str,
    *,
    own_pay: bool = True,
    price_ore: int = 0,
    terms_title: str | None = None,
    valid_from: dt.date | None = None,
    travel_pairs: int = 0,
) -> pl.DataFrame:
    """What a plan rests on beside figures: terms, calendar, clock hours, who may share with whom, and recorded answers.

    Columns `ASSUMPTION_KEYS`, all texts; standing_value is told where the choice is another than the usual.
    """

    def yes_no(answer: bool | None) -> str:
        return formats.yes_no(answer, language)

    def ceiling(most: float | None) -> str:
        return word("no_ceiling", language) if most is None else formats.typed(most, language)

    def shared(way: str) -> str:
        return i18n.text(f"nightcover.sharing.{way}", language)

    chosen, here = word("part.choices", language), word("chosen_here", language)
    usual = _DEFAULTS
    in_force = here if valid_from is None else word("valid_from", language, day=formats.date(valid_from, language))
    rows = [
        ("terms", terms_title or given.terms.name, "", in_force),
        ("year", _calendar(given.terms, language), "", word("calendar.source", language)),
        ("own_pay", yes_no(own_pay), yes_no(True), here),
        ("size", word("pick.size_text", language, n=given.group_size), word("pick.size_text", language, n=usual["group_size"]), here),
        ("ceiling", ceiling(given.max_overlaps), ceiling(None), here),
        ("sharing", shared(given.sharing), shared(str(usual["sharing"])), here),
        ("every_unit", yes_no(not given.single_person_only), yes_no(False), here),
        ("unknown", yes_no(given.allow_unknown), yes_no(False), here),
        ("price", price_name(price_ore, language), price_name(0, language), here),
        ("law", word(f"law.{given.law}", language), word("law.fixed", language), here),
        ("health_check_before", yes_no(given.practice.health_check_before), "", here),
        ("rest_agreement", yes_no(given.practice.rest_agreement), "", here),
        ("travel", word("travel.pairs", language, n=formats.number(travel_pairs, language)), "", here),
    ]
    named = [(word(f"pick.{key}", language), value, standing, where) for key, value, standing, where in rows]
    for window in given.terms.windows:
        label = f"nightcover_page.assumptions.supplement_{window.name}"
        name = i18n.text(label, language).removesuffix("(%)").strip() if i18n.has(label, language) else window.name
        hours = word(f"days.{window.days}", language, start=_clock(window.start), end=_clock(window.end))
        named.append((word("window", language, name=name), hours, "", in_force))
    told = [(chosen, name, value, standing if standing != value else "", where) for name, value, standing, where in named]
    return pl.DataFrame(told, schema=dict.fromkeys(ASSUMPTION_KEYS, pl.String), orient="row")


LEAST_SHOWN = 5
"""Persons below which a count is not shown outside the municipality whose they are."""


def _few(count: int, own: bool, language: str) -> str:
    return word("under", language, n=LEAST_SHOWN) if 0 < count < LEAST_SHOWN and not own else formats.number(count, language)


def hidden(counts: Sequence[int], codes: Sequence[str], own: str | None, language: str) -> list[str]:
    """Counts of persons by municipality as texts, and their sum at the end: "under 5" outside one's own, and then no sum either, since it
    would give the hidden count back.
    """
    shown = [_few(count, code == own, language) for count, code in zip(counts, codes, strict=True)]
    told = all(code == own or not 0 < count < LEAST_SHOWN for count, code in zip(counts, codes, strict=True))
    return [*shown, formats.number(sum(counts), language) if told else word("hidden", language)]


MONEY_COLUMNS: tuple[str | tables.Column, ...] = (
    "municipality_name",
    tables.Column("stays"),
    tables.Column("gross_ore", "money", "kr_per_year"),
    tables.Column("refund_lost_ore", "money", "kr_per_year"),
    tables.Column("net_ore", "money", "kr_per_year"),
    tables.Column("unknown_stays"),
)


def by_municipality(best: NightPlan, names: Names, language: str, own: str | None = None) -> pl.DataFrame:
    """Who gains: one row a paying municipality, the largest net gain first, and the sum of all at the end.

    `own`: the municipality whose small counts of persons are shown; elsewhere they are hidden (see `hidden`).
    """
    found = best.by_municipality
    keys = ("municipality_name", "stays", "gross_ore", "refund_lost_ore", "net_ore", "unknown_stays")
    if found.is_empty():
        return pl.DataFrame(schema={key: pl.Int64 if key.endswith("_ore") else pl.String for key in keys})
    codes = found["municipality"].to_list()
    money = found.select("gross_ore", "refund_lost_ore", "net_ore")
    money = pl.concat([money, money.sum()])
    counts = {
        key: pl.Series(key, hidden(found[column].to_list(), codes, own, language))
        for key, column in (("stays", "cases"), ("unknown_stays", "unknown_cases"))
    }
    named = pl.Series("municipality_name", [*(names.get(code, code) for code in codes), word("total", language)])
    return money.with_columns(named, *counts.values()).select(keys)


SHARE_COLUMNS: tuple[str | tables.Column, ...] = (
    tables.Column("nr", width=45),
    tables.Column("unit_name", width=230),
    "municipality_name",
    tables.Column("alone_ore", "money", "kr_per_year"),
    tables.Column("by_cost_ore", "money", "kr_per_year"),
    tables.Column("equal_ore", "money", "kr_per_year"),
    tables.Column("shapley_ore", "money", "kr_per_year"),
    tables.Column("dearer", width=200),
)


def _dearer(share: Mapping[str, Any], language: str) -> str:
    """The ways of sharing by which a unit would pay more than alone: a sign and words; empty where there is none."""
    ways = [i18n.text(f"nightcover.sharing.{way}", language) for way in plan.SHARING if share[f"dearer_{way}"]]
    return f"{theme.VERDICT_SIGNS['warn']} {word('dearer', language)}: {', '.join(ways)}" if ways else ""


def shares(best: NightPlan, names: Names, language: str) -> pl.DataFrame:
    """The saving shared between the units in three ways, side by side, with the sums at the end: each way's parts are the whole saving."""
    rows = [
        {
            "nr": str(nr),
            "unit_name": couple.names[at],
            "municipality_name": names.get(couple.municipalities[at], couple.municipalities[at]),
            **{key: share[key] for key in ("alone_ore", "by_cost_ore", "equal_ore", "shapley_ore")},
            "dearer": _dearer(share, language),
        }
        for nr, couple in enumerate(best.couples, 1)
        for at, share in enumerate(couple.shares.iter_rows(named=True))
    ]
    keys = [spec if isinstance(spec, str) else spec.key for spec in SHARE_COLUMNS]
    schema = {key: pl.String if key in ("nr", "dearer") or key.endswith("_name") else pl.Int64 for key in keys}
    told = pl.DataFrame(rows, schema=schema)
    if told.is_empty():
        return told
    total = told.select(
        pl.lit("").alias("nr"),
        pl.lit(word("total", language)).alias("unit_name"),
        pl.lit("").alias("municipality_name"),
        pl.col("alone_ore", "by_cost_ore", "equal_ore", "shapley_ore").sum(),
        pl.lit("").alias("dearer"),
    )
    return pl.concat([told, total])


CASE_COLUMNS: tuple[str | tables.Column, ...] = (
    tables.Column("nr", "whole", width=45),
    "unit_name",
    "municipality_name",
    *MONEY_COLUMNS[2:5],
    tables.Column("payer_known", "flag"),
)


def _sums(gain: savings.Gain) -> tuple[int, int, int, bool]:
    return gain.gross_ore, gain.refund_lost_ore, gain.net_ore, gain.known


def cases(best: NightPlan, names: Names) -> pl.DataFrame:
    """Each stay behind the net saving: rows about persons, shown only to somebody who has said who they are."""
    rows = [
        (nr, couple.names[couple.unit_ids.index(gain.unit_id)], names.get(gain.municipality, gain.municipality), *_sums(gain))
        for nr, couple in enumerate(best.couples, 1)
        for gain in couple.gains
    ]
    keys = [spec if isinstance(spec, str) else spec.key for spec in CASE_COLUMNS]
    kinds = (pl.Int64, pl.String, pl.String, pl.Int64, pl.Int64, pl.Int64, pl.Boolean)
    return pl.DataFrame(rows, schema=dict(zip(keys, kinds, strict=True)), orient="row")


ASK_COLUMNS: tuple[str | tables.Column, ...] = (
    tables.Column("units_named", width=320),
    MINUTES,
    tables.Column("saving_ore", "money", "kr_per_year", width=120),
    OVERLAPS,
    tables.Column("unanswered", width=420),
)


def to_ask(found: Candidates, language: str) -> pl.DataFrame:
    """Pairs that only an unanswered question holds back, the largest saving first: which rules nobody has answered for."""
    named = dict(zip(found.nights.ids, found.nights.names, strict=True))
    asked = found.pairs.filter((pl.col("status") == "unknown") & (pl.col("saving_ore") > 0))
    asked = asked.sort(["saving_ore", "unit_a", "unit_b"], descending=[True, False, False])
    return asked.with_columns(
        pl.col("minutes").alias("travel_minutes"),
        pl.Series("units_named", _pair_names(asked, named, language), dtype=pl.String),
        pl.Series(
            "unanswered",
            [", ".join(rule_name(rule, language) for rule in rules_) for rules_ in asked["unknown"].to_list()],
            dtype=pl.String,
        ),
    )


def _pair_names(pairs: pl.DataFrame, named: Names, language: str) -> list[str]:
    return [formats.listing([named.get(a, a), named.get(b, b)], language) for a, b in pairs.select("unit_a", "unit_b").iter_rows()]


def unit_options(found: Candidates) -> dict[str, str]:
    """Every unit with a night post that could be shared, id -> "name (id)", by name."""
    named = sorted(zip(found.nights.names, found.nights.ids, strict=True))
    return {unit: f"{name} ({unit})" for name, unit in named}


def pair_options(found: Candidates) -> dict[str, str]:
    """Every pair within reach that no rule forbids, code "A|B" -> "name + name (A + B)"."""
    named = dict(zip(found.nights.ids, found.nights.names, strict=True))
    lawful = found.pairs.filter(pl.col("status") != "fail").sort(["saving_ore", "unit_a", "unit_b"], descending=[True, False, False])
    return {f"{a}|{b}": f"{named[a]} + {named[b]} ({a} + {b})" for a, b in lawful.select("unit_a", "unit_b").iter_rows()}


COLOCATION_COLUMNS: tuple[str | tables.Column, ...] = (
    tables.Column("units_named", width=330),
    tables.Column("travel_minutes", "number", "minutes", width=95),
    tables.Column("saving_ore", "money", "kr_per_year", width=140),
    tables.Column("sharing_now", width=140),
    tables.Column("one_off_ore", "money", "kr", width=130),
    tables.Column("payback", width=120),
    tables.Column("overlaps_per_year", "number", decimals=1, width=120),
    tables.Column("couple_status", width=130),
    tables.Column("verdicts", width=320),
)


def co_locations(told: pl.DataFrame, named: Names, language: str) -> pl.DataFrame:
    """`plan.co_locations` in words: `COLOCATION_COLUMNS`. `named`: unit_id -> name."""
    cannot = word("variant.cannot", language)
    return told.with_columns(
        pl.Series("units_named", _pair_names(told, named, language), dtype=pl.String),
        pl.col("minutes").alias("travel_minutes"),
        pl.Series("sharing_now", [cannot if ore is None else formats.kr(ore, language) for ore in told["sharing_ore"]], dtype=pl.String),
        pl.Series("payback", [payback(month, language) for month in told["payback_months"]], dtype=pl.String),
        pl.Series("couple_status", [i18n.text(f"nightcover.status.{one}", language) for one in told["status"]], dtype=pl.String),
        pl.Series("verdicts", _marks(told.with_columns(pl.lit([], dtype=pl.List(pl.String)).alias("failed")), language), dtype=pl.String),
    )


RISK_COLUMNS: tuple[str | tables.Column, ...] = (
    tables.Column("nr", "whole", width=40),
    tables.Column("units_named", width=310),
    tables.Column("overlaps_per_year", "number", decimals=1, width=105),
    tables.Column("chance_pct", "percent", "percent", width=225),
    tables.Column("wait_mean", "number", "minutes", decimals=1, width=165),
    tables.Column("wait_p95", "number", "minutes", width=165),
    tables.Column("uncovered_minutes", "number", "minutes", width=220),
    tables.Column("played_overlaps", width=160),
    tables.Column("played_wait", width=185),
    tables.Column("played_uncovered", width=190),
)


def _interval(told: overlap.Estimate, language: str, decimals: int) -> str:
    """A simulated figure with its interval: "3,1 (2,9-3,3)"."""
    value, low, high = (formats.number(figure, language, decimals) for figure in (told.value, told.low, told.high))
    return f"{value} ({low}-{high})"


def risks(best: NightPlan, played: Sequence[overlap.Simulated], language: str) -> pl.DataFrame:
    """The risk of each coupling by the closed forms, and beside it as simulated with its 95 % interval: `RISK_COLUMNS`."""
    rows = [
        (
            nr,
            formats.listing(couple.names, language),
            couple.risk.overlaps_per_year,
            100 * couple.risk.chance_per_year,
            couple.risk.wait_minutes,
            couple.risk.wait_minutes_p95,
            couple.risk.uncovered_minutes,
            _interval(found.overlaps_per_year, language, 1),
            _interval(found.wait_minutes, language, 1),
            _interval(found.uncovered_minutes, language, 0),
        )
        for nr, (couple, found) in enumerate(zip(best.couples, played, strict=True), 1)
    ]
    keys = [spec if isinstance(spec, str) else spec.key for spec in RISK_COLUMNS]
    texts = {"units_named", "played_overlaps", "played_wait", "played_uncovered"}
    schema = {key: pl.Int64 if key == "nr" else pl.String if key in texts else pl.Float64 for key in keys}
    return pl.DataFrame(rows, schema=schema, orient="row")


def beyond(best: NightPlan, language: str) -> str | None:
    """Couplings whose waits are longer than is reckoned; None where there are none."""
    late = [formats.listing(couple.names, language) for couple in best.couples if couple.risk.mean_is_least]
    hours = formats.number(overlap.LARGEST_GRID / 60, language)
    return word("risk.beyond", language, units="; ".join(late), hours=hours) if late else None


PARTNER_COLUMNS: tuple[str | tables.Column, ...] = (
    tables.Column("unit_name", width=225),
    tables.Column("travel_minutes", "number", "minutes", width=90),
    tables.Column("saving_ore", "money", "kr_per_year", width=130),
    tables.Column("cost_to_plan_ore", "money", "kr_per_year", width=145),
    tables.Column("overlaps_per_year", "number", decimals=1, width=110),
    tables.Column("in_best_plan", "flag", width=70),
    tables.Column("verdicts", width=340),
)


def partners(told: pl.DataFrame, named: Names, language: str) -> pl.DataFrame:
    """`plan.partners` in words: `PARTNER_COLUMNS`. `named`: unit_id -> name."""
    return told.with_columns(
        pl.col("minutes").alias("travel_minutes"),
        pl.Series("unit_name", [named.get(unit, unit) for unit in told["partner"]], dtype=pl.String),
        pl.Series("couple_status", [i18n.text(f"nightcover.status.{one}", language) for one in told["status"]], dtype=pl.String),
        pl.Series("verdicts", _marks(told, language), dtype=pl.String),
    )


def _marks(told: pl.DataFrame, language: str) -> list[str]:
    """The rules of pairs that are not simply kept, the worst first; a tick where all are."""
    outcomes = {"failed": "fail", "unknown": "unknown", "warned": "warn"}
    return [
        " · ".join(f"{theme.VERDICT_SIGNS[outcomes[column]]} {rule_name(rule, language)}" for column in outcomes for rule in row[column])
        or theme.VERDICT_SIGNS["pass"]
        for row in told.select(*outcomes).iter_rows(named=True)
    ]


FINDER_COLUMNS: tuple[str | tables.Column, ...] = (
    tables.Column("nr", "whole", width=45),
    tables.Column("units_named", width=300),
    MINUTES,
    tables.Column("yearly_ore_a", "money", "kr_per_year"),
    tables.Column("yearly_ore_b", "money", "kr_per_year"),
    tables.Column("common_groups", "whole"),
    tables.Column("saving_ore", "money", "kr_per_year"),
    OVERLAPS,
    tables.Column("couple_status", width=120),
    tables.Column("verdicts", width=320),
)


def finder_pairs(found: Found, named: Names, language: str) -> pl.DataFrame:
    """The finder's pairs, best first. `named`: unit_id -> name."""
    told = found.pairs
    marks = _marks(told, language)
    return told.with_columns(
        pl.col("minutes").alias("travel_minutes"),
        pl.int_range(1, pl.len() + 1).alias("nr"),
        pl.Series("units_named", _pair_names(told, named, language), dtype=pl.String),
        pl.Series("couple_status", [i18n.text(f"nightcover.status.{one}", language) for one in told["status"]], dtype=pl.String),
        pl.Series("verdicts", marks, dtype=pl.String),
    )


def reason(code: str, language: str) -> str:
    """Why a unit cannot share, in words; `rule:<id>` names the rule."""
    if code.startswith("rule:"):
        return word("breaks", language, rule=rule_name(code.removeprefix("rule:"), language))
    return i18n.text(f"nightcover.reasons.{code}", language)


def finder_reasons(found: Found, language: str) -> pl.DataFrame:
    """Reason by reason how many units, and the sum: every unit asked about is counted once."""
    told = found.counts.select(
        pl.Series("why", [reason(code, language) for code in found.counts["reason"]], dtype=pl.String), pl.col("units").cast(pl.Int64)
    )
    total = pl.DataFrame({"why": [word("total", language)], "units": [told["units"].sum()]}, schema={"why": pl.String, "units": pl.Int64})
    return pl.concat([told, total])


# --- saving against risk -----------------------------------------------------------------------------------------------------------------


def price_name(price_ore: int, language: str) -> str:
    """What an overlapping incident is made to count for, as a choice."""
    if price_ore == 0:
        return word("price.none", language)
    return word("price.told", language, amount=formats.kr(price_ore, language))


FRONTIER_COLUMNS: tuple[str | tables.Column, ...] = (
    tables.Column("frontier_plan", width=300),
    tables.Column("couplings", "whole"),
    tables.Column("saving_ore", "money", "kr_per_year"),
    OVERLAPS,
    "in_force",
)


def frontier(points: Sequence[FrontierPoint], best: NightPlan, language: str) -> pl.DataFrame:
    """The efficient plans, ascending risk: `FRONTIER_COLUMNS` and price_ore; in_force says which of them is on the page."""
    rows = []
    for point in points:
        here = point.saving_ore == best.saving_ore and abs(point.overlaps_per_year - best.overlaps_per_year) < 1e-6
        rows.append(
            {
                "frontier_plan": price_name(point.price_ore, language),
                "price_ore": point.price_ore,
                "couplings": point.couples,
                "saving_ore": point.saving_ore,
                "overlaps_per_year": point.overlaps_per_year,
                "in_force": word("in_force" if here else "other_plan", language),
            }
        )
    kinds = (pl.String, pl.Int64, pl.Int64, pl.Int64, pl.Float64, pl.String)
    keys = ("frontier_plan", "price_ore", "couplings", "saving_ore", "overlaps_per_year", "in_force")
    return pl.DataFrame(rows, schema=dict(zip(keys, kinds, strict=True)))


# --- what moves the saving ---------------------------------------------------------------------------------------------------------------


def assumed_value(name: str, value: float, language: str) -> str:
    """One value of a tornado's assumption as it is written."""
    if name.endswith("_factor"):
        return formats.percent(100 * value, language)
    if name.startswith("share_"):
        return formats.percent(100 * value, language)
    if name.endswith("_ore"):
        return formats.kr(value, language)
    written = formats.number(value, language, 1)
    if name.endswith("_pct"):
        return formats.percent(value, language, 1)
    unit = "minutes" if "minutes" in name else _TORNADO_UNITS.get(name)
    return f"{written}{formats.NARROW}{i18n.text(f'units.{unit}', language)}" if unit else written


_TORNADO_UNITS = {
    "speed_kmh": "km_per_hour",
    "equipment_years": "years",
    "colocation_years": "years",
    "gross_hours": "hours",
    "hours_a_day": "hours",
    "extra_holiday_hours": "hours",
    **dict.fromkeys(("sick_days", "holiday_days", "public_holiday_days", "other_absence_days"), "days"),
}


TORNADO_COLUMNS: tuple[str | tables.Column, ...] = (
    tables.Column("assumption", width=220),
    "low_value",
    "base_value",
    "high_value",
    tables.Column("at_low_ore", "money", "kr_per_year"),
    tables.Column("at_high_ore", "money", "kr_per_year"),
    tables.Column("swing_ore", "money", "kr_per_year"),
)


def tornado(told: pl.DataFrame, language: str) -> pl.DataFrame:
    """`plan.sensitivity` in words: `TORNADO_COLUMNS` and at_base_ore; assumptions that move nothing are left out."""
    moved = told.filter(pl.col("swing_ore") > 0)
    named = [i18n.text(f"nightcover.assumptions.{name}", language) for name in moved["assumption"]]
    values = {
        f"{side}_value": [assumed_value(name, value, language) for name, value in moved.select("assumption", side).iter_rows()]
        for side in ("low", "base", "high")
    }
    return moved.with_columns(
        pl.Series("assumption", named, dtype=pl.String), *(pl.Series(key, texts, dtype=pl.String) for key, texts in values.items())
    )


def tornado_chart(told: pl.DataFrame, language: str) -> charts.Picture:
    """Lying bars from the plan's saving to what it would be with each assumption low and high (rows of `tornado`)."""
    rows = []
    for row in told.iter_rows(named=True):
        for side in ("low", "high"):
            rows.append(
                {
                    "assumption": row["assumption"],
                    "side": word(f"tornado.{side}", language),
                    "from": row["at_base_ore"] / 100,
                    "to": row[f"at_{side}_ore"] / 100,
                    "value": row[f"{side}_value"],
                    "written": formats.kr(row[f"at_{side}_ore"], language),
                }
            )
    title = word("tornado.axis", language)
    base = alt.Chart(alt.NamedData("rows"))
    bars = base.mark_bar(height={"band": 0.66}).encode(
        y=alt.Y("assumption:N", sort=None, title=None, axis=alt.Axis(labelLimit=240)),
        x=alt.X("from:Q", title=title, scale=alt.Scale(zero=False), axis=alt.Axis(format=",.0f", tickCount=5)),
        x2="to:Q",
        color=alt.Color(
            "side:N",
            title=None,
            sort=None,
            scale=alt.Scale(domain=[word("tornado.low", language), word("tornado.high", language)], range=list(theme.CATEGORICAL[:2])),
            legend=alt.Legend(orient="bottom"),
        ),
        tooltip=[
            alt.Tooltip("assumption:N", title=i18n.text("columns.assumption", language)),
            alt.Tooltip("value:N", title=i18n.text("columns.value", language)),
            alt.Tooltip("written:N", title=title),
        ],
    )
    return charts.Picture(bars.properties(height=max(80, 28 * told.height) + 60, width="container"), {"rows": rows})


def tornado_alt(told: pl.DataFrame, language: str, most: int = 5) -> str:
    """The tornado as a sentence: the assumptions that move most, with both ends."""
    parts = [
        word(
            "tornado.part",
            language,
            name=row["assumption"],
            low=formats.kr(row["at_low_ore"], language),
            high=formats.kr(row["at_high_ore"], language),
        )
        for row in told.head(most).iter_rows(named=True)
    ]
    return word("tornado.alt", language, values="; ".join(parts) or formats.unknown(language))


# --- the map -----------------------------------------------------------------------------------------------------------------------------

Ring = Sequence[Sequence[float]]
Box = tuple[float, float, float, float]
"""West, south, east, north in degrees."""


def _cut(ring: list[tuple[float, float]], axis: int, limit: float, keep_above: bool) -> list[tuple[float, float]]:
    """A ring cut by one side of a box (Sutherland and Hodgman)."""
    kept: list[tuple[float, float]] = []
    for here, there in zip(ring, [*ring[1:], *ring[:1]], strict=True):
        inside, then = ((point[axis] >= limit) == keep_above for point in (here, there))
        if inside:
            kept.append(here)
        if inside != then:
            share = (limit - here[axis]) / (there[axis] - here[axis])
            kept.append((here[0] + share * (there[0] - here[0]), here[1] + share * (there[1] - here[1])))
    return kept


def clipped(outline: Mapping[str, Any], box: Box) -> list[dict[str, Any]]:
    """The coast inside a box as features: a map that shows a region, not the country around it."""
    rings: list[Ring] = []
    for feature in charts._features(outline):
        shape = feature["geometry"]
        polygons = shape["coordinates"] if shape["type"] == "MultiPolygon" else [shape["coordinates"]] if shape["type"] == "Polygon" else []
        rings += [polygon[0] for polygon in polygons]
    found = []
    for ring in rings:
        points = [(float(point[0]), float(point[1])) for point in ring]
        points = points[:-1] if points and points[0] == points[-1] else points
        for axis, limit, above in ((0, box[0], True), (1, box[1], True), (0, box[2], False), (1, box[3], False)):
            points = _cut(points, axis, limit, above) if points else points
        if len(points) >= 3:
            shape = {"type": "Polygon", "coordinates": [[list(point) for point in (*points, points[0])]]}
            found.append({"type": "Feature", "properties": {}, "geometry": shape})
    return found


_BROAD = 1.35
"""Least width of a map against its height: a narrow stretch of land is shown with what lies beside it."""


def _box(lat: Sequence[float], lon: Sequence[float]) -> Box:
    """Around points, with a margin of an eighth and at least a tenth of a degree, and not narrower than `_BROAD`."""
    high, wide = max(0.1, (max(lat) - min(lat)) / 8), max(0.15, (max(lon) - min(lon)) / 8)
    south, north = min(lat) - high, max(lat) + high
    least = _BROAD * (north - south) / math.cos(math.radians((south + north) / 2))
    wide = max(wide, (least - (max(lon) - min(lon))) / 2)
    return min(lon) - wide, south, max(lon) + wide, north


def couples_map(
    best: NightPlan, outline: Mapping[str, Any] | None, names: Names, language: str, *, highlight: Iterable[str] = (), height: int = 340
) -> charts.Picture:
    """The coast, every unit with a night post as a dot, and a line between those that would share.

    Couplings in `highlight` (their first unit's id) are drawn thicker.
    """
    nights = best.candidates.nights
    at = {unit: position for position, unit in enumerate(nights.ids)}
    chosen = {unit for couple in best.couples for unit in couple.unit_ids}
    marked = set(highlight)
    kinds = {True: word("map.shares", language), False: word("map.alone", language)}
    points: list[dict[str, Any]] = [
        {
            "name": nights.names[n],
            "lat": float(nights.lat[n]),
            "lon": float(nights.lon[n]),
            "where": names.get(nights.municipalities[n], nights.municipalities[n]),
            "kind": kinds[unit in chosen],
        }
        for unit, n in at.items()
    ]
    lines = [
        {
            "units": formats.listing(couple.names, language),
            "lat": float(nights.lat[at[one]]),
            "lon": float(nights.lon[at[one]]),
            "lat2": float(nights.lat[at[other]]),
            "lon2": float(nights.lon[at[other]]),
            "saving": formats.kr(couple.saving_ore, language),
            "minutes": formats.number(couple.minutes, language),
            "width": 5 if couple.unit_ids[0] in marked else 3,
        }
        for couple in best.couples
        for position, one in enumerate(couple.unit_ids)
        for other in couple.unit_ids[position + 1 :]
    ]
    labels = {
        key: i18n.text(f"columns.{key}", language)
        for key in ("units_named", "unit_name", "municipality_name", "saving_ore", "travel_minutes")
    }
    data: dict[str, Any] = {"points": points, "lines": lines}
    rule = (
        alt.Chart(alt.NamedData("lines"))
        .mark_rule(color=theme.CATEGORICAL[1], opacity=0.95, strokeCap="round")
        .encode(
            latitude="lat:Q",
            longitude="lon:Q",
            latitude2="lat2:Q",
            longitude2="lon2:Q",
            strokeWidth=alt.StrokeWidth("width:Q", scale=None, legend=None),
            tooltip=[
                alt.Tooltip("units:N", title=labels["units_named"]),
                alt.Tooltip("saving:N", title=labels["saving_ore"]),
                alt.Tooltip("minutes:N", title=labels["travel_minutes"]),
            ],
        )
    )
    dots = (
        alt.Chart(alt.NamedData("points"))
        .mark_point(filled=True, size=55, opacity=0.9, stroke=theme.PAPER, strokeWidth=0.6)
        .encode(
            latitude="lat:Q",
            longitude="lon:Q",
            color=alt.Color(
                "kind:N",
                title=None,
                scale=alt.Scale(domain=list(kinds.values()), range=[theme.ACCENT, theme.MUTED]),
                legend=alt.Legend(orient="bottom"),
            ),
            shape=alt.Shape("kind:N", title=None, scale=alt.Scale(domain=list(kinds.values()), range=["circle", "diamond"])),
            tooltip=[alt.Tooltip("name:N", title=labels["unit_name"]), alt.Tooltip("where:N", title=labels["municipality_name"])],
        )
    )
    layers = [rule, dots]
    if outline is not None and points:
        box = _box([point["lat"] for point in points], [point["lon"] for point in points])
        layers.insert(0, alt.Chart(alt.NamedData("coast")).mark_geoshape())
        data["coast"] = clipped(outline, box)
    chart = alt.layer(*layers).project(type="mercator").properties(height=height, width="container")
    return charts.Picture(chart, data)


def couples_map_alt(best: NightPlan, names: Names, language: str, most: int = 8) -> str:
    """Which units the lines join, where, and what each line saves."""
    parts = [
        f"{formats.listing(couple.names, language)} ({', '.join(dict.fromkeys(names.get(code, code) for code in couple.municipalities))}), "
        f"{formats.kr(couple.saving_ore, language)}"
        for couple in best.couples[:most]
    ]
    return formats.plural(len(best.couples), "nightcover_page.map.alt", language, values="; ".join(parts) or "–")
