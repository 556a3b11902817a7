-- One row is the day and kind of the warehouse in force.
-- Grain: the warehouse; parameters: none.
-- Read by: the readiness route.
select
    meta.as_of,
    meta.synthetic
from meta
