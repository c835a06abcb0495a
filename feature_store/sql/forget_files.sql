delete from file_stamp
where path in (select path from batch)
