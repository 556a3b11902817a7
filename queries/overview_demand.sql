-- One row is a set of target groups that open needs ask for together, with how many needs ask for it.
-- Grain: set of target groups, the most asked for first; parameters: $day.
-- Read by: Overblik.
select
    list_sort(need.target_groups) as target_groups,
    count(*) as needs
from need
where
    coalesce(need.status, 'open') = 'open'
    and need.registered_on <= $day
    and len(need.target_groups) > 1
group by list_sort(need.target_groups)
order by needs desc, target_groups asc
limit 5
