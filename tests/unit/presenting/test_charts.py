from __future__ import annotations

import datetime as dt
import json
import re

import polars as pl
import pytest
import vl_convert

from samplads.presenting import charts, theme

TOWNS = pl.DataFrame(
    {
        "municipality_name": ["Køge", "Næstved", None, "Ø"],
        "accepting": [3, 12031, 0, 1],
        "freshness": ["fresh", "stale", "ageing", "fresh"],
        "lat": [55.4, 55.2, None, 56.0],
        "lon": [12.2, 11.8, None, 10.0],
        "daily_rate_ore": [284550, None, 100, 200],
        "km": [1.0, 2.0, None, 4.0],
        "day": [dt.date(2026, 1, 1), dt.date(2026, 2, 1), dt.date(2026, 3, 1), dt.date(2026, 4, 1)],
        "kind": ["a", "b", "a", "b"],
    }
)
OUTLINE = {"type": "Feature", "geometry": {"type": "Polygon", "coordinates": [[[8.0, 55.0], [12.0, 55.0], [12.0, 57.0], [8.0, 55.0]]]}}


def drawn(chart: object, language: str = "da", dark: bool = False) -> str:
    """The chart as SVG: proof that Vega accepts it, and what stands in it."""
    spec = charts.themed(chart, language, dark)  # type: ignore[arg-type]
    json.dumps(spec)
    number, time = (theme.vega_locale(language)[part] for part in ("number", "time"))
    svg: str = vl_convert.vegalite_to_svg(spec | {"width": 600}, format_locale=number, time_format_locale=time)
    return svg


@pytest.mark.parametrize("language", ["da", "en"])
@pytest.mark.parametrize("dark", [False, True])
def test_every_chart_is_drawn(language: str, dark: bool) -> None:
    for chart in (
        charts.bars(TOWNS, "municipality_name", "accepting", language, highlight=["Køge"]),
        charts.bars(TOWNS, "municipality_name", "daily_rate_ore", language, colour="kind"),
        charts.line(TOWNS, "day", "accepting", language, series="kind"),
        charts.line(TOWNS, "km", "daily_rate_ore", language),
        charts.scatter(TOWNS, "km", "daily_rate_ore", language, name="municipality_name", kind="kind", select="picked"),
        charts.states(6, 1, 1, 8, language),
        charts.bubble_map(TOWNS, OUTLINE, language),
        charts.bubble_map(TOWNS, {"type": "FeatureCollection", "features": [OUTLINE]}, language),
        charts.bubble_map(TOWNS, OUTLINE["geometry"], language),
        charts.bubble_map(TOWNS.clear(), None, language),
    ):
        assert drawn(chart, language, dark).startswith("<svg")


def test_charts_speak_danish() -> None:
    bars = drawn(charts.bars(TOWNS, "municipality_name", "accepting", "da"))
    assert "12.031" in bars
    assert "Åbne" in bars
    assert "12,031" not in bars
    months = drawn(charts.line(TOWNS, "day", "accepting", "da"))
    assert "maj" in drawn(charts.line(TOWNS.with_columns(pl.col("day").dt.offset_by("1mo")), "day", "accepting", "da"))
    assert "jan 2026" in months


def test_money_is_drawn_in_kroner() -> None:
    svg = drawn(charts.bars(TOWNS, "municipality_name", "daily_rate_ore", "da"))
    assert "2.846 kr./døgn" in svg.replace("\N{NO-BREAK SPACE}", " ")
    assert "284.550" not in svg


def test_a_page_in_the_dark_has_light_text() -> None:
    svg = drawn(charts.bars(TOWNS, "municipality_name", "accepting", "da"), dark=True)
    assert theme.TEXT_DARK in svg
    assert theme.TEXT not in svg


