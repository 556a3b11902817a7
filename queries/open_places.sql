-- One row is a unit with places that surely can be had: how many, and from which day. Approval is judged as in vacant_units.
-- Grain: unit; parameters: $as_of.
-- Read by: Samlet fordeling.
select
    unit_now.unit_id,
    unit_now.accepting as places,
    unit_now.accepting_from
from unit_now
where
    unit_now.accepting >= 1
    and coalesce(unit_now.status, 'open') = 'open'
    and unit_now.approval_status in ('approved', 'not_required')
    and (unit_now.approval_status = 'not_required' or coalesce(unit_now.approved_until >= $as_of, true))
order by unit_now.unit_id
