-- One row is what holds for the whole warehouse: its day, whether it is demonstration data, and how much it holds.
-- Grain: the warehouse.
-- Read by: every page.
select
    max(delivery.as_of) as as_of,
    bool_or(delivery.synthetic) as synthetic,
    count(*) as deliveries,
    (select count(*) from unit) as units,
    (select count(*) from need) as needs
from delivery
