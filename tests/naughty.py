"""Strings that break what is careless with text, published as what people call their units: for tests of every page that shows them.

The public list lies beside the project (`../shared/real/blns.json`); where it is not, a few of its kind are used.
"""

from __future__ import annotations

import datetime as dt
import json
from pathlib import Path

from samplads import policy, settings, warehouse
from samplads.workbench import analyst_copy
from samplads.workbench.analyst_copy import Disclosure
from tests import small

LIST = settings.ROOT.parent / "shared" / "real" / "blns.json"
FEW = [
    *("<script>window.naughty = 1</script>", "<img src=x onerror='window.naughty = 1'>", '"><svg/onload=window.naughty=1>', "<b>bold</b>"),
    *("[link](javascript:window.naughty=1)", "![x](http://example.invalid/x.png)", "=1+1", "{{7*7}}", "{0}", "%s", "$x$", ":red[x]", "# h"),
    *("\u202etest\u202e", "Ṱ̺̺̕o͞ ̷i̲̬", "null", "' OR 1=1 --", "\U0001f469\u200d\U0001f469\u200d\U0001f467", "`code`", "- [ ] x", "|a|b|"),
]


def strings() -> list[str]:
    """The strings; those of the list that run something leave a mark in the window as well."""
    told = json.loads(LIST.read_text(encoding="utf-8")) if LIST.is_file() else []
    return [*FEW, *(text.replace("alert(", "(window.naughty=1)||alert(") for text in told if text.strip())]


def publish(folder: Path) -> warehouse.Version:
    """A warehouse whose units, offers and notes are called by the strings, each with places, an approval and a need beside."""
    texts = strings()
    units = [
        {
            **small.UNITS[0],
            **{"unit_id": f"U-{number}", "offer_id": f"T-{number}", "name": text[:500], "offer_name": text[:200], "note": text[:500]},
            **{"operator": text[:200], "address": text[:200], "daily_rate_ore": 284500, "price_year": 2026},
        }
        for number, text in enumerate(texts)
    ]
    counted = {"as_of": small.DAY, "maximum": 8, "occupied": 6, "reserved": 1, "accepting": 1, "status": "open", "confirmed_at": small.DAY}
    frames = {
        "unit": units,
        "capacity": [{"unit_id": unit["unit_id"], **counted, "confirmed_by": unit["name"][:100]} for unit in units],
        "target_group_approval": [{"unit_id": unit["unit_id"], "target_group": small.AUTISM, "rank": "primary"} for unit in units],
        "need": [
            {"need_id": f"N-{number}", "municipality": "370", "registered_on": small.DAY - dt.timedelta(days=9), "note": text[:500]}
            | {"status": "open", "target_groups": [small.AUTISM], "offer_types": ["A108"], "age": 24, "support_level": 2}
            for number, text in enumerate(texts[:40])
        ],
    }
    limits = Disclosure.from_values(policy.load("disclosure", small.DAY).values)
    archived = small.archived(frames, name=texts[0], synthetic=True)
    version, _ = warehouse.publish([archived], small.reference(), folder, beside=lambda made, copy: analyst_copy.build(made, copy, limits))
    return version
