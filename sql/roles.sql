-- The roles, made once per cluster by somebody who may (the supervisor for the managed server, the administrator for one of
-- his own), before the first migration. Passwords are set apart from this file. cirt_owner owns the database and everything in
-- it; the others get their rights from the migrations.
DO $$
DECLARE
	role text;
BEGIN
	FOREACH role IN ARRAY ARRAY['cirt_owner', 'cirt_store', 'cirt_keeper', 'cirt_desk', 'cirt_exchange', 'cirt_courier'] LOOP
		IF NOT EXISTS (SELECT 1 FROM pg_catalog.pg_roles WHERE rolname = role) THEN
			EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION', role);
		END IF;
	END LOOP;
END $$;
