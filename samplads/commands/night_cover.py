"""`samplads night-cover`: which units should share a night guard, what it saves, for whom, and at what risk."""

from __future__ import annotations

import argparse
import datetime as dt
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import polars as pl

    from samplads.nightcover.plan import Couple, NightPlan


def register(subparsers: Any) -> None:
    """Add `night-cover`."""
    command = subparsers.add_parser("night-cover", help="the best plan for shared night cover")
    command.add_argument(
        "--municipality", nargs="+", action="extend", default=[], metavar="CODE", help="only units that lie here (one code or several)"
    )
    command.add_argument("--own", metavar="CODE", help="the municipality whose counts of stays below five are shown")
    command.add_argument("--max-minutes", metavar="N", help="longest journey between two units")
    command.add_argument("--max-overlaps-per-year", metavar="X", help="most overlapping incidents a year expected in one coupling")
    command.add_argument("--group-size", type=int, choices=(2, 3, 4), default=2, help="most units that share one guard")
    command.add_argument("--all-units", action="store_true", help="not only single-person offers")
    command.add_argument("--include-unassessed", action="store_true", help="let couplings with unanswered questions into the plan")
    command.add_argument("--together", action="append", default=[], metavar="A,B", help="two units that must share")
    command.add_argument("--apart", action="append", default=[], metavar="A,B", help="two units that must not share")
    command.add_argument("--without", nargs="+", action="extend", default=[], metavar="UNIT", help="units to take out of the plan")
    command.add_argument("--partner", metavar="UNIT", help="instead of the plan: whom this unit can best share with")
    command.add_argument("--share", choices=("by_cost", "equal", "shapley"), default="by_cost", help="how the units share the saving")
    command.add_argument("--terms", metavar="NAME", help="set of terms in data/rules/night_terms.yaml")
    command.add_argument("--travel", type=Path, metavar="FILE", help="travel times (CSV or XLSX): unit_a, unit_b, minutes")
    command.add_argument(
        "--as-of", type=dt.date.fromisoformat, metavar="YYYY-MM-DD", help="the day that counts as today (default: the warehouse's)"
    )
    command.add_argument("--format", choices=("table", "json"), default="table")
    command.add_argument("--warehouse", type=Path, help="folder of the warehouse")
    command.set_defaults(run=run)


def run(given: argparse.Namespace) -> int:
    """Plan and print. The exit code is 0 also where nothing can be shared: that is an answer."""
    import json
    from dataclasses import replace

    from samplads import loading
    from samplads import loading_nightcover as night
    from samplads.nightcover import plan

    today = given.as_of or loading.as_of(given.warehouse)
    assumptions = night.assumptions(today, given.terms).changed(
        group_size=given.group_size,
        single_person_only=not given.all_units,
        allow_unknown=given.include_unassessed,
        sharing=given.share,
        max_overlaps=amount("--max-overlaps-per-year", given.max_overlaps_per_year),
    )
    max_minutes = amount("--max-minutes", given.max_minutes)
    if max_minutes is not None:
        assumptions = assumptions.changed(max_minutes=max_minutes)
    inputs = night.inputs(today, municipalities=given.municipality, warehouse=given.warehouse)
    if given.travel is not None:
        everywhere = night.inputs(today, warehouse=given.warehouse).units["unit_id"].to_list()
        inputs = replace(inputs, travel=night.travel_table(given.travel, everywhere))
    found = plan.candidates(plan.prepare(inputs, assumptions)).without(given.without)
    together, apart = pairs(given.together), pairs(given.apart)
    if given.partner is not None:
        rows = plan.partners(found, given.partner, together=together, apart=apart)
        if given.format == "json":
            print(json.dumps({"unit": given.partner, "partners": rows.to_dicts()}, ensure_ascii=False, indent=1))
        else:
            print(partners(rows, dict(zip(found.nights.ids, found.nights.names, strict=True)), given.partner, given.language))
        return 0
    best = plan.best(found, together=together, apart=apart)
    if given.format == "json":
        print(json.dumps(as_json(best, given.language, given.own), ensure_ascii=False, indent=1))
    else:
        print(table(best, given.language, given.own))
    return 0


