-- One row is what is waiting: how many open needs there are, how long the oldest has waited, and how many municipalities they come from.
-- Grain: one row; parameters: $day.
-- Read by: Overblik.
select
    count(*) as needs,
    count(distinct need.municipality) as municipalities,
    max(date_diff('day', need.registered_on, $day)) as longest_days,
    median(date_diff('day', need.registered_on, $day)) as median_days
from need
where coalesce(need.status, 'open') = 'open' and need.registered_on <= $day
