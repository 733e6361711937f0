-- Evidence of cases is compared with the journal too, as whatever else writes it.
SET LOCAL search_path = cirt, pg_temp;
SELECT set_config('cirt.actor', 'migration', true);

SELECT audited_add(c.oid) FROM pg_class c WHERE c.relnamespace = 'cirt'::regnamespace AND EXISTS (SELECT FROM pg_trigger g JOIN pg_proc f
	ON f.oid = g.tgfoid WHERE g.tgrelid = c.oid AND f.proname IN ('journal_row', 'journal_of_case'))
	AND NOT EXISTS (SELECT FROM audited a WHERE a.of_table = c.relname) ORDER BY c.relname;
