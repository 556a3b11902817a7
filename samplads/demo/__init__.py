"""Made-up deliveries: synthetic, drawn from a seed, for showing, learning and measuring. No row is about a real person or a real offer."""

from __future__ import annotations

from samplads.demo.delivery import SCALES, Demo, compose, generate, write

__all__ = ["SCALES", "Demo", "compose", "generate", "write"]
