-- One row is a target group in the order of its tree, with how many leaves are below it (0 for a leaf).
-- Grain: target group; parameters: none.
-- Read by: every page's choice of target groups.
with recursive tree as (
    select
        target_group.code,
        [target_group.da collate da, target_group.code] as path
    from target_group
    where target_group.parent_code is null

    union all

    select
        target_group.code,
        list_concat(tree.path, [target_group.da collate da, target_group.code]) as path
    from target_group
    inner join tree on target_group.parent_code = tree.code
),

leaves as (
    select
        target_group_closure.ancestor,
        count(*) as leaves
    from target_group_closure
    inner join target_group on target_group_closure.descendant = target_group.code
    where target_group.kind = 'leaf' and target_group_closure.ancestor <> target_group_closure.descendant
    group by target_group_closure.ancestor
)

select
    target_group.code,
    target_group.parent_code,
    target_group.da,
    target_group.en,
    target_group.level,
    coalesce(leaves.leaves, 0)::bigint as leaves
from tree
inner join target_group on tree.code = target_group.code
left join leaves on tree.code = leaves.ancestor
order by tree.path
