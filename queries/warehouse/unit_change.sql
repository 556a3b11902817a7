-- One row is something about a unit that a delivery told differently from an earlier one: a field, a count of its places, its approvals.
-- Grain: unit, field, delivery, day counted (`as_of`; null for what is not a count); before is null where it was not told before.
-- Read by: the history of a unit.
-- A count is held against the same day's count in earlier deliveries; approvals are the sorted list of rank:group that a delivery tells.
-- noqa: disable=PRS
with unit_hashed as (
    select
        unit_delivered.unit_id,
        hash(*columns(* exclude (unit_id, delivery_rank, delivery_digest))) as content
    from unit_delivered
),

-- Most is told once, or again as it was: only what was told in two ways is laid out by field.
unit_changed as (
    select unit_hashed.unit_id
    from unit_hashed
    group by all
    having min(unit_hashed.content) <> max(unit_hashed.content)
),

unit_told as (
    from unit_delivered
    semi join unit_changed using (unit_id)
),

fields as (
    from unit_told
    unpivot include nulls (
        after for field in (columns(* exclude (unit_id, delivery_rank, delivery_digest))::varchar)
    )
),

approvals as (
    select
        target_group_approval_delivered.unit_id,
        target_group_approval_delivered.delivery_rank,
        target_group_approval_delivered.delivery_digest,
        'approvals' as field,
        string_agg(
            target_group_approval_delivered.rank || ':' || target_group_approval_delivered.target_group, ' '
            order by target_group_approval_delivered.rank, target_group_approval_delivered.target_group
        ) as after
    from target_group_approval_delivered
    group by all
),

told as (
    select
        fields.unit_id,
        null::date as as_of,
        fields.field,
        fields.after,
        fields.delivery_rank,
        fields.delivery_digest
    from fields
    union all by name
    from approvals
),

compared as (
    select
        told.*,
        lag(told.after) over (partition by told.unit_id, told.field order by told.delivery_rank) as before,
        row_number() over (partition by told.unit_id, told.field order by told.delivery_rank) as nth
    from told
),

count_hashed as (
    select
        capacity_delivered.unit_id,
        capacity_delivered.as_of,
        hash(*columns(* exclude (unit_id, as_of, delivery_rank, delivery_digest))) as content
    from capacity_delivered
),

count_changed as (
    select
        count_hashed.unit_id,
        count_hashed.as_of
    from count_hashed
    group by all
    having min(count_hashed.content) <> max(count_hashed.content)
),

count_told as (
    from capacity_delivered
    semi join count_changed using (unit_id, as_of)
),

counts as (
    from count_told
    unpivot include nulls (
        after for field in (columns(* exclude (unit_id, as_of, delivery_rank, delivery_digest))::varchar)
    )
),

recounted as (
    select
        counts.*,
        lag(counts.after) over (partition by counts.unit_id, counts.as_of, counts.field order by counts.delivery_rank) as before,
        row_number() over (partition by counts.unit_id, counts.as_of, counts.field order by counts.delivery_rank) as nth
    from counts
),

changed as (
    select
        compared.unit_id,
        compared.as_of,
        compared.field,
        compared.before,
        compared.after,
        compared.delivery_digest
    from compared
    where compared.nth > 1 and compared.before is distinct from compared.after
    union all by name
    select
        recounted.unit_id,
        recounted.as_of,
        recounted.field,
        recounted.before,
        recounted.after,
        recounted.delivery_digest
    from recounted
    where recounted.nth > 1 and recounted.before is distinct from recounted.after
)

select
    changed.unit_id,
    changed.field,
    changed.as_of,
    changed.before,
    changed.after,
    delivery.delivery,
    delivery.as_of as changed_on
from changed
inner join delivery on changed.delivery_digest = delivery.digest
order by changed.unit_id, delivery.as_of, changed.as_of, changed.field, delivery.delivery
