-- An identifier alone says what happened, not to whom: mails of three victims of the same kind of attack are three cases.
SET LOCAL search_path = cirt, pg_temp;

UPDATE correlation_rule SET keys = '{type,host,name,malware}' WHERE name = 'people' AND keys = '{type,host,name,malware,identifier}';
