"""One contract per extract: what a delivery may hold, in the words of those who deliver it."""

from __future__ import annotations

from samplads.contracts.capacity import Capacity
from samplads.contracts.contract import Contract
from samplads.contracts.need import Need
from samplads.contracts.night import NightIncident, NightRoster
from samplads.contracts.planning import Indicator, PlannedCapacity, Spend, Youth
from samplads.contracts.stay import Stay
from samplads.contracts.unit import TargetGroupApproval, Unit

CONTRACTS: dict[str, type[Contract]] = {
    contract.extract: contract
    for contract in (
        Unit,
        TargetGroupApproval,
        Capacity,
        Need,
        Stay,
        NightRoster,
        NightIncident,
        Spend,
        Indicator,
        Youth,
        PlannedCapacity,
    )
}
"""Every contract by the name of its extract, in the order in which they refer to each other."""

__all__ = ["CONTRACTS", "Contract"]
