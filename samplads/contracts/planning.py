"""What planning needs: spend, indicators, youths on their way, and places that are planned."""

from __future__ import annotations

from typing import ClassVar

import dataframely as dy
import polars as pl

from samplads.contracts import fields
from samplads.contracts.contract import Contract

FINANCINGS = ("own_budget", "state_loan_pool", "objective_financing", "deficit_guarantee", "private")
CERTAINTIES = ("decided", "planned", "idea")


class Spend(Contract):
    extract: ClassVar[str] = "spend"
    da: ClassVar[str] = "Udgifter pr. kommune, år, tilbudstype og målgruppe"
    en: ClassVar[str] = "Spend by municipality, year, offer type and target group"

    municipality = fields.text("Kommune", "Municipality", example="259", key=True, refers_to="municipality.code")
    year = fields.whole("År", "Year", unit="år", example="2025", key=True, least=1990, most=2100)
    offer_type = fields.text("Tilbudstype", "Offer type", example="A108", key=True, refers_to="offer_type.code")
    target_group = fields.text(
        "Målgruppe", "Target group", example="9b3fd322-a75a-4ed8-9b74-425fa1e01c95", key=True, refers_to="target_group.code"
    )
    amount_ore = fields.money("Udgift", "Spend", delivered="amount", example="12.500.000,00", required=True)
    recipients = fields.whole("Modtagere", "Recipients", unit="personer", example="11", least=0)


class Indicator(Contract):
    extract: ClassVar[str] = "indicator"
    da: ClassVar[str] = "Indikatorer til ledelsesinformation"
    en: ClassVar[str] = "Indicators for management information"

    municipality = fields.text("Kommune", "Municipality", example="259", key=True, refers_to="municipality.code")
    year = fields.whole("År", "Year", unit="år", example="2025", key=True, least=1990, most=2100)
    code = fields.text("Indikator", "Indicator", example="waiting_list", key=True, longest=80)
    group_key = fields.text("Opdeling", "Group", example="alle", key=True, longest=200)
    value = fields.number("Værdi", "Value", example="14", required=True)


class Youth(Contract):
    extract: ClassVar[str] = "youth"
    da: ClassVar[str] = "14-18-årige med forventet behov, når de fylder 18"
    en: ClassVar[str] = "14 to 18-year-olds with an expected need at 18"

    municipality = fields.text("Kommune", "Municipality", example="259", key=True, refers_to="municipality.code")
    age = fields.whole("Alder", "Age", unit="år", example="16", key=True, least=14, most=18)
    target_group = fields.text(
        "Målgruppe", "Target group", example="9b3fd322-a75a-4ed8-9b74-425fa1e01c95", key=True, refers_to="target_group.code"
    )
    function_level = fields.whole("Funktionsevne", "Function level", unit="0-4", example="3", key=True, least=0, most=4)
    expected_offer_type = fields.text("Forventet behov ved 18", "Expected need at 18", example="A107", refers_to="offer_type.code")
    persons = fields.whole("Antal", "Count", unit="personer", example="2", required=True, least=0)


class PlannedCapacity(Contract):
    extract: ClassVar[str] = "planned_capacity"
    da: ClassVar[str] = "Pladser på vej: hvor, til hvem, hvornår, og hvor sikkert"
    en: ClassVar[str] = "Places on their way: where, for whom, when and how certain"

    plan_id = fields.text("Planens id", "Plan id", example="P-1", key=True, longest=80)
    unit_id = fields.text("Afdelingens id", "Unit id", example="A-1001", refers_to="unit.unit_id")
    municipality = fields.text("Kommune", "Municipality", example="370", refers_to="municipality.code")
    target_groups = fields.codes(
        "Målgrupper", "Target groups", example="9b3fd322-a75a-4ed8-9b74-425fa1e01c95", refers_to="target_group.code"
    )
    offer_type = fields.text("Tilbudstype", "Offer type", example="A108", refers_to="offer_type.code")
    places = fields.whole("Pladser", "Places", unit="pladser", example="6", required=True, least=1)
    opens_on = fields.day("Åbner", "Opens", example="01.08.2027")
    financing = fields.choice("Finansiering", "Financing", FINANCINGS)
    certainty = fields.choice("Sikkerhed", "Certainty", CERTAINTIES)

    @dy.rule()
    def unit_or_municipality(cls) -> pl.Expr:
        return pl.col("unit_id").is_not_null() | pl.col("municipality").is_not_null()
