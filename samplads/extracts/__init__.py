"""Deliveries: read what somebody sent, hold it against the contracts, say what was found.

    delivery = read_delivery(path)                       files -> tables of text
    checked = check(delivery, codes, known)              tables -> accepted rows, findings, counts
    checked = check_frames(frames, codes, known, ...)    the same for frames that a profile made
    screen(delivery)                                     personal data in raw files, before a profile reads them
    mend_workbook(delivery, checked.findings)            what the sender mends and returns
    mend_archived(checked.set_aside, checked.findings)   the same for a delivery that was published

Nothing but findings comes back for bad input; `SampladsError` only where a delivery cannot be reached at all.
"""

from __future__ import annotations

from samplads.extracts.checking import COUNTS, MOST_DAYS_AHEAD, MUNICIPALITY_COUNTS, SET_ASIDE, Checked, check, check_frames, screen, today
from samplads.extracts.findings import PERSONAL, RULES, SCHEMA, Finding, findings_frame, from_frame, place, rules, what_to_do
from samplads.extracts.findings import name as rule_name
from samplads.extracts.mending import mend_archived, mend_workbook
from samplads.extracts.personal import redacted
from samplads.extracts.reading import Delivery, Table, clean_name, is_link, name_of, read_delivery

__all__ = [
    "COUNTS",
    "MOST_DAYS_AHEAD",
    "MUNICIPALITY_COUNTS",
    "PERSONAL",
    "RULES",
    "SCHEMA",
    "SET_ASIDE",
    "Checked",
    "Delivery",
    "Finding",
    "Table",
    "check",
    "check_frames",
    "clean_name",
    "findings_frame",
    "from_frame",
    "is_link",
    "mend_archived",
    "mend_workbook",
    "name_of",
    "place",
    "read_delivery",
    "redacted",
    "rule_name",
    "rules",
    "screen",
    "today",
    "what_to_do",
]
