-- One row is a department (afdeling) as its page on Tilbudsportalen tells it; see docs/standards.md for the file that is expected.
-- Grain: unit; parameters: none.
-- Read by: samplads publish --profile tilbudsportalen.
-- noqa: disable=RF05,RF06
with numbered as (
    select
        *,
        row_number() over () as position
    from read_csv(getvariable('delivery') || '/*.csv', delim = ';', all_varchar = true, header = true, filename = true)
),

department as (
    select
        *,
        -- As a person counts: the header is row 1.
        position - min(position) over (partition by filename) + 2 as row_in_file,
        lower("Tilbudstype") as told_type,
        regexp_extract("Tilbudstype", '§\s*(\d+)', 1) as paragraph,
        lower(trim("Godkendelsesstatus")) as approval,
        lower(trim("Driftsherretype")) as kind
    from numbered
)

select
    department."Afdelings-id" as unit_id,
    department."Tilbuds-id" as offer_id,
    department."Afdelingsnavn" as name,
    department."Tilbudsnavn" as offer_name,
    department."Driftsherre" as operator,
    case
        when department.kind like 'kommun%' then 'municipal'
        when department.kind like 'region%' then 'regional'
        when department.kind like 'selvej%' then 'self_owning'
        when department.kind like 'privat%' or department.kind like 'fond%' then 'private'
    end as operator_kind,
    replace(department."CVR-nummer", ' ', '') as cvr,
    replace(department."P-nummer", ' ', '') as p_number,
    department."Adresse" as address,
    -- What no municipality answers to goes through as it stands, so that the finding shows it.
    coalesce(municipality.code, department."Kommune") as municipality,
    -- By paragraph where one paragraph is one type; what is not listed stays unknown, for the holder of the agreement to add.
    case
        when department.told_type like '%botilbudslignende%' then 'A85B'
        when department.paragraph = '108' and department.told_type like '%sikret%' then 'A108S'
        when department.paragraph in ('103', '104', '105', '107', '108', '109', '110') then 'A' || department.paragraph
    end as offer_type,
    case
        when department.approval like 'godkendt med%' then 'conditional'
        when department.approval like 'godkendt%' then 'approved'
        when department.approval like 'suspen%' then 'suspended'
        when department.approval like 'ophør%' or department.approval like 'tilbagekaldt%' then 'withdrawn'
        when department.approval like 'kræver ikke%' then 'not_required'
    end as approval_status,
    parse_filename(department.filename) as _file,
    department.row_in_file as _row
from department
left join municipality
    on lower(regexp_replace(department."Kommune", '\s+kommune$', '', 'i')) in (lower(municipality.name), municipality.code)
order by department."Afdelings-id"
