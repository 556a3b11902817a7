"""How properties are tried.

A run of the tests tries the same made cases each time, so that a fault that it finds can be found again anywhere, and a change is judged
by what it changed. `SAMPLADS_EXPLORE=1` draws new cases in every run and remembers those that failed.
"""

from __future__ import annotations

import os

from hypothesis import settings

EXPLORES = bool(os.environ.get("SAMPLADS_EXPLORE"))

# Before any test module is imported: their own settings are built on the profile that is loaded then.
settings.register_profile("same", derandomize=True)
settings.load_profile("default" if EXPLORES else "same")
