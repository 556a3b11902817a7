"""The colours are said once: what Streamlit is told in config.toml is what the charts use, and it can be read."""

from __future__ import annotations

import tomllib

import pytest

from samplads import settings
from samplads.presenting import theme

CONFIG = tomllib.loads((settings.ROOT / ".streamlit" / "config.toml").read_text(encoding="utf-8"))


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.1)."""
    parts = [int(colour[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    low, high = sorted((luminance(one), luminance(other)))
    return (high + 0.05) / (low + 0.05)


def test_streamlit_has_the_same_colours_as_the_charts():
    light, dark = CONFIG["theme"]["light"], CONFIG["theme"]["dark"]
    assert (light["primaryColor"], light["textColor"], light["backgroundColor"]) == (theme.ACCENT, theme.TEXT, theme.PAPER)
    assert (light["orangeColor"], light["redColor"], light["borderColor"]) == (theme.WARNING, theme.STOP, theme.LINE)
    assert (dark["primaryColor"], dark["textColor"], dark["backgroundColor"]) == (theme.ACCENT_DARK, theme.TEXT_DARK, theme.PAPER_DARK)
    assert (dark["orangeColor"], dark["redColor"], dark["borderColor"]) == (theme.WARNING_DARK, theme.STOP_DARK, theme.LINE_DARK)
    assert CONFIG["theme"]["chartCategoricalColors"] == list(theme.CATEGORICAL)
    assert CONFIG["theme"]["chartSequentialColors"] == list(theme.SEQUENTIAL)
    assert CONFIG["theme"]["chartDivergingColors"] == list(theme.DIVERGING)


@pytest.mark.parametrize(
    ("ink", "paper"),
    [
        (theme.TEXT, theme.PAPER),
        (theme.MUTED, theme.PAPER),
        (theme.MUTED, theme.PANEL),
        (theme.ACCENT, theme.PAPER),
        (theme.WARNING, theme.PAPER),
        (theme.STOP, theme.PAPER),
        (theme.TEXT_DARK, theme.PAPER_DARK),
        (theme.ACCENT_DARK, theme.PAPER_DARK),
        (theme.WARNING_DARK, theme.PAPER_DARK),
        (theme.STOP_DARK, theme.PAPER_DARK),
        (theme.TEXT, theme.STATE_COLOURS["idle"]),
        (theme.PAPER, theme.STATE_COLOURS["accepting"]),
        (theme.PAPER, theme.STATE_COLOURS["occupied"]),
        (theme.PAPER, theme.STATE_COLOURS["reserved"]),
    ],
)
def test_text_can_be_read_on_its_ground(ink, paper):
    assert contrast(ink, paper) >= 4.5
    assert contrast(theme.DARK.get(ink, ink), theme.DARK.get(paper, paper)) >= 4.5


MARKS = (*theme.CATEGORICAL, *theme.FRESHNESS_COLOURS.values(), theme.MUTED, theme.WARNING, theme.STOP)


@pytest.mark.parametrize("mark", sorted(set(MARKS)))
def test_a_mark_stands_out_from_its_page_light_and_dark(mark):
    assert contrast(mark, theme.PAPER) >= 3
    assert contrast(theme.DARK[mark], theme.PAPER_DARK) >= 3


@pytest.mark.parametrize("mark", [*theme.FRESHNESS_COLOURS.values(), theme.CATEGORICAL[1], theme.MUTED])
def test_a_mark_stands_out_from_the_land_of_a_map(mark):
    assert contrast(mark, theme.LAND) >= 3
    assert contrast(theme.DARK[mark], theme.DARK[theme.LAND]) >= 3


@pytest.mark.parametrize("colour", [*theme.FRESHNESS_COLOURS.values(), *theme.CATEGORICAL[:4]])
def test_marks_stand_out_from_the_page(colour):
    assert contrast(colour, theme.PAPER) >= 3


def test_no_meaning_rests_on_colour_alone():
    for meanings in (theme.FRESHNESS_SIGNS, theme.FRESHNESS_SHAPES, theme.VERDICT_SIGNS):
        assert len(set(meanings.values())) == len(meanings)
    assert set(theme.FRESHNESS_SIGNS) == set(theme.FRESHNESS_SHAPES) == set(theme.FRESHNESS_COLOURS) == set(theme.FRESHNESS)
    assert set(theme.STATE_COLOURS) == set(theme.STATES)


def test_nothing_is_fetched_or_sent():
    assert CONFIG["browser"]["gatherUsageStats"] is False
    for face in CONFIG["theme"]["fontFaces"]:
        file = settings.ROOT / "static" / face["url"].removeprefix("app/static/")
        assert file.read_bytes()[:4] == b"wOF2"
    assert (settings.ROOT / "static" / "ibm-plex-sans-LICENSE.txt").read_text().count("SIL OPEN FONT LICENSE") >= 1
