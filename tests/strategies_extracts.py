"""Made deliveries: units and capacities with every sort of good and bad cell."""

from __future__ import annotations

from hypothesis import strategies as st

IDS = st.sampled_from(["A-1", "A-2", "A-3", " A-1 ", "", "?"])
WHOLE = st.sampled_from(["0", "1", "8", "20", "8,0", "8,5", "1.046", "", "-", "x", "-1", "121"])
DAYS = st.sampled_from(["2026-11-01", "01.11.2026", "31.12.2020", "31.02.2026", "", "ukendt", "i morgen"])
MONEY = st.sampled_from(["2.845,50", "2845", "0", "", "-5", "mange"])
YEARS = st.sampled_from(["2026", "2026", "", "26", "2200"])
COVERS = st.sampled_from(["vågen", "Awake", "ingen", "none", "", "vagt"])
CODES = st.sampled_from(["370", "259", "999", ""])
NAMES = st.sampled_from(["Birk", "Eg", "", "Æ; ø\nå", 'to "ord"'])

UNITS = st.lists(
    st.fixed_dictionaries(
        {
            **{"unit_id": IDS, "offer_id": NAMES, "name": NAMES, "municipality": CODES, "night_cover": COVERS, "age_from": WHOLE},
            **{"age_to": WHOLE, "daily_rate": MONEY, "price_year": YEARS, "approved_until": DAYS},
        }
    ),
    max_size=8,
)
CAPACITIES = st.lists(
    st.fixed_dictionaries({"unit_id": IDS, "as_of": DAYS, "maximum": WHOLE, "occupied": WHOLE, "reserved": WHOLE, "accepting": WHOLE}),
    max_size=8,
)
