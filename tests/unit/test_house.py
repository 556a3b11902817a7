"""What holds for the whole house: its queries, its documents, its boundaries, its dependencies, and what no file of it may hold."""

from __future__ import annotations

import ast
import datetime as dt
import re
import subprocess
import tomllib
from importlib import metadata
from pathlib import Path

import duckdb
import pytest

from samplads import i18n, queries, queries_document, settings
from samplads.contracts import CONTRACTS
from samplads.workbench import library
from tests import small

ROOT = settings.ROOT
QUERIES = ROOT / "queries"
ASKED = sorted(QUERIES.glob("*.sql"))
BUILDS = sorted((QUERIES / "warehouse").glob("*.sql"))
PROFILES = sorted((QUERIES / "import").glob("*/*.sql"))
REVIEWED = sorted((QUERIES / "workbench").glob("*.sql"))
REVIEWED_TWINS = Path("tests") / "reference_workbench.py"
HEADER = ("One row is", "Grain:", "Read by:")


def kept() -> list[Path]:
    """The files of the project, as git lists them; all but what is ignored where there is no git."""
    try:
        listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, check=True).stdout
    except (OSError, subprocess.CalledProcessError):
        return [path for path in ROOT.rglob("*") if path.is_file() and not {".venv", "var", ".git", "__pycache__"} & set(path.parts)]
    return [path for name in listed.decode().split("\0") if name and (path := ROOT / name).is_file()]


def texts() -> list[tuple[Path, str]]:
    found = []
    for path in kept():
        content = path.read_bytes()
        if b"\0" not in content:
            found.append((path.relative_to(ROOT), content.decode("utf-8", errors="replace")))
    return found


