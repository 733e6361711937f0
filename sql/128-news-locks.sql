-- News lock no case: they are written by whoever has the journal of it in hand, and who changes a case locks the case first and its journal then.
-- A foreign key locks its row the other way round. Cases and operators are never deleted.
SET LOCAL search_path = cirt, pg_temp;

ALTER TABLE case_news DROP CONSTRAINT case_news_case_id_fkey, DROP CONSTRAINT case_news_operator_fkey;
