"""The README's commands are run as they stand, in a folder of their own, and its promises about files hold."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import pytest

from samplads import settings

README = settings.ROOT / "README.md"
BLOCK = re.compile(r"<!-- run(?P<on> demo)? -->\n```sh\n(?P<lines>.*?)```", re.DOTALL)
BLOCKS = [(match["on"] is not None, match["lines"]) for match in BLOCK.finditer(README.read_text(encoding="utf-8"))]


def environment(folder: Path) -> dict[str, str]:
    """A warehouse and a ledger of the test's own; the `samplads` command of this interpreter first on the path."""
    return {
        **{name: value for name, value in os.environ.items() if not name.startswith("SAMPLADS_")},
        "PATH": f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}",
        "SAMPLADS_WAREHOUSE": str(folder / "warehouse"),
        "SAMPLADS_LEDGER_URL": f"sqlite:///{folder / 'ledger.sqlite'}",
    }


def run(script: str, folder: Path) -> str:
    done = subprocess.run(
        ["bash", "-euo", "pipefail", "-c", script], cwd=folder, env=environment(folder), capture_output=True, text=True, timeout=300
    )
    assert done.returncode == 0, f"{script}\n{done.stdout}\n{done.stderr}"
    return done.stdout


def test_the_readme_has_commands_that_are_run() -> None:
    assert len(BLOCKS) >= 3


def test_publishing_and_a_profile_work_as_written(tmp_path: Path) -> None:
    told = "".join(run(lines, tmp_path) for on_demo, lines in BLOCKS if not on_demo)
    # The two units of the first delivery, then with the two houses of the second on top.
    assert re.search(r"│ 2\s+┆ 14\s+┆ 12\s+┆ 1\s+┆ 1 ", told), told
    assert told.rstrip().endswith("4,30,26,1,3"), told
    again = run("samplads rollback && samplads query capacity_totals --param as_of=2026-11-02 --format csv", tmp_path)
    assert again.rstrip().endswith("2,14,12,1,1")


def test_matching_works_as_written(tmp_path: Path) -> None:
    run(f"samplads publish '{settings.ROOT / 'data' / 'demo'}'", tmp_path)
    told = "".join(run(lines, tmp_path) for on_demo, lines in BLOCKS if on_demo)
    assert "6 afdelinger passer" in told
    assert '"needs_assessment"' in told
    assert "2026-118" in told
    assert "København" in told


@pytest.mark.parametrize("target", re.findall(r"^make ([a-z]+)", README.read_text(encoding="utf-8"), flags=re.MULTILINE))
def test_the_targets_of_make_exist(target: str) -> None:
    assert re.search(rf"^{target}:", (settings.ROOT / "Makefile").read_text(encoding="utf-8"), flags=re.MULTILINE)


def test_the_settings_in_the_manual_are_those_of_the_code() -> None:
    manual = (settings.ROOT / "docs" / "installation.md").read_text(encoding="utf-8")
    code = "\n".join(path.read_text(encoding="utf-8") for path in (settings.ROOT / "samplads").rglob("*.py"))
    assert set(re.findall(r"`(SAMPLADS_[A-Z_]+)`", manual)) >= set(re.findall(r'"(SAMPLADS_[A-Z_]+)"', code))


def test_the_guide_uses_the_words_of_the_screen() -> None:
    from samplads import i18n

    guide = " ".join((settings.ROOT / "docs" / "da" / "vejledning.md").read_text(encoding="utf-8").split())
    for key in (
        *("overview.title", "vacancies.title", "match.title", "vacancies.more_filters", "vacancies.all_groups", "vacancies.open_by"),
        *("match.pick.described", "match.tab.why_not", "match.tab.near", "match.tab.assessment", "ui.pick.my_municipality"),
        *("overview.find", "app.about_page", "app.demo", "quality.title", "ui.pick.target_groups", "ui.pick.offer_types"),
    ):
        assert i18n.text(key, "da") in guide, key