def amount(option: str, text: str | None) -> float | None:
    """A number of 0 or more as typed, with decimal comma or point; None where none was typed. Raises SampladsError `night_amount`."""
    from samplads.errors import SampladsError

    if text is None:
        return None
    try:
        number = float(text.replace(",", "."))
    except ValueError:
        number = -1.0
    if not 0 <= number < float("inf"):
        raise SampladsError("night_amount", text=text, option=option)
    return number


def pairs(texts: list[str]) -> list[tuple[str, str]]:
    """Pairs typed as "A,B". Raises SampladsError `night_pair_shape`."""
    from samplads.errors import SampladsError

    result = []
    for text in texts:
        first, sign, second = (part.strip() for part in text.partition(","))
        if not (first and sign and second):
            raise SampladsError("night_pair_shape", text=text)
        result.append((first, second))
    return result


def partners(rows: pl.DataFrame, named: dict[str, str], unit: str, language: str) -> str:
    """A unit's partners as text, best first: saving, minutes, overlaps, what the plan loses, and the rules."""
    from samplads import i18n
    from samplads.presenting import formats, nightcover

    lines = [f"{unit} {named[unit]}"]
    if rows.is_empty():
        lines.append(i18n.text("nightcover_page.partners.nobody", language))
    for rank, row in enumerate(nightcover.partners(rows, named, language).iter_rows(named=True), 1):
        facts = {
            "nightcover.columns.saving": formats.kr(row["saving_ore"], language),
            "nightcover.columns.minutes": formats.number(row["minutes"], language),
            "nightcover.columns.overlaps": formats.number(row["overlaps_per_year"], language, 1),
            "columns.cost_to_plan_ore": formats.kr(row["cost_to_plan_ore"], language),
        }
        told = " · ".join(f"{i18n.text(key, language)}: {value}" for key, value in facts.items())
        mark = " *" if row["in_best_plan"] else ""
        lines += [
            f"{rank:>3}. {row['partner']} {row['unit_name']}{mark}",
            f"     {told}",
            f"     {row['couple_status']}: {row['verdicts']}",
        ]
    if rows["in_best_plan"].any():
        lines.append(f"  *  {i18n.text('columns.in_best_plan', language)}")
    return "\n".join(lines)


def as_json(best: NightPlan, language: str, own: str | None = None) -> dict[str, Any]:
    """The whole plan in plain types; money in whole øre. Counts of stays are texts, small ones hidden outside the municipality `own`."""
    from samplads.nightcover import plan
    from samplads.presenting import nightcover

    found = best.by_municipality
    codes = found["municipality"].to_list()
    stays = {key: nightcover.hidden(found[key].to_list(), codes, own, language) for key in ("cases", "unknown_cases")}
    nights = best.candidates.nights
    counts = best.candidates.pairs.group_by("status").len().sort("status")
    return {
        "as_of": nights.inputs.as_of.isoformat(),
        "couples": [_couple(couple) for couple in best.couples],
        "saving_ore": best.saving_ore,
        "net_ore": best.net_ore,
        "one_off_ore": best.one_off_ore,
        "overlaps_per_year": round(best.overlaps_per_year, 3),
        "proof": {
            "status": best.proof.status,
            "objective_ore": best.proof.objective_ore,
            "bound_ore": best.proof.bound_ore,
            "gap_pct": round(best.proof.gap_pct, 4),
        },
        "pairs": dict(counts.iter_rows()),
        "left_out": dict(nights.left_out.group_by("reason").len().sort("reason").iter_rows()),
        "by_municipality": [row | {key: stays[key][at] for key in stays} for at, row in enumerate(found.to_dicts())],
        "co_locations": plan.co_locations(best.candidates, most=20).to_dicts(),
        "terms": nights.assumptions.terms.name,
        "without": sorted(best.candidates.excluded),
    }


def _couple(couple: Couple) -> dict[str, Any]:
    return {
        "units": list(couple.unit_ids),
        "names": list(couple.names),
        "municipalities": list(couple.municipalities),
        "minutes": round(couple.minutes, 1),
        "km": round(couple.km, 1),
        "shared_minutes": round(couple.shared_minutes),
        "posts_ore": couple.posts_ore,
        "call_out_ore": couple.call_out_ore,
        "driving_ore": couple.driving_ore,
        "gear_ore": couple.gear_ore,
        "saving_ore": couple.saving_ore,
        "net_ore": couple.net_ore,
        "one_off_ore": couple.one_off_ore,
        "payback_month": couple.payback_month,
        "present_value_ore": couple.present_value_ore,
        "net_payback_month": couple.net_payback_month,
        "net_present_value_ore": couple.net_present_value_ore,
        "risk": {name: round(value, 4) for name, value in vars(couple.risk).items()},
        "status": couple.status,
        "verdicts": [vars(verdict) for verdict in couple.verdicts if verdict.outcome != "pass"],
        "shares": couple.shares.to_dicts(),
    }


