"""What pages are built of. Pages and this package are the only parts that know Streamlit.

A page asks for values (`pick_*`), fetches an answer (`query`), says it (`answer`, `metrics`) and shows it (`table`, `chart`). Everything a
person chooses has a key and lives in the URL, so that a view is a link. `docs/pages.md` shows how a page is made.
"""

from __future__ import annotations

from samplads.ui.data import coast_caption, freshness, map_caption, meta, outline, query, reference_texts, rules
from samplads.ui.filters import filter_names, parameters, vacancy_filters
from samplads.ui.page import answer, configure, empty, navigate, note, page, shell, warn
from samplads.ui.pick import (
    Assumption,
    assumed,
    assumptions,
    municipality,
    pick_choices,
    pick_day,
    pick_kr,
    pick_municipalities,
    pick_municipality,
    pick_number,
    pick_offer_types,
    pick_one,
    pick_region,
    pick_several,
    pick_share,
    pick_target_groups,
    pick_text,
    pick_yes,
    target_group_names,
)
from samplads.ui.session import day, language, say, warehouse
from samplads.ui.show import Metric, chart, export, link, metrics, place_map, selected, table
from samplads.ui.unit import normal_occupancy_pct, unit

__all__ = [
    "Assumption",
    "Metric",
    "answer",
    "assumed",
    "assumptions",
    "chart",
    "coast_caption",
    "configure",
    "day",
    "empty",
    "export",
    "filter_names",
    "freshness",
    "language",
    "link",
    "map_caption",
    "meta",
    "metrics",
    "municipality",
    "navigate",
    "normal_occupancy_pct",
    "note",
    "outline",
    "page",
    "parameters",
    "pick_choices",
    "pick_day",
    "pick_kr",
    "pick_municipalities",
    "pick_municipality",
    "pick_number",
    "pick_offer_types",
    "pick_one",
    "pick_region",
    "pick_several",
    "pick_share",
    "pick_target_groups",
    "pick_text",
    "pick_yes",
    "place_map",
    "query",
    "reference_texts",
    "rules",
    "say",
    "selected",
    "shell",
    "table",
    "target_group_names",
    "unit",
    "vacancy_filters",
    "warehouse",
    "warn",
]
