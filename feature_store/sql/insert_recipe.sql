insert into recipe (fingerprint, name, kind, version, canonical)
values ($fingerprint, $name, $kind, $version, $canonical)
