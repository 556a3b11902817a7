-- One row is a project on a day when its bed inventory changes: beds in force from that day, and how many were taken.
-- Grain: unit, as_of; parameters: none.
-- Read by: samplads publish --profile hmis.
with inventory as (
    select
        projectid as unit_id,
        bedinventory::bigint as beds,
        inventorystartdate::date as starts_on,
        -- The last day of an inventory is a day with beds: the next day has none.
        (inventoryenddate::date + interval 1 day)::date as ends_on,
        dateupdated::date as updated_on,
        -- As a person counts: the header is row 1.
        row_number() over () + 1 as row_in_file
    from read_csv(getvariable('delivery') || '/Inventory.csv', all_varchar = true, header = true)
),

turns as (
    select
        inventory.unit_id,
        inventory.starts_on as as_of,
        inventory.row_in_file
    from inventory
    union all
    select
        inventory.unit_id,
        inventory.ends_on as as_of,
        inventory.row_in_file
    from inventory
    where inventory.ends_on is not null
),

turning_days as (
    select
        turns.unit_id,
        turns.as_of,
        -- The first of the inventories that begin or end on the day stands for them.
        min(turns.row_in_file) as row_in_file
    from turns
    group by turns.unit_id, turns.as_of
),

beds as (
    select
        turning_days.unit_id,
        turning_days.as_of,
        coalesce(sum(inventory.beds), 0)::bigint as maximum,
        max(inventory.updated_on) as confirmed_at,
        min(turning_days.row_in_file) as row_in_file
    from turning_days
    left join inventory
        on turning_days.unit_id = inventory.unit_id
        and turning_days.as_of >= inventory.starts_on
        and coalesce(turning_days.as_of < inventory.ends_on, true)
    group by turning_days.unit_id, turning_days.as_of
),

stays as (
    select
        enrollment.projectid as unit_id,
        enrollment.entrydate::date as starts_on,
        departure.exitdate::date as ends_on
    from read_csv(getvariable('delivery') || '/Enrollment.csv', all_varchar = true, header = true) as enrollment
    left join read_csv(getvariable('delivery') || '/Exit.csv', all_varchar = true, header = true) as departure
        on enrollment.enrollmentid = departure.enrollmentid
),

taken as (
    select
        beds.unit_id,
        beds.as_of,
        count(stays.starts_on)::bigint as occupied
    from beds
    left join stays
        on beds.unit_id = stays.unit_id
        and beds.as_of >= stays.starts_on
        and coalesce(beds.as_of < stays.ends_on, true)
    group by beds.unit_id, beds.as_of
)

select
    beds.unit_id,
    beds.as_of,
    beds.maximum,
    taken.occupied,
    greatest(beds.maximum - taken.occupied, 0) as accepting,
    beds.confirmed_at,
    'Inventory.csv' as _file,
    beds.row_in_file as _row
from beds
inner join taken on beds.unit_id = taken.unit_id and beds.as_of = taken.as_of
order by beds.unit_id, beds.as_of
