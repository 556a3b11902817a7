"""The colours and type of the product, said once.

`.streamlit/config.toml` holds the same values for Streamlit's own parts (a test compares the two). One accent, one warning, one stop; a
meaning never rests on colour alone: each freshness band and each state of a place also has a sign.
"""

from __future__ import annotations

from typing import Any

FONT = "IBM Plex Sans"
FONT_STACK = f"'{FONT}', sans-serif"

ACCENT = "#0b4a8f"
ACCENT_SOFT = "#d9e6f4"
WARNING = "#9a5b00"
STOP = "#b3261e"
TEXT = "#1b2733"
MUTED = "#5b6875"
LINE = "#d5dbe1"
LAND = "#eef1f4"
COAST = "#9aa6b2"
PAPER = "#ffffff"
PANEL = "#f5f7f9"

# The same on a dark page.
ACCENT_DARK = "#7fb2ea"
WARNING_DARK = "#e5a84b"
STOP_DARK = "#f28b82"
TEXT_DARK = "#e6ebf0"
PAPER_DARK = "#12181f"
PANEL_DARK = "#1b232c"
LINE_DARK = "#33404d"

CATEGORICAL = (ACCENT, "#c77700", "#4f8a8b", "#7a5ea8", "#80909f", "#a34a6b")
"""Series that are kinds of one thing, in order."""

SEQUENTIAL = ("#eaf1f8", "#d9e6f4", "#bdd4ec", "#9dc0e3", "#7aa8d6", "#578fc7", "#3a76b3", "#225f9f", "#0b4a8f", "#07366a")
DIVERGING = ("#9a5b00", "#bd7d1e", "#d9a45a", "#ecc996", "#f6e8d2", "#dfe9f3", "#b5cfe8", "#7fa9d6", "#3f78b5", "#0b4a8f")

FRESHNESS = ("fresh", "ageing", "stale")
"""Bands of confirmation, best first: also the order in which units rank. What nobody has confirmed is stale."""

FRESHNESS_COLOURS = {"fresh": ACCENT, "ageing": "#c77700", "stale": "#7d8894"}
FRESHNESS_SIGNS = {"fresh": "●", "ageing": "◆", "stale": "▲"}
FRESHNESS_SHAPES = {"fresh": "circle", "ageing": "diamond", "stale": "triangle-up"}

STATES = ("occupied", "reserved", "accepting", "idle")
"""The four states of a place: occupied, reserved, accepting, and in no use (maximum less the three)."""

STATE_COLOURS = {"occupied": "#626e7a", "reserved": WARNING, "accepting": ACCENT, "idle": "#e1e6eb"}

VERDICT_SIGNS = {"pass": "✓", "warn": "!", "fail": "✗", "unknown": "?"}
VERDICT_COLOURS = {"pass": ACCENT, "warn": WARNING, "fail": STOP, "unknown": MUTED}

DARK = {
    ACCENT: ACCENT_DARK,
    ACCENT_SOFT: "#24486e",
    WARNING: WARNING_DARK,
    STOP: STOP_DARK,
    TEXT: TEXT_DARK,
    PAPER: PAPER_DARK,
    PANEL: PANEL_DARK,
    LINE: LINE_DARK,
    LAND: LINE_DARK,
    COAST: "#5f6c79",
    MUTED: "#a0abb6",
    "#c77700": "#e59a2e",
    "#4f8a8b": "#6fb3b4",
    "#7a5ea8": "#b39ddb",
    "#80909f": "#9fb0c0",
    "#a34a6b": "#e08aa8",
    FRESHNESS_COLOURS["stale"]: "#a3afbb",
    STATE_COLOURS["occupied"]: "#8b98a5",
    STATE_COLOURS["idle"]: "#3a4754",
}
"""What each colour of a chart is on a dark page: every mark stands out from its ground at least three to one (WCAG 2.2, 1.4.11)."""

_LOCALES: dict[str, dict[str, Any]] = {
    "da": {
        "number": {"decimal": ",", "thousands": ".", "grouping": [3], "currency": ["", " kr."], "minus": "\N{MINUS SIGN}"},
        "time": {
            "dateTime": "%A den %d. %B %Y %X",
            "date": "%d.%m.%Y",
            "time": "%H:%M:%S",
            "periods": ["AM", "PM"],
            "days": ["søndag", "mandag", "tirsdag", "onsdag", "torsdag", "fredag", "lørdag"],
            "shortDays": ["søn", "man", "tir", "ons", "tor", "fre", "lør"],
            "months": [
                *("januar", "februar", "marts", "april", "maj", "juni"),
                *("juli", "august", "september", "oktober", "november", "december"),
            ],
            "shortMonths": ["jan", "feb", "mar", "apr", "maj", "jun", "jul", "aug", "sep", "okt", "nov", "dec"],
        },
    },
    "en": {
        "number": {"decimal": ".", "thousands": ",", "grouping": [3], "currency": ["", " kr"], "minus": "\N{MINUS SIGN}"},
        "time": {
            "dateTime": "%A %e %B %Y %X",
            "date": "%e %b %Y",
            "time": "%H:%M:%S",
            "periods": ["AM", "PM"],
            "days": ["Sunday", "Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday"],
            "shortDays": ["Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"],
            "months": [
                *("January", "February", "March", "April", "May", "June"),
                *("July", "August", "September", "October", "November", "December"),
            ],
            "shortMonths": ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"],
        },
    },
}


def vega_locale(language: str) -> dict[str, Any]:
    """Number and day forms for Vega's axes, legends and tooltips."""
    return _LOCALES[language]


def altair_config(language: str) -> dict[str, Any]:
    """Vega-Lite's `config`: our type, colours (of a light page) and number forms."""
    return {
        "locale": vega_locale(language),
        "font": FONT_STACK,
        "background": "transparent",
        "view": {"stroke": None},
        "axis": {"labelFontSize": 13, "titleFontSize": 13, "titleFontWeight": "normal", "domain": False, "ticks": False, "labelLimit": 280},
        "legend": {
            "labelFontSize": 13,
            "titleFontSize": 13,
            "titleFontWeight": "normal",
            "labelLimit": 280,
            "titleLimit": 280,
            "symbolFillColor": MUTED,
            "layout": {"bottom": {"direction": "vertical", "anchor": "start", "margin": 6}},
        },
        "range": {"category": list(CATEGORICAL), "ramp": list(SEQUENTIAL), "diverging": list(DIVERGING)},
        "bar": {"color": ACCENT, "cornerRadiusEnd": 2},
        "line": {"color": ACCENT, "strokeWidth": 2},
        "point": {"color": ACCENT, "filled": True, "size": 60},
    }
