-- Since when they know is heeded again where a case is opened by phone: what they have to file counts from there.
SET LOCAL search_path = cirt, pg_temp;

CREATE OR REPLACE FUNCTION desk_case_open(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
BEGIN
	IF p ->> 'aware' <> '' THEN
		PERFORM case_aware(said_time('aware', p ->> 'aware'));
	END IF;
	RETURN by_hand_begin(by_hand_source(p), true);
END $$;
