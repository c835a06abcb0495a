-- Schema 1. No index: DuckDB's have lost rows when a log was replayed, and nothing here needs one.
create table meta (
    schema_version integer not null
);

insert into meta (schema_version) values (1);

create table recipe (
    fingerprint varchar not null,
    name varchar not null,
    kind varchar not null,
    version integer not null,
    canonical varchar not null
);

create table commit_log (
    commit_number bigint not null,
    committed_at timestamp not null,
    shards varchar[] not null
);

-- Append-only. Values of typed recipes lie in a table of their own, typed_<fingerprint>.
create table feature_row (
    row_id bigint not null,
    commit_number bigint not null,
    valid_from timestamp not null,
    fingerprint varchar not null,
    case_id varchar not null,
    part integer not null,
    input_digest varchar not null,
    content_hash varchar not null,
    doubles double[],
    floats float[],
    reasons varchar not null,
    flags varchar not null,
    made_with varchar not null
);

create table file_stamp (
    path varchar not null,
    size_bytes bigint not null,
    mtime_ns bigint not null,
    seen_at_ns bigint not null,
    digest varchar not null
);

create table quarantined (
    case_id varchar not null,
    code varchar not null,
    stage varchar not null,
    detail varchar not null,
    noted_at timestamp not null
);

-- The rows that counted at a moment: those of a case's newest input, and of each part the newest.
create macro row_at(moment) as table
with visible as (
    select row_id, fingerprint, case_id, part, input_digest
    from feature_row
    where valid_from <= moment
),
newest as (
    select fingerprint, case_id, arg_max(input_digest, row_id) as input_digest
    from visible
    group by fingerprint, case_id
),
replaced as (
    select
        fingerprint,
        case_id,
        coalesce(
            max(visible.row_id) filter (where visible.input_digest <> newest.input_digest), 0
        ) as row_id
    from visible
    join newest using (fingerprint, case_id)
    group by fingerprint, case_id
)
select max(visible.row_id) as row_id
from visible
join replaced using (fingerprint, case_id)
where visible.row_id > replaced.row_id
group by fingerprint, case_id, visible.part;

create view current_row as
select
    row_id, fingerprint, case_id, part, input_digest, content_hash,
    doubles, floats, reasons, flags, made_with
from feature_row
where row_id in (select row_id from row_at(timestamp '9999-12-31'));
