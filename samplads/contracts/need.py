"""One open need (behov): what a citizen needs, without saying who the citizen is."""

from __future__ import annotations

from typing import ClassVar

from samplads.contracts import fields
from samplads.contracts.contract import Contract
from samplads.contracts.unit import NIGHT_COVERS

URGENCIES = ("normal", "urgent", "acute")
SETTINGS = ("alone", "with_others")
NEED_STATUSES = ("open", "placed", "withdrawn")


class Need(Contract):
    extract: ClassVar[str] = "need"
    da: ClassVar[str] = "Behov, der venter på en plads: uden navn og uden CPR-nummer"
    en: ClassVar[str] = "Needs waiting for a place: no name, no civil registration number"

    need_id = fields.text("Behovets id", "Need id", example="2026-118", key=True, longest=80)
    municipality = fields.text("Handlekommune", "Acting municipality", example="259", required=True, refers_to="municipality.code")
    registered_on = fields.day("Registreret den", "Registered on", example="14.09.2026", required=True)
    wanted_from = fields.day("Ønsket fra", "Wanted from", example="01.01.2027")
    status = fields.choice("Status", "Status", NEED_STATUSES)
    offer_types = fields.codes("Tilbudstyper", "Offer types", example="A108", refers_to="offer_type.code")
    target_groups = fields.codes(
        "Målgrupper (den første er den primære)",
        "Target groups (the first is the primary)",
        example="9b3fd322-a75a-4ed8-9b74-425fa1e01c95|e1b59a4a-9cc2-4113-a5f1-84af588b02a2",
        refers_to="target_group.code",
    )
    age = fields.whole("Alder", "Age", unit="år", example="24", least=0, most=120)
    support_level = fields.whole("Støttebehov", "Support level", unit="0-4", example="3", least=0, most=4)
    least_night_cover = fields.choice("Mindste natdækning", "Least night cover", NIGHT_COVERS)
    max_daily_rate_ore = fields.money("Takst højst", "Daily rate at most", delivered="max_daily_rate", unit="kr/døgn", example="3.200,00")
    max_km = fields.number("Afstand højst", "Distance at most", unit="km", example="60", least=0)
    urgency = fields.choice("Hast", "Urgency", URGENCIES)
    current_unit = fields.text("Nuværende afdeling", "Current unit", example="A-1001", refers_to="unit.unit_id")
    wish_near = fields.codes(
        "Borgerens ønske: nær kommune", "Citizen's wish: near municipality", example="370", refers_to="municipality.code"
    )
    wish_setting = fields.choice("Borgerens ønske: alene eller med andre", "Citizen's wish: alone or with others", SETTINGS)