@pytest.mark.parametrize("path", [*ASKED, *BUILDS, *PROFILES], ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_query_says_what_one_row_is_its_grain_and_who_reads_it(path: Path) -> None:
    lines = path.read_text(encoding="utf-8").splitlines()
    head = [line.removeprefix("-- ") for line in lines if line.startswith("-- ")]
    places = [next((at for at, line in enumerate(head) if line.startswith(word)), None) for word in HEADER]
    assert None not in places, f"{path.name} lacks one of {HEADER}"
    assert places == sorted(places, key=lambda at: -1 if at is None else at)
    assert places[0] == 0


@pytest.mark.parametrize("path", [*ASKED, *BUILDS, *PROFILES, *REVIEWED], ids=lambda path: f"{path.parent.name}/{path.stem}")
def test_a_query_is_one_statement(path: Path) -> None:
    statements = duckdb.connect().extract_statements(path.read_text(encoding="utf-8"))
    assert [str(one.type).rpartition(".")[2] for one in statements] == ["SELECT"]


@pytest.mark.parametrize("path", ASKED, ids=lambda path: path.stem)
def test_the_header_names_the_parameters(path: Path) -> None:
    told = queries.get(path.stem)
    said = " ".join(line for line in path.read_text(encoding="utf-8").splitlines() if line.startswith("--"))
    others = set(re.findall(r"parameters: as ([a-z_]+)", said))
    known = set(re.findall(r"\$([a-z_]+)", said)).union(*(queries.get(name).parameters for name in others))
    assert told.parameters <= known, told.parameters - known
    assert told.parameters or "parameters: none" in said


def test_every_query_is_in_the_document() -> None:
    """Anew: `python -m samplads.queries_document`."""
    page = queries_document.page()
    assert queries_document.PAGE.read_text(encoding="utf-8") == page
    for path in (*ASKED, *BUILDS, *PROFILES):
        assert f"{path.stem}`" in page
    for one in library.all_queries():
        assert f"`workbench/{one.name}`" in page


WITHOUT_A_TWIN = {"night_incident_rates": "its twin is written out where it is tested, in tests/queries/test_night_cover.py"}
"""Queries without a slow twin in `tests/reference*.py`, each with the reason."""


def twins_in(path: Path) -> bool:
    """Whether a test module takes a slow twin of `tests/reference*.py` in."""
    for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
        if isinstance(node, ast.ImportFrom) and node.module is not None:
            named = [f"{node.module}.{alias.name}" for alias in node.names]
        elif isinstance(node, ast.Import):
            named = [alias.name for alias in node.names]
        else:
            continue
        if any(name.startswith("tests.reference") for name in named):
            return True
    return False


def test_every_query_is_held_against_a_slow_twin() -> None:
    """By a module that names it and takes a twin in; a profile by its name, a reviewed query by a twin of its own name."""
    tests = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py") if twins_in(path))
    wanted = [path.stem for path in ASKED] + sorted({path.parent.name for path in PROFILES})
    assert [name for name in wanted if f'"{name}"' not in tests and name not in WITHOUT_A_TWIN] == []
    assert WITHOUT_A_TWIN.keys() <= set(wanted)
    defined = {
        node.name for node in ast.parse((ROOT / REVIEWED_TWINS).read_text(encoding="utf-8")).body if isinstance(node, ast.FunctionDef)
    }
    assert [path.stem for path in REVIEWED if path.stem not in defined] == []


@pytest.fixture(scope="module")
def made(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return small.publish(tmp_path_factory.mktemp("house")).path


@pytest.mark.parametrize("path", ASKED, ids=lambda path: path.stem)
def test_every_column_of_a_query_has_a_header_in_both_languages(path: Path, made: Path) -> None:
    days = dict.fromkeys(("as_of", "day"), dt.date(2026, 11, 1))
    values = {name: days.get(name) for name in queries.get(path.stem).parameters}
    delivered = {name for contract in CONTRACTS.values() for name in contract.columns()}
    columns = queries.run(path.stem, made, **values).columns
    for language in i18n.LANGUAGES:
        assert [name for name in columns if name not in delivered and not i18n.has(f"columns.{name}", language)] == []


def test_every_document_that_is_linked_exists() -> None:
    broken = []
    for path, text in texts():
        if path.suffix == ".md" and path.parts[0] not in {"pages"}:
            for target in re.findall(r"\]\(([^)#\s]+)[^)]*\)", text):
                if "://" not in target and not (ROOT / path.parent / target).exists():
                    broken.append((str(path), target))
    assert broken == []


def test_decisions_are_numbered_once_and_say_why() -> None:
    files = sorted((ROOT / "docs" / "decisions").glob("*.md"))
    numbers = [path.name[:4] for path in files]
    assert len(set(numbers)) == len(numbers)
    for path in files:
        assert re.match(r"\d{4}-[a-z0-9-]+\.md$", path.name), path.name
        assert path.read_text(encoding="utf-8").startswith("# "), path.name


def test_boundaries_are_sentences() -> None:
    told = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["tool"]["importlinter"]["contracts"]
    names = [contract["name"] for contract in told]
    assert len(set(names)) == len(names) >= 6
    assert all(len(name.split()) >= 5 and name[0].isupper() for name in names)


PAGES = sorted((ROOT / "pages").glob("*.py"))
NOT_IN_PAGES = {"duckdb", "sqlalchemy", "sqlite3", "pathlib", "os", "io", "shutil", "yaml", "random", "pyarrow", "requests", "urllib"}
SQL = re.compile(r"\b(select|insert|update|delete)\b.+\b(from|into|set)\b", re.IGNORECASE | re.DOTALL)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_pages_write_no_sql_and_open_no_files(path: Path) -> None:
    tree = ast.parse(path.read_text(encoding="utf-8"))
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            imported = {alias.name.split(".")[0] for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            imported = {str(node.module).split(".")[0]}
        else:
            imported = set()
        assert not imported & NOT_IN_PAGES, imported
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Name):
            assert node.func.id not in {"open", "eval", "exec", "print"}, node.func.id
        if isinstance(node, ast.Constant) and isinstance(node.value, str):
            assert not SQL.search(node.value), node.value
    assert ast.get_docstring(tree), "the page's question"


REQUIREMENT = re.compile(r"^([A-Za-z0-9_.-]+)(?:\[[a-z,]+\])?==([^\s;#]+)\s*(#.*)?$")


@pytest.mark.parametrize("name", ["requirements.txt", "requirements-dev.txt"])
def test_requirements_are_pinned_and_are_what_is_installed(name: str) -> None:
    lines = (ROOT / name).read_text(encoding="utf-8").splitlines()
    wanted = [line for line in lines if line and not line.startswith(("#", "-r "))]
    read = [REQUIREMENT.match(line) for line in wanted]
    assert [line for line, found in zip(wanted, read, strict=True) if found is None] == []
    pinned = {found[1]: found[2] for found in read if found}
    assert {package: metadata.version(package) for package in pinned} == pinned
    if name == "requirements.txt":
        assert [found[1] for found in read if found and not found[3]] == [], "a comment says why each is there"


SHAPED = re.compile(r"(?<!\d)(\d\d)(\d\d)\d\d-\d{4}(?!\d)")
TESTS = Path("tests")
"""Tests that such a number is found and refused need one to find: invented ones, never delivered."""
MACHINE = re.compile(r"(?<![\w./])/(?:work|root|home)/|(?<![\w./])/Users/")
HOSTS = ("pypi" + ".org", "pythonhosted" + ".org", "npmjs" + ".org", "registry" + ".npm", "crates" + ".io", "proxy.golang" + ".org")


def test_no_file_holds_what_looks_like_a_persons_number() -> None:
    found = [
        (str(path), match[0])
        for path, text in texts()
        if not path.is_relative_to(TESTS)
        for match in SHAPED.finditer(text)
        if 1 <= int(match[1]) % 40 <= 31 and 1 <= int(match[2]) <= 12
    ]
    assert found == []


def test_no_file_names_a_machines_folders_or_a_registry() -> None:
    found = [
        (str(path), match[0]) for path, text in texts() if path != Path("tests/unit/test_house.py") for match in MACHINE.finditer(text)
    ]
    found += [(str(path), host) for path, text in texts() for host in HOSTS if host in text]
    assert found == []


def test_pictures_are_light_and_used() -> None:
    pictures = sorted((ROOT / "docs" / "screenshots").glob("*"))
    readable = "\n".join(text for path, text in texts() if path.suffix == ".md")
    for path in pictures:
        assert path.suffix == ".png"
        assert path.stat().st_size < 300_000, path.name
        assert f"screenshots/{path.name}" in readable, path.name
