-- How far the books of a spool go. They are said once a second, and an entry lands sooner: what landed from there on is not in
-- them yet, and whoever compares both sides leaves it out.
SET LOCAL search_path = cirt, pg_temp;

ALTER TABLE books ADD upto bigint NOT NULL DEFAULT 0; -- all sequences below are counted; of a spool the highest of its rows holds
