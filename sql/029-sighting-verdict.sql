-- What rules and plugins found in a sighting: it folds into a report, and what was found must not fold away.
SET LOCAL search_path = cirt, pg_temp;

ALTER TABLE verdict ADD seen timestamptz; -- when, of a sighting that folded into the report; NULL: in the report itself

-- It looks whether the same was found before.
GRANT SELECT ON verdict TO cirt_store;
