"""Nouns that all domains share: the words of the field, the order of night cover, how fresh a vacancy is, how far apart two points are.

The words are the same as in the contracts (a test holds the two together), but the domain does not import them from there: it must work
on frames from anywhere.
"""

from __future__ import annotations

import datetime as dt
from dataclasses import dataclass
from typing import Final, Literal, get_args

import numpy as np
from numpy.typing import ArrayLike, NDArray

from samplads.errors import SampladsError

OperatorKind = Literal["municipal", "regional", "self_owning", "private"]
NightCover = Literal["none", "on_call", "sleeping", "awake"]
ApprovalStatus = Literal["approved", "conditional", "suspended", "withdrawn", "not_required"]
ApprovalRank = Literal["primary", "secondary", "excluded"]
IntakeStatus = Literal["open", "closed", "waiting_list", "needs_assessment"]
Urgency = Literal["normal", "urgent", "acute"]
Setting = Literal["alone", "with_others"]
FreshnessBand = Literal["fresh", "ageing", "stale"]

OPERATOR_KINDS: Final[tuple[str, ...]] = get_args(OperatorKind)
NIGHT_COVERS: Final[tuple[str, ...]] = get_args(NightCover)
"""From the least cover to the most: none < on_call < sleeping < awake."""
APPROVAL_STATUSES: Final[tuple[str, ...]] = get_args(ApprovalStatus)
INTAKE_STATUSES: Final[tuple[str, ...]] = get_args(IntakeStatus)
URGENCIES: Final[tuple[str, ...]] = get_args(Urgency)
"""From the least urgent to the most."""
SETTINGS: Final[tuple[str, ...]] = get_args(Setting)
FRESHNESS_BANDS: Final[tuple[str, ...]] = get_args(FreshnessBand)
"""From the freshest to the stalest."""

EARTH_RADIUS_M: Final = 6_371_008.8
"""Mean radius of the Earth in metres (IUGG: R1 = (2a + b) / 3)."""


def night_cover_rank(cover: str) -> int:
    """Place in the order none 0 < on_call 1 < sleeping 2 < awake 3. Raises ValueError for any other word."""
    return NIGHT_COVERS.index(cover)


@dataclass(frozen=True)
class FreshnessLimits:
    """How many days after its confirmation a vacancy is fresh, and how many it is ageing; after that it is stale (limits included).

    Raises SampladsError `freshness_limits_out_of_order` unless 0 <= fresh_days <= ageing_days and ageing_days > 0.
    """

    fresh_days: int
    ageing_days: int

    def __post_init__(self) -> None:
        if not 0 <= self.fresh_days <= self.ageing_days or self.ageing_days == 0:
            raise SampladsError("freshness_limits_out_of_order", fresh=self.fresh_days, ageing=self.ageing_days)

    def band(self, confirmed_at: dt.date | None, as_of: dt.date) -> FreshnessBand:
        """The band of one vacancy. What nobody has confirmed is stale; a confirmation dated after `as_of` is fresh."""
        if confirmed_at is None:
            return "stale"
        days = (as_of - confirmed_at).days
        return "fresh" if days <= self.fresh_days else "ageing" if days <= self.ageing_days else "stale"


def haversine_m(lat: ArrayLike, lon: ArrayLike, other_lat: ArrayLike, other_lon: ArrayLike) -> NDArray[np.float64]:
    """Great-circle distance in metres between points in degrees, with numpy broadcasting. NaN in, NaN out.

    d = 2 R asin(min(1, sqrt(sin²(Δφ/2) + cos φ1 cos φ2 sin²(Δλ/2))))  (haversine; R. W. Sinnott, Sky & Telescope 68, 1984)
    """
    phi, other_phi = np.radians(lat), np.radians(other_lat)
    half_phi = (other_phi - phi) / 2
    half_lambda = (np.radians(other_lon) - np.radians(lon)) / 2
    a = np.sin(half_phi) ** 2 + np.cos(phi) * np.cos(other_phi) * np.sin(half_lambda) ** 2
    return np.asarray(2 * EARTH_RADIUS_M * np.arcsin(np.minimum(1.0, np.sqrt(a))), dtype=np.float64)


def haversine_km(lat: ArrayLike, lon: ArrayLike, other_lat: ArrayLike, other_lon: ArrayLike) -> NDArray[np.float64]:
    """`haversine_m` in kilometres."""
    return haversine_m(lat, lon, other_lat, other_lon) / 1000
