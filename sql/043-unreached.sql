-- Reports of an organisation that had nobody to be told, found when a contact is written: an import writes many.
SET LOCAL search_path = cirt, pg_temp;

CREATE INDEX warning_unreached ON warning (organisation) WHERE outcome = 'no-contact';
