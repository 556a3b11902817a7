"""Deliveries: read what somebody sent, hold it against the contracts, say what was found.

    delivery = read_delivery(path)                       files -> tables of text
    checked = check(delivery, codes, known)              tables -> accepted rows, findings, counts
    checked = check_frames(frames, codes, known, ...)    the same for frames that a profile made
    screen(delivery)                                     personal data in raw files, before a profile reads them
    mend_workbook(delivery, checked.findings)            what the sender mends and returns

Nothing but findings comes back for bad input; `SampladsError` only where a delivery cannot be reached at all.
"""

from __future__ import annotations

from samplads.extracts.checking import COUNTS, Checked, check, check_frames, screen
from samplads.extracts.findings import RULES, SCHEMA, Finding, findings_frame, from_frame, place, rules, what_to_do
from samplads.extracts.findings import name as rule_name
from samplads.extracts.mending import mend_workbook
from samplads.extracts.reading import Delivery, Table, read_delivery

__all__ = [
    "COUNTS",
    "RULES",
    "SCHEMA",
    "Checked",
    "Delivery",
    "Finding",
    "Table",
    "check",
    "check_frames",
    "findings_frame",
    "from_frame",
    "mend_workbook",
    "place",
    "read_delivery",
    "rule_name",
    "rules",
    "screen",
    "what_to_do",
]
