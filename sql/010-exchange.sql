-- exchange: which feeds there are and how it may ask them; nothing else of a source.
SET LOCAL search_path = cirt, pg_temp;

GRANT SELECT (id, kind, enabled, auth) ON source TO cirt_exchange;
