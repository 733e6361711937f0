-- A new rule finds its place also where several rules together hold for all of it: `rule new resolvers --type ddos-amplifier --suppress`.
SET LOCAL search_path = cirt, pg_temp;

CREATE OR REPLACE FUNCTION rule_place(r notify_rule, before text, after text, is_new boolean) RETURNS int LANGUAGE plpgsql
SET search_path = cirt, pg_temp AS $$
DECLARE
	at int;
	other notify_rule;
BEGIN
	IF before IS NOT NULL OR after IS NOT NULL THEN
		other := rule_named(coalesce(before, after), r.draft);
		IF other.id = r.id THEN
			PERFORM rule_wrong('a rule is not put before or behind itself');
		END IF;
		at := other.position * 2 + CASE WHEN before IS NOT NULL THEN -1 ELSE 1 END;
	ELSIF is_new THEN
		SELECT * INTO other FROM notify_rule e WHERE e.draft = r.draft AND e.enabled AND e.id <> r.id AND rule_covers(e, r)
			ORDER BY e.position LIMIT 1;
		IF other.id IS NOT NULL AND rule_covers(r, other) THEN
			PERFORM rule_wrong(format('rule %s holds for the same: cirt rule set %s', other.name, other.name));
		END IF;
		-- Where several do so together, as those of ours and of the rest, before the first of them.
		IF other.id IS NULL THEN
			SELECT * INTO other FROM notify_rule e WHERE e.draft = r.draft AND e.name = split_part(rule_hidden_by(r), ' ', 1)
				AND NOT rule_covers(r, e);
		END IF;
		at := coalesce(other.position * 2 - 1, (SELECT max(position) * 2 + 1 FROM notify_rule WHERE draft = r.draft));
	ELSE
		RETURN r.position;
	END IF;
	UPDATE notify_rule n SET position = p.place FROM (SELECT id, 10 * row_number() OVER (ORDER BY CASE WHEN id = r.id THEN at ELSE position * 2 END)
		AS place FROM notify_rule WHERE draft = r.draft) p WHERE n.id = p.id AND n.position <> p.place;
	RETURN (SELECT position FROM notify_rule WHERE id = r.id);
END $$;
