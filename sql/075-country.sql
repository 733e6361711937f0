-- In which country an address is used, for the store: it keeps what registries have delegated in memory, and reads it again when that
-- changes.
SET LOCAL search_path = cirt, pg_temp;

INSERT INTO revision (what) VALUES ('delegation');
CREATE TRIGGER delegation_revision AFTER INSERT OR UPDATE OR DELETE OR TRUNCATE ON delegation EXECUTE FUNCTION revision_raise('delegation');
GRANT SELECT ON delegation TO cirt_store;
