-- One row is a field of a unit that a delivery changed (before is null where the delivery first told it).
-- Grain: unit, field, delivery.
-- Read by: the history of a unit.
-- noqa: disable=PRS
with told as (
    from unit_delivered
    unpivot include nulls (
        after for field in (columns(* exclude (unit_id, delivery_rank, delivery_digest))::varchar)
    )
),

compared as (
    select
        told.*,
        lag(told.after) over (partition by told.unit_id, told.field order by told.delivery_rank) as before,
        row_number() over (partition by told.unit_id, told.field order by told.delivery_rank) as nth
    from told
)

select
    compared.unit_id,
    compared.field,
    compared.before,
    compared.after,
    delivery.delivery,
    delivery.as_of as changed_on
from compared
inner join delivery on compared.delivery_digest = delivery.digest
where compared.nth > 1 and compared.before is distinct from compared.after
order by compared.unit_id, delivery.as_of, compared.field
