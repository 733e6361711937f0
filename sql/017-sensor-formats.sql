-- What sensors speak besides the native line; in the order of daemon/model/source.h, a test holds the two together.
SET LOCAL search_path = cirt, pg_temp;

ALTER TYPE source_format ADD VALUE 'native';
ALTER TYPE source_format ADD VALUE 'eve';
ALTER TYPE source_format ADD VALUE 'idea';
ALTER TYPE source_format ADD VALUE 'intelmq';
ALTER TYPE source_format ADD VALUE 'zeek';