def test_no_colour_of_a_light_page_is_left_in_the_dark() -> None:
    assert not set(theme.DARK) & set(theme.DARK.values())
    for chart in (
        charts.scatter(TOWNS, "km", "daily_rate_ore", "da", name="municipality_name", kind="kind", select="picked"),
        charts.states(6, 1, 1, 8, "da"),
        charts.bubble_map(TOWNS, OUTLINE, "da"),
    ):
        light, dark = (json.dumps(charts.themed(chart, "da", shade) | {"datasets": None}) for shade in (False, True))
        assert [colour for colour in theme.DARK.values() if f'"{colour}"' in light] == []
        assert [colour for colour in theme.DARK if f'"{colour}"' in dark] == []
        assert theme.ACCENT_DARK in dark


def test_the_datasets_of_a_chart_are_not_recoloured() -> None:
    towns = TOWNS.with_columns(pl.lit(theme.ACCENT).alias("municipality_name"))
    spec = charts.themed(charts.bars(towns, "municipality_name", "accepting", "da"), "da", True)
    assert theme.ACCENT in json.dumps(spec["datasets"])


def test_every_chart_says_in_words_what_it_shows() -> None:
    def said(text: str) -> str:
        return text.replace("\N{NO-BREAK SPACE}", " ")

    assert said(charts.bars_alt(TOWNS, "municipality_name", "accepting", "da")) == (
        "Søjlediagram. Åbne: Køge 3; Næstved 12.031; ukendt 0; Ø 1."
    )
    assert "og 2 til" in said(charts.bars_alt(TOWNS, "municipality_name", "accepting", "da", most=2))
    assert said(charts.line_alt(TOWNS, "day", "accepting", "da")) == (
        "Kurve. Åbne: fra 3 (01.01.2026) til 1 (01.04.2026), højest 12.031 (01.02.2026)."
    )
    assert "a: fra 3" in charts.line_alt(TOWNS, "day", "accepting", "da", series="kind")
    assert "ukendt" in charts.line_alt(TOWNS.clear(), "day", "accepting", "da")
    assert "Køge: 1 km, 2.846 kr./døgn" in said(charts.scatter_alt(TOWNS, "km", "daily_rate_ore", "da", name="municipality_name"))
    assert charts.bubble_map_alt(TOWNS, "da") == "Kort. Åbne i 3 kommuner; flest: Næstved 12.031; Køge 3; Ø 1."
    assert charts.bubble_map_alt(TOWNS.clear(), "da") == "Kort. Åbne i 0 kommuner; flest: 0."


@pytest.mark.parametrize(("width", "seen"), [(1000, {"90", "8"}), (150, {"90"})])
def test_a_part_of_the_states_has_its_number_where_it_has_room(width: int, seen: set[str]) -> None:
    spec = charts.themed(charts.states(90, 1, 8, 99, "da"), "da") | {"width": width}
    texts = re.findall(r"<text([^>]*)>(90|8|1)</text>", vl_convert.vegalite_to_svg(spec))
    assert len(texts) == 3
    assert {text for marks, text in texts if 'opacity="0"' not in marks} == seen


def test_the_four_states_are_told_also_when_they_do_not_add_up() -> None:
    assert charts.states_alt(6, 1, 1, 9, "da") == "6 belagt, 1 reserveret, 1 åben og 1 ikke i brug af 9 pladser i alt."
    assert charts.states_alt(9, 0, 1, 8, "da").endswith("Der er opgivet flere pladser, end afdelingen har.")
    assert "ukendt pladser" in charts.states_alt(None, None, None, None, "da")
    assert drawn(charts.states(None, None, None, None, "da")).startswith("<svg")


def test_a_map_tells_freshness_by_shape_as_well_as_colour() -> None:
    svg = drawn(charts.bubble_map(TOWNS, None, "da"))
    for colour in (theme.FRESHNESS_COLOURS["fresh"], theme.FRESHNESS_COLOURS["stale"]):
        assert colour in svg
    for word in ("frisk", "ældre", "forældet"):
        assert word in svg
