-- Clocks that a merge laid together are compared with the journal.
SET LOCAL search_path = cirt, pg_temp;
SELECT set_config('cirt.actor', 'migration', true);

SELECT audited_sum('clock_fold', 'case', 'merged');
