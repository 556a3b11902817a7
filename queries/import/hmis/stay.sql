-- One row is an enrolment with its exit, where there is one. The day of exit is not counted.
-- Grain: stay; parameters: municipality (required).
-- Read by: samplads publish --profile hmis.
with enrollment as (
    select
        *,
        -- As a person counts: the header is row 1.
        row_number() over () + 1 as row_in_file
    from read_csv(getvariable('delivery') || '/Enrollment.csv', all_varchar = true, header = true)
)

select
    enrollment.enrollmentid as stay_id,
    'p-' || enrollment.personalid as person_ref,
    enrollment.projectid as unit_id,
    getvariable('municipality') as municipality,
    enrollment.entrydate as starts_on,
    departure.exitdate as ends_on,
    'Enrollment.csv' as _file,
    enrollment.row_in_file as _row
from enrollment
left join read_csv(getvariable('delivery') || '/Exit.csv', all_varchar = true, header = true) as departure
    on enrollment.enrollmentid = departure.enrollmentid
order by enrollment.enrollmentid
