"""The ledger: what people write, in a transactional database of its own. Who wrote it, when and why stays with every word.

ledger = open_(url, personal.holds_number)
overlays.correct(ledger, ...)          a value laid over a delivered one
confirmations.confirm(ledger, ...)     "unchanged"
holds.hold(ledger, ...)                a place kept for a need
decisions.decide(ledger, ...)          what a person decided, and on what basis
needs.register(ledger, ...)            a need of the joint portal
audit.log(ledger, ...)                 a look-up of rows about persons
saved.save_query(ledger, ...)          a query or scenario under a name
"""

from samplads.ledger.engine import Ledger, open_

__all__ = ["Ledger", "open_"]
