"""Places of a unit on a day, in four states, and who vouches for them. Kept as history."""

from __future__ import annotations

from typing import ClassVar

import polars as pl

from samplads.contracts import fields
from samplads.contracts.contract import Contract

STATUSES = ("open", "closed", "waiting_list", "needs_assessment")


class Capacity(Contract):
    extract: ClassVar[str] = "capacity"
    da: ClassVar[str] = "Pladser pr. afdeling og dag: maks., belagt, reserveret, åben, og hvem der bekræfter det"
    en: ClassVar[str] = "Places by unit and day: maximum, occupied, reserved, accepting, and who confirms it"

    unit_id = fields.text("Afdelingens id", "Unit id", example="A-1001", key=True, refers_to="unit.unit_id")
    as_of = fields.day("Opgjort den", "As of", example="01.11.2026", key=True)
    maximum = fields.whole("Pladser i alt (maks.)", "Places (maximum)", unit="pladser", example="8", required=True, least=0)
    occupied = fields.whole("Belagt", "Occupied", unit="pladser", example="6", required=True, least=0)
    reserved = fields.whole("Reserveret", "Reserved", unit="pladser", example="1", least=0)
    accepting = fields.whole("Åben for indflytning", "Accepting", unit="pladser", example="1", required=True, least=0)
    funded = fields.whole("Finansierede pladser", "Funded places", unit="pladser", example="8", least=0)
    accepting_from = fields.day("Åben fra", "Accepting from", example="01.01.2027")
    status = fields.choice("Status", "Status", STATUSES)
    confirmed_by = fields.text("Bekræftet af (rolle)", "Confirmed by (role)", example="afdelingsleder", longest=120)
    confirmed_at = fields.day("Bekræftet den", "Confirmed at", example="28.10.2026")

    @classmethod
    def flags(cls) -> dict[str, tuple[str, pl.Expr]]:
        return {
            "states_within_maximum": (
                "accepting",
                pl.col("occupied") + pl.col("reserved").fill_null(0) + pl.col("accepting") <= pl.col("maximum"),
            ),
            "no_places": ("maximum", pl.col("maximum") > 0),
            "closed_but_accepting": (
                "status",
                ~((pl.col("status") == "closed") & (pl.col("accepting") > 0)).fill_null(False),
            ),
        }