def table(best: NightPlan, language: str, own: str | None = None) -> str:
    """The answer as text: the sentence, the couplings, who gains, and what more could be had by asking or by moving."""
    from samplads import i18n
    from samplads.nightcover import plan
    from samplads.presenting import formats, nightcover

    found = best.candidates
    states = dict(found.pairs.group_by("status").len().iter_rows())
    unknown = states.get("unknown", 0)
    if not best.couples:
        counts = {"pairs": found.pairs.height, "failed": states.get("fail", 0), "unknown": unknown}
        return i18n.text("nightcover.nothing", language, **{name: formats.number(n, language) for name, n in counts.items()})
    lines = [
        formats.plural(
            len(best.couples),
            "nightcover.answer",
            language,
            saving=formats.millions(best.saving_ore, language),
            net=formats.millions(best.net_ore, language),
            overlaps=formats.number(best.overlaps_per_year, language, 1),
        ),
        i18n.text(f"nightcover.proof.{best.proof.status}", language, gap=formats.percent(best.proof.gap_pct, language, 2)),
        "",
    ]
    for rank, couple in enumerate(best.couples, 1):
        names = formats.listing([f"{unit} {name}" for unit, name in zip(couple.unit_ids, couple.names, strict=True)], language)
        facts = {
            "saving": formats.kr(couple.saving_ore, language),
            "net": formats.kr(couple.net_ore, language),
            "minutes": formats.number(couple.minutes, language),
            "overlaps": formats.number(couple.risk.overlaps_per_year, language, 1),
            "wait": formats.number(couple.risk.wait_minutes_p95, language),
        }
        told = " · ".join(f"{i18n.text(f'nightcover.columns.{name}', language)}: {value}" for name, value in facts.items())
        warned = sorted({verdict.rule for verdict in couple.verdicts if verdict.outcome != "pass"})
        marks = ", ".join(f"{rule} {i18n.text(f'nightcover.rules.{rule}', language)}" for rule in warned)
        lines += [
            f"{rank:>3}. {names}",
            f"     {told}",
            f"     {i18n.text(f'nightcover.status.{couple.status}', language)}: {marks}" if marks else "",
        ]
    codes = best.by_municipality["municipality"].to_list()
    stays = nightcover.hidden(best.by_municipality["cases"].to_list(), codes, own, language)
    heads = [i18n.text(f"nightcover.columns.{name}", language) for name in ("municipality", "gross", "net")]
    lines += ["", f"  {heads[0]:<10}{heads[1]:>18}{heads[2]:>18}{i18n.text('columns.stays', language):>12}"]
    for row, count in zip(best.by_municipality.iter_rows(named=True), stays, strict=False):
        gross, net = formats.kr(row["gross_ore"], language), formats.kr(row["net_ore"], language)
        lines.append(f"  {row['municipality']:<10}{gross:>18}{net:>18}{count:>12}")
    if unknown:
        more = plan.potential(found).objective_ore - best.proof.objective_ore
        if more > 0:
            lines += [
                "",
                i18n.text(
                    "nightcover.potential", language, saving=formats.millions(more, language), pairs=formats.number(unknown, language)
                ),
            ]
    named = dict(zip(found.nights.ids, found.nights.names, strict=True))
    moved = nightcover.co_locations(plan.co_locations(found, most=5), named, language)
    if moved.height:
        lines += ["", i18n.text("nightcover_page.case.variant", language)]
        for row in moved.iter_rows(named=True):
            saving, driving = formats.kr(row["saving_ore"], language), row["sharing_now"]
            paid = f"{i18n.text('columns.payback', language)}: {row['payback']}"
            lines.append(f"  {row['units_named']}: {saving} · {i18n.text('columns.sharing_now', language)}: {driving} · {paid}")
    return "\n".join(line for line in lines if line is not None)
