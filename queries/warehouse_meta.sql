-- One row is what holds for the whole warehouse: its day, whether it is demonstration data, and how much it holds.
-- Grain: the warehouse; parameters: none.
-- Read by: every page, samplads match.
select
    meta.as_of,
    meta.synthetic,
    meta.deliveries,
    meta.units,
    meta.needs
from meta
