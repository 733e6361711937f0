-- One function says whose row is meant by who acts; who is admin by the configuration has one from then on, as what he is.
SET LOCAL search_path = cirt, pg_temp;

DO $$
DECLARE
	f regprocedure;
BEGIN
	FOR f IN SELECT p.oid FROM pg_proc p WHERE p.pronamespace = 'cirt'::regnamespace AND p.prosrc LIKE '%operator_acting(p)%' LOOP
		EXECUTE replace(pg_get_functiondef(f), 'operator_acting(p)', 'operator_me(p)');
	END LOOP;
END $$;
DROP FUNCTION operator_acting(jsonb);
