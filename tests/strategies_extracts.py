"""Made deliveries: every extract, with every sort of good and bad cell."""

from __future__ import annotations

from hypothesis import strategies as st

from tests import reference_extracts as twin

Rows = list[dict[str, str]]

IDS = ["A-1", "A-2", "A-3", " A-1 "]
NAMES = ["Birk", "Eg", "Æ; ø\nå", 'to "ord"']
KNOWN = {"municipality": ["370", "259"], "target_group": ["g-autism", "g-other"], "offer_type": ["A107", "A108"], "unit": IDS}
"""Codes that exist; the units are those that a delivery may hold."""
STRANGE = {"municipality": "999", "target_group": "g-none", "offer_type": "B1", "unit": "A-9"}
CHOICES = {
    "operator_kind": ["municipal", "PRIVATE"],
    "approval_status": ["approved", "Not_Required", "withdrawn"],
    "night_cover": ["vågen", "Awake", "ingen", "on_call"],
    "least_night_cover": ["sovende", "none"],
    "rank": ["primary", "Secondary", "excluded"],
    "status": ["open", "OPEN"],
    "urgency": ["normal", "acute"],
    "wish_setting": ["alone", "with_others"],
    "danger_met_by": ["alarm_response", "unmet"],
    "financing": ["own_budget", "private"],
    "certainty": ["decided", "Idea"],
}


def good(extract: str, column: str) -> list[str]:
    """Cells that a column takes."""
    field = twin.FIELDS[extract][column]
    if column in CHOICES:
        more = ["closed", "waiting_list"] if (extract, column) == ("capacity", "status") else []
        return CHOICES[column] + more
    if field.of is not None:
        codes = KNOWN[field.of]
        return [*codes, "|".join(codes), f"{codes[0]} | {codes[0]}", "|"] if field.read is twin.codes else codes
    least = 0 if field.least is None else field.least
    if field.read in (twin.whole, twin.decimal):
        most = 1046 if field.most is None else field.most
        return [f"{least:.0f}", f"{most:.0f}", f"{most:.0f},0", f"{least + 1:.0f}"]
    if field.read is twin.money:
        return ["0", "2845", "2.845,50"]
    if field.read is twin.day:
        return ["2026-11-01", "01.11.2026", "31.12.2020"]
    if field.read is twin.clock:
        return ["23:00", "7:00", "06.30"]
    if field.read is twin.flag:
        return ["ja", "Nej", "yes"]
    if column == "person_ref":
        return ["p-8f3a", "p-æ1"]
    if column.endswith("_id"):
        return [*IDS, "æ" * (field.longest or 1)] if field.key else ["T-1", "Ø" * (field.longest or 1)]
    return NAMES if field.longest is None or field.longest > 80 else ["K-1", "å" * field.longest]


def bad(extract: str, column: str) -> list[str]:
    """Cells that a column does not take, one for each rule of it, as far as one cell alone can break it."""
    field = twin.FIELDS[extract][column]
    cells = [] if field.least is None else [f"{field.least - 1:.0f}"]
    cells += [] if field.most is None else [f"{field.most + 1:.0f}"]
    cells += [] if field.longest is None or field.of is not None else ["ø" * (field.longest + 1)]
    cells += [] if field.of is None else [STRANGE[field.of]]
    cells += [f"{KNOWN[field.of][0]}|{STRANGE[field.of]}"] if field.of is not None and field.read is twin.codes else []
    cells += [""] if field.key or field.required else []
    if field.read is twin.whole:
        cells += ["8,5"]
    if field.read in (twin.day,):
        cells += ["31.02.2026", "01.01.1850"]
    if field.read is twin.clock:
        cells += ["24:00", "23:60"]
    return cells if field.read in (twin.words, twin.codes) else [*cells, "hvad"]


def cells(extract: str, column: str) -> st.SearchStrategy[str]:
    """Mostly good ones; unknown ones; now and then a bad one."""
    fine = good(extract, column)
    faulty = bad(extract, column)
    unknown = [] if "" in faulty else ["", "ukendt", "-", "?"]
    many = 3 * len(twin.FIELDS[extract])
    return st.integers(0, many).flatmap(
        lambda at: st.sampled_from(faulty) if at == many and faulty else st.sampled_from([*fine, *fine, *unknown])
    )


def rows(extract: str, most: int = 6) -> st.SearchStrategy[Rows]:
    """Rows of an extract with every column, a blank one perhaps among them; at least one that says something."""
    columns = twin.FIELDS[extract]
    whole = st.fixed_dictionaries({column: cells(extract, column) for column in columns})
    more = st.lists(st.one_of(whole, whole, whole, st.just(dict.fromkeys(columns, ""))), max_size=most - 1)
    return st.tuples(whole.filter(lambda row: any(cell.strip() for cell in row.values())), more).map(lambda told: [told[0], *told[1]])


DELIVERIES = st.fixed_dictionaries(
    {"unit": rows("unit", 5)}, optional={extract: rows(extract) for extract in twin.FIELDS if extract != "unit"}
)
