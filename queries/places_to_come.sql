-- One row is a unit and a month in which places of it are planned to open: how many, decided or not.
-- Grain: unit, opens; parameters: $as_of (open later than this day), $until (and on this day at the latest).
-- Read by: Samlet fordeling.
select
    planned_capacity.unit_id,
    date_trunc('month', planned_capacity.opens_on)::date as opens,
    sum(planned_capacity.places)::bigint as places
from planned_capacity
where
    planned_capacity.unit_id is not null
    and planned_capacity.opens_on > $as_of
    and planned_capacity.opens_on <= $until
group by planned_capacity.unit_id, date_trunc('month', planned_capacity.opens_on)
order by planned_capacity.unit_id, opens
