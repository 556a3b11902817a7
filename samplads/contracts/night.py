"""Night work in a unit: the roster of night posts, and what happened at night."""

from __future__ import annotations

from typing import ClassVar

import polars as pl

from samplads.contracts import fields
from samplads.contracts.contract import Contract
from samplads.contracts.unit import NIGHT_COVERS

DANGER_ANSWERS = ("two_on_duty", "alarm_response", "no_special_danger", "unmet")


class NightRoster(Contract):
    extract: ClassVar[str] = "night_roster"
    da: ClassVar[str] = "Nattevagter: poster, timer, løn og de svar, som arbejdsmiljøreglerne kræver"
    en: ClassVar[str] = "Night rosters: posts, hours, pay and the answers that the working-environment rules demand"

    unit_id = fields.text("Afdelingens id", "Unit id", example="A-1001", key=True, refers_to="unit.unit_id")
    valid_from = fields.day("Gælder fra", "Valid from", example="01.01.2026", key=True)
    night_cover = fields.choice("Natdækning", "Night cover", NIGHT_COVERS, required=True)
    posts = fields.whole("Poster pr. nat", "Posts a night", unit="poster", example="1", required=True, least=0, most=20)
    shift_start = fields.clock("Vagt fra", "Shift start", example="23:00", required=True)
    shift_end = fields.clock("Vagt til", "Shift end", example="07:00", required=True)
    monthly_pay_ore = fields.money(
        "Månedsløn (grundløn)", "Monthly pay (base)", delivered="monthly_pay", unit="kr/måned", example="34.500,00"
    )
    one_to_one = fields.flag("Fast én-til-én om natten", "Constant one-to-one presence at night", example="nej")
    risky_work = fields.flag("Særligt risikofyldt eller belastende arbejde", "Particularly risky or straining work", example="nej")
    lone_work_danger = fields.flag("Særlig fare ved alenearbejde", "Special danger of lone work", example="nej")
    danger_met_by = fields.choice("Faren imødegås ved", "The danger is met by", DANGER_ANSWERS)
    response_minutes_limit = fields.whole("Svartid højst", "Response time at most", unit="minutter", example="15", least=0, most=240)
    excludes_groups = fields.codes(
        "Målgrupper, beboeren ikke kan dele nat med",
        "Target groups the resident cannot share a night with",
        example="e1b59a4a-9cc2-4113-a5f1-84af588b02a2",
        refers_to="target_group.code",
    )


class NightIncident(Contract):
    extract: ClassVar[str] = "night_incident"
    da: ClassVar[str] = "Hændelser om natten: hvornår, og hvor længe nogen var optaget"
    en: ClassVar[str] = "Incidents at night: when, and for how long somebody was occupied"

    incident_id = fields.text("Hændelsens id", "Incident id", example="H-1", key=True, longest=80)
    unit_id = fields.text("Afdelingens id", "Unit id", example="A-1001", required=True, refers_to="unit.unit_id")
    night_of = fields.day("Natten, der begynder den", "The night that begins on", example="28.10.2026", required=True)
    started_at = fields.clock("Begyndte kl.", "Started at", example="02:15")
    minutes = fields.number("Varighed", "Duration", unit="minutter", example="25", required=True, least=0, most=1440)
    staff_needed = fields.whole("Medarbejdere nødvendige", "Staff needed", unit="personer", example="1", least=1, most=10)

    @classmethod
    def flags(cls) -> dict[str, tuple[str, pl.Expr]]:
        return {"incident_shorter_than_a_shift": ("minutes", pl.col("minutes") <= 12 * 60)}
