-- Secrets of feeds are the exchange's alone. What a function of the owner's may do is everybody's until it is taken from PUBLIC by name:
-- default privileges of a schema add to those of the database, and take nothing away.
SET LOCAL search_path = cirt, pg_temp;

REVOKE ALL ON FUNCTION feed_secrets FROM PUBLIC;
