delete from quarantined
where case_id in (select case_id from batch)
