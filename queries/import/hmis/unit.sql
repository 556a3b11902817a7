-- One row is a project that houses people (a project of the HMIS export is the unit, its organization the offer).
-- Grain: unit; parameters: municipality (required: an HMIS export knows no municipality of ours).
-- Read by: samplads publish --profile hmis.
with located as (
    select
        place.projectid,
        min(place.address1) as address1
    from read_csv(getvariable('delivery') || '/ProjectCoC.csv', all_varchar = true, header = true) as place
    group by place.projectid
),

project as (
    select
        *,
        -- As a person counts: the header is row 1.
        row_number() over () + 1 as row_in_file
    from read_csv(getvariable('delivery') || '/Project.csv', all_varchar = true, header = true)
)

select
    project.projectid as unit_id,
    project.organizationid as offer_id,
    project.projectname as name,
    organization.organizationname as offer_name,
    organization.organizationname as operator,
    located.address1 as address,
    getvariable('municipality') as municipality,
    -- Projects of this kind are funded, not approved unit by unit as social offers are.
    'not_required' as approval_status,
    'Project.csv' as _file,
    project.row_in_file as _row
from project
left join read_csv(getvariable('delivery') || '/Organization.csv', all_varchar = true, header = true) as organization
    on project.organizationid = organization.organizationid
left join located on project.projectid = located.projectid
order by project.projectid
