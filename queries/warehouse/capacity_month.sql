-- One row is a unit's places in a month: places times days, each count holding from its day until the next.
-- Grain: unit, month.
-- Read by: occupancy queries.
with periods as (
    select
        capacity.unit_id,
        capacity.maximum,
        capacity.as_of as first_day,
        coalesce(
            lead(capacity.as_of) over (partition by capacity.unit_id order by capacity.as_of),
            (select (date_trunc('month', max(delivery.as_of)) + interval 1 month)::date from delivery)
        ) as next_day
    from capacity
),

spread as (
    select
        periods.*,
        unnest(generate_series(date_trunc('month', periods.first_day)::date, periods.next_day - 1, interval 1 month))::date as month
    from periods
)

select
    spread.unit_id,
    spread.month,
    sum(
        spread.maximum * date_diff(
            'day',
            greatest(spread.first_day, spread.month),
            least(spread.next_day, (spread.month + interval 1 month)::date)
        )
    )::bigint as capacity_days
from spread
group by spread.unit_id, spread.month
order by spread.unit_id, spread.month
