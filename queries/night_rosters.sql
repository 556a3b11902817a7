-- One row is the roster of night posts that holds in a unit on a day, with the groups that its resident cannot share a night with.
-- Grain: unit; parameters: $as_of.
-- Read by: Fælles nattevagt, samplads night-cover.
with in_force as (
    select *
    from night_roster
    where night_roster.valid_from <= $as_of
    qualify row_number() over (partition by night_roster.unit_id order by night_roster.valid_from desc) = 1
),

told as (
    select
        in_force.unit_id,
        unnest(in_force.excludes_groups) as target_group
    from in_force
),

excluded as (
    select
        told.unit_id,
        list(distinct target_group_closure.descendant order by target_group_closure.descendant) as excludes_covered
    from told
    inner join target_group_closure on told.target_group = target_group_closure.ancestor
    group by told.unit_id
)

select
    in_force.unit_id,
    in_force.valid_from,
    in_force.night_cover,
    in_force.posts,
    in_force.shift_start,
    in_force.shift_end,
    in_force.monthly_pay_ore,
    in_force.one_to_one,
    in_force.risky_work,
    in_force.lone_work_danger,
    in_force.danger_met_by,
    in_force.response_minutes_limit,
    in_force.excludes_groups,
    excluded.excludes_covered
from in_force
left join excluded on in_force.unit_id = excluded.unit_id
order by in_force.unit_id
