"""One stay: a pseudonymous person in a unit from a day to a day."""

from __future__ import annotations

from typing import ClassVar

import dataframely as dy
import polars as pl

from samplads.contracts import fields
from samplads.contracts.contract import Contract


class Stay(Contract):
    extract: ClassVar[str] = "stay"
    da: ClassVar[str] = "Ophold: en pseudonym person i en afdeling fra en dag til en dag"
    en: ClassVar[str] = "Stays: a pseudonymous person in a unit from a day to a day"

    stay_id = fields.text("Opholdets id", "Stay id", example="S-1", key=True, longest=80)
    person_ref = fields.text(
        "Personreference (pseudonym, aldrig CPR)", "Person reference (pseudonym, never a CPR number)", example="p-8f3a", required=True
    )
    unit_id = fields.text("Afdelingens id", "Unit id", example="A-1001", required=True, refers_to="unit.unit_id")
    municipality = fields.text("Handlekommune", "Acting municipality", example="259", required=True, refers_to="municipality.code")
    starts_on = fields.day("Fra og med", "From (first day)", example="01.02.2024", required=True)
    ends_on = fields.day("Til (udflytningsdag, tælles ikke med)", "To (day of leaving, not counted)", example="01.02.2026")
    planned_end = fields.day("Planlagt slut", "Planned end", example="01.02.2027")
    daily_rate_ore = fields.money("Takst pr. døgn", "Daily rate", delivered="daily_rate", unit="kr/døgn", example="2.845,00")

    @dy.rule()
    def ends_after_it_starts(cls) -> pl.Expr:
        return fields.ordered("starts_on", "ends_on")
