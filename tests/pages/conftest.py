"""Pages run by AppTest on the demonstration data, published once."""

from __future__ import annotations

from pathlib import Path

import pytest

from samplads import settings
from samplads.publishing import publish


@pytest.fixture(scope="session")
def demo(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A warehouse folder with the committed demonstration delivery."""
    folder = tmp_path_factory.mktemp("demo")
    publish([settings.ROOT / "data" / "demo"], folder=folder)
    return folder
