-- What runs as its owner is called by nobody but its room.
SET LOCAL search_path = cirt, pg_temp;

REVOKE ALL ON FUNCTION keeper_by_hand FROM PUBLIC;
