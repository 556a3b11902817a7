"""One unit (afdeling): the grain of everything. Also which target groups it is approved for."""

from __future__ import annotations

from typing import ClassVar

import dataframely as dy
import polars as pl

from samplads.contracts import fields
from samplads.contracts.contract import Contract

OPERATOR_KINDS = ("municipal", "regional", "self_owning", "private")
NIGHT_COVERS = ("awake", "sleeping", "on_call", "none")
APPROVAL_STATUSES = ("approved", "conditional", "suspended", "withdrawn", "not_required")
APPROVAL_RANKS = ("primary", "secondary", "excluded")


class Unit(Contract):
    extract: ClassVar[str] = "unit"
    da: ClassVar[str] = "Afdelinger: hvad de er godkendt til, hvor de ligger, og hvad de koster"
    en: ClassVar[str] = "Units: what they are approved for, where they are and what they cost"

    unit_id = fields.text("Afdelingens id", "Unit id", example="A-1001", key=True, longest=80)
    offer_id = fields.text("Tilbuddets id", "Offer id", example="T-100", required=True, longest=80)
    name = fields.text("Afdelingens navn", "Unit name", example="Birkehuset 2", required=True)
    offer_name = fields.text("Tilbuddets navn", "Offer name", example="Birkehuset")
    operator = fields.text("Driftsherre", "Operator", example="Næstved Kommune")
    operator_kind = fields.choice("Driftsherrens art", "Operator kind", OPERATOR_KINDS)
    cvr = fields.text("CVR-nummer", "Central business register number", example="29189625", longest=20)
    p_number = fields.text("P-nummer", "Production unit number", example="1003298422", longest=20)
    address = fields.text("Adresse (tilbuddets, ikke borgerens)", "Address (of the offer, not of a citizen)", example="Birkevej 2")
    municipality = fields.text("Beliggenhedskommune", "Located municipality", example="370", required=True, refers_to="municipality.code")
    lat = fields.number("Breddegrad", "Latitude", unit="°", example="55,2299", least=-90, most=90)
    lon = fields.number("Længdegrad", "Longitude", unit="°", example="11,7609", least=-180, most=180)
    offer_type = fields.text("Tilbudstype", "Offer type", example="A108", refers_to="offer_type.code")
    age_from = fields.whole("Alder fra", "Age from", unit="år", example="18", least=0, most=120)
    age_to = fields.whole("Alder til", "Age to", unit="år", example="65", least=0, most=120)
    support_level_from = fields.whole("Støttebehov fra", "Support level from", unit="0-4", example="2", least=0, most=4)
    support_level_to = fields.whole("Støttebehov til", "Support level to", unit="0-4", example="4", least=0, most=4)
    approval_status = fields.choice("Godkendelsens status", "Approval status", APPROVAL_STATUSES)
    approved_until = fields.day("Godkendt til og med", "Approved until", example="31.12.2028")
    night_cover = fields.choice("Natdækning", "Night cover", NIGHT_COVERS)
    single_person = fields.flag("Enkeltmandstilbud", "Single-person offer", example="nej")
    daily_rate_ore = fields.money("Takst pr. døgn", "Daily rate", delivered="daily_rate", unit="kr/døgn", example="2.845,00")
    price_year = fields.whole("Prisår", "Price year", unit="år", example="2026", least=1990, most=2100)
    assumed_occupancy_pct = fields.number(
        "Forudsat belægning i taksten", "Assumed occupancy in the rate", unit="%", example="98", least=1, most=120
    )
    budgeted_occupancy_pct = fields.number("Budgetteret belægning", "Budgeted occupancy", unit="%", example="97", least=0, most=150)
    notice_days = fields.whole("Opsigelsesvarsel", "Notice", unit="dage", example="30", least=0, most=730)
    note = fields.text("Bemærkning", "Note", example="Egen have", longest=2000)

    @dy.rule()
    def age_range_ordered(cls) -> pl.Expr:
        return fields.ordered("age_from", "age_to")

    @dy.rule()
    def support_range_ordered(cls) -> pl.Expr:
        return fields.ordered("support_level_from", "support_level_to")

    @classmethod
    def flags(cls) -> dict[str, tuple[str, pl.Expr]]:
        return {
            "rate_without_price_year": (
                "price_year",
                pl.col("daily_rate_ore").is_null() | pl.col("price_year").is_not_null(),
            ),
        }


class TargetGroupApproval(Contract):
    extract: ClassVar[str] = "target_group_approval"
    da: ClassVar[str] = "Målgrupper, som en afdeling er godkendt til eller udtrykkeligt ikke modtager"
    en: ClassVar[str] = "Target groups that a unit is approved for or expressly does not take"

    unit_id = fields.text("Afdelingens id", "Unit id", example="A-1001", key=True, refers_to="unit.unit_id")
    target_group = fields.text(
        "Målgruppe (kode)",
        "Target group (code)",
        example="9b3fd322-a75a-4ed8-9b74-425fa1e01c95",
        key=True,
        refers_to="target_group.code",
    )
    rank = fields.choice("Rang", "Rank", APPROVAL_RANKS, required=True)
