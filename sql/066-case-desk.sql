-- What operators do to a case: one function per verb, from and to JSON; and merging, so that what was merged stands alone again as it was.
SET LOCAL search_path = cirt, pg_temp;

CREATE INDEX case_tag_tag ON case_tag (tag, case_id);
CREATE INDEX reference_word ON reference (lower(value) text_pattern_ops, case_id);

-- ---- which case, who ----

CREATE FUNCTION case_visible(which bigint, p jsonb) RETURNS boolean LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT p ->> 'role' IN ('lead', 'admin') OR case_may_see(which, p ->> 'operator')
$$;

-- The case that a member of p names, if whoever asks may see it.
CREATE FUNCTION case_asked(p jsonb, member text DEFAULT 'number') RETURNS bigint LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT case_seen(p ->> member, p)
$$;

-- The same, locked, to put something into it: what was merged takes nothing more.
CREATE FUNCTION case_worked(p jsonb, member text DEFAULT 'number') RETURNS cases LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	c cases;
BEGIN
	SELECT * INTO c FROM cases WHERE id = case_asked(p, member) FOR UPDATE;
	IF c.state = 'merged' THEN
		RAISE EXCEPTION '% was merged into %: do it there, or take it out again: cirt case split %', c.number,
			(SELECT number FROM cases WHERE id = c.merged_into), c.number USING ERRCODE = 'check_violation';
	END IF;
	RETURN c;
END $$;

-- The case of a row that hangs on one.
CREATE FUNCTION case_of_row(which bigint, p jsonb) RETURNS bigint LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
BEGIN
	IF which IS NOT NULL AND NOT (case_visible(which, p) AND case_visible(case_now(which), p)) THEN
		RAISE EXCEPTION 'that case is restricted: its members and the lead see it' USING ERRCODE = 'insufficient_privilege';
	END IF;
	RETURN which;
END $$;

-- A number that a person typed: of a task, a note, …
CREATE FUNCTION said_number(p jsonb, member text, what text) RETURNS bigint LANGUAGE plpgsql IMMUTABLE SET search_path = cirt, pg_temp AS $$
BEGIN
	IF p ->> member IS NULL OR p ->> member !~ '^[0-9]{1,18}$' THEN
		PERFORM wrong(format('%s: expected the number of %s, not "%s"', member, what, left(coalesce(p ->> member, ''), 60)));
	END IF;
	RETURN (p ->> member)::bigint;
END $$;

-- Words of a person: a text, or a list of words. They are kept as they were sent; what shows them escapes them.
CREATE FUNCTION said_words(p jsonb, member text, what text, most int) RETURNS text LANGUAGE plpgsql IMMUTABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	said text := CASE jsonb_typeof(p -> member) WHEN 'array' THEN (SELECT string_agg(w, ' ' ORDER BY n)
		FROM jsonb_array_elements_text(p -> member) WITH ORDINALITY AS u (w, n)) ELSE p ->> member END;
BEGIN
	IF btrim(coalesce(said, ''), E' \t\r\n') = '' THEN
		PERFORM wrong(format('%s: expected %s', member, what));
	ELSIF octet_length(said) > most THEN
		PERFORM wrong(format('%s: %s has %s bytes; at most %s are taken', member, what, octet_length(said), most));
	END IF;
	RETURN said;
END $$;

-- An operator by name; `-` and nothing is nobody.
CREATE FUNCTION operator_said(named text) RETURNS int LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	found_id int;
BEGIN
	IF coalesce(named, '-') IN ('-', '') THEN
		RETURN NULL;
	END IF;
	SELECT id INTO found_id FROM operator WHERE name = named AND enabled;
	IF found_id IS NULL THEN
		RAISE EXCEPTION 'there is no operator "%"', left(named, 64) USING ERRCODE = 'no_data_found';
	END IF;
	RETURN found_id;
END $$;

-- Whoever asks: who is admin by the configuration stands in the table from the first thing on that is theirs.
CREATE FUNCTION operator_me(p jsonb) RETURNS int LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	mine int := (SELECT id FROM operator WHERE name = p ->> 'operator');
BEGIN
	IF mine IS NULL THEN
		INSERT INTO operator (name, role, uid, configured) VALUES (p ->> 'operator', (p ->> 'role')::operator_role, (p ->> 'uid')::bigint, true)
			ON CONFLICT DO NOTHING;
		SELECT id INTO mine FROM operator WHERE name = p ->> 'operator';
	END IF;
	RETURN mine;
END $$;

-- A case in a few words: what a verb answers that changed it.
CREATE FUNCTION case_brief_json(which bigint) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT jsonb_build_object('number', v.number, 'title', v.title, 'state', v.state, 'severity', v.severity_name, 'tlp', v.tlp,
		'assignee', v.assignee, 'organisation', v.organisation, 'classification', v.classification, 'identifier', nullif(v.identifier, ''),
		'reports', v.reports, 'opened', stamp(v.opened), 'changed', stamp(v.changed), 'restricted', v.restricted,
		'exercise', nullif(v.exercise, ''), 'outcome', nullif(v.outcome, ''), 'impact', c.impact, 'merged_into', v.merged_into, 'campaign', v.campaign,
		'revision', case_revision(v.id))
	FROM case_view v JOIN cases c ON c.id = v.id WHERE v.id = which
$$;

-- ---- states ----

CREATE OR REPLACE FUNCTION case_move(named text, wanted text, why text, how_it_ended text) RETURNS bigint LANGUAGE plpgsql
SET search_path = cirt, pg_temp AS $$
DECLARE
	c cases;
	t case_transition;
	ends text;
BEGIN
	SELECT * INTO c FROM cases WHERE id = case_named(named) FOR UPDATE;
	IF c.state::text = wanted THEN
		RAISE EXCEPTION '% is % already', c.number, c.state USING ERRCODE = 'check_violation';
	END IF;
	SELECT * INTO t FROM case_transition WHERE from_state = c.state AND to_state::text = wanted;
	IF NOT FOUND OR c.state = 'merged' OR wanted = 'merged' THEN
		RAISE EXCEPTION '% is %; from there it goes to %, not to "%"', c.number, c.state,
			CASE c.state WHEN 'merged' THEN 'open (cirt case split)' ELSE case_next(c.state) END, left(wanted, 60)
			USING ERRCODE = 'check_violation';
	ELSIF t.wants_reason AND why = '' THEN
		RAISE EXCEPTION 'from % to % wants a reason: --reason', c.state, wanted USING ERRCODE = 'invalid_parameter_value';
	ELSIF t.wants_outcome AND NOT EXISTS (SELECT FROM case_outcome o WHERE o.name = how_it_ended) THEN
		RAISE EXCEPTION 'closing wants an outcome: %', (SELECT string_agg(name, ', ' ORDER BY place) FROM case_outcome)
			|| CASE how_it_ended WHEN '' THEN '' ELSE format(', not "%s"', left(how_it_ended, 60)) END
			|| format(' (cirt case close %s --outcome WORD --text TEXT)', c.number) USING ERRCODE = 'invalid_parameter_value';
	END IF;
	IF t.wants_outcome THEN
		SELECT string_agg(what, E'\n') INTO ends FROM (SELECT what FROM case_open_ends(c.id) LIMIT 20) e;
		IF ends IS NOT NULL THEN
			RAISE EXCEPTION E'% is not closed: something of it is still open.\n%', c.number, ends USING ERRCODE = 'check_violation';
		END IF;
	END IF;
	UPDATE cases SET state = t.to_state, reason = why, outcome = CASE WHEN t.wants_outcome THEN how_it_ended ELSE outcome END
		WHERE id = c.id;
	RETURN c.id;
END $$;

-- {number, state, reason, if}
CREATE FUNCTION desk_case_move(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	which bigint := case_asked(p);
BEGIN
	PERFORM case_expect(which, p);
	PERFORM case_move(p ->> 'number', p ->> 'state', coalesce(p ->> 'reason', ''), '');
	RETURN case_brief_json(which);
END $$;

-- {number, reason, if}
CREATE FUNCTION desk_case_reopen(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	c cases := case_expect(case_asked(p), p);
BEGIN
	IF c.state NOT IN ('closed', 'rejected', 'resolved') THEN
		RAISE EXCEPTION '% is %: nothing is to be reopened%', c.number, c.state,
			CASE c.state WHEN 'merged' THEN format('; take it out again: cirt case split %s', c.number) ELSE '' END USING ERRCODE = 'check_violation';
	END IF;
	PERFORM case_move(c.number, 'open', coalesce(p ->> 'reason', ''), '');
	RETURN case_brief_json(c.id);
END $$;

-- {number, for, if}: `-` is nobody; without `for` whoever asks
CREATE FUNCTION desk_case_take(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	c cases := case_expect(case_asked(p), p);
BEGIN
	PERFORM operator_me(p) WHERE NOT p ? 'for';
	PERFORM case_take(c.number, CASE p ->> 'for' WHEN '-' THEN '' ELSE coalesce(p ->> 'for', p ->> 'operator') END);
	RETURN case_brief_json(c.id);
END $$;

-- {number}: those of a case that was merged into it are its too
CREATE FUNCTION desk_case_read(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	which bigint := case_asked(p);
BEGIN
	PERFORM case_letters_seen(id) FROM unnest(case_whole(which)) AS id;
	RETURN case_brief_json(which);
END $$;

CREATE FUNCTION said_impact(p jsonb, was text) RETURNS text LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
BEGIN
	IF NOT p ? 'impact' THEN
		RETURN was;
	ELSIF p ->> 'impact' IN ('', '-') THEN
		RETURN NULL;
	ELSIF NOT EXISTS (SELECT FROM case_impact WHERE name = p ->> 'impact') THEN
		PERFORM wrong(format('impact: expected %s, not "%s"', (SELECT string_agg(name, ', ' ORDER BY place) FROM case_impact),
			left(p ->> 'impact', 60)));
	END IF;
	RETURN p ->> 'impact';
END $$;

-- {number, outcome, text, impact, if}
CREATE FUNCTION desk_case_close(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	c cases;
	hit text;
	said text := CASE WHEN p ? 'text' THEN said_words(p, 'text', 'how it ended', 4000) ELSE '' END;
BEGIN
	IF NOT EXISTS (SELECT FROM case_outcome o WHERE o.name = p ->> 'outcome') THEN
		PERFORM wrong(format('outcome: expected %s%s', (SELECT string_agg(name, ', ' ORDER BY place) FROM case_outcome),
			coalesce(format(', not "%s"; words of your own go into --text', left(p ->> 'outcome', 60)), '')));
	END IF;
	c := case_expect(case_asked(p), p);
	hit := said_impact(p, c.impact);
	PERFORM case_move(c.number, 'closed', '', p ->> 'outcome');
	UPDATE cases SET impact = hit, outcome_text = said WHERE id = c.id AND (impact IS DISTINCT FROM hit OR outcome_text <> said);
	RETURN case_brief_json(c.id);
END $$;

-- ---- what a case says ----

CREATE FUNCTION said_severity(word text, was smallint) RETURNS smallint LANGUAGE plpgsql IMMUTABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	place int := array_position(ARRAY['info', 'low', 'medium', 'high', 'critical'], lower(word));
BEGIN
	IF place IS NULL THEN
		PERFORM wrong(format('severity: expected info, low, medium, high or critical, not "%s"', left(word, 60)));
	ELSIF severity_name(was) = lower(word) THEN
		RETURN was;
	END IF;
	RETURN place * 20 - 10;
END $$;

-- {number, title, severity, tlp, pap, type, identifier, org, impact, if}
CREATE FUNCTION desk_case_set(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	c cases := case_expect(case_asked(p), p);
	was cases := c;
BEGIN
	PERFORM case_worked(p);
	IF p ? 'title' THEN
		c.title := said_words(p, 'title', 'a title', 1000);
	END IF;
	IF p ? 'severity' THEN
		c.severity := said_severity(p ->> 'severity', c.severity);
	END IF;
	c.tlp := CASE WHEN p ? 'tlp' THEN said_enum('tlp', lower(p ->> 'tlp'), 'tlp') ELSE c.tlp::text END;
	c.pap := CASE WHEN p ? 'pap' THEN said_enum('pap', lower(p ->> 'pap'), 'pap') ELSE c.pap::text END;
	c.type := CASE WHEN p ? 'type' THEN said_enum('type', lower(p ->> 'type'), 'rsit_type') ELSE c.type::text END;
	c.identifier := CASE WHEN p ->> 'identifier' = '-' THEN '' ELSE said_text(p, 'identifier', c.identifier, 300) END;
	c.impact := said_impact(p, c.impact);
	IF p ? 'org' THEN
		c.organisation := CASE WHEN p ->> 'org' NOT IN ('', '-') THEN org_named(p ->> 'org') END;
	END IF;
	IF c = was THEN
		PERFORM wrong('nothing to change: say what, such as --severity high');
	END IF;
	UPDATE cases SET title = c.title, severity = c.severity, tlp = c.tlp, pap = c.pap, type = c.type, identifier = c.identifier,
		impact = c.impact, organisation = c.organisation WHERE id = c.id;
	RETURN case_brief_json(c.id);
END $$;

-- ---- notes ----

-- {number, text, pin}
CREATE FUNCTION desk_case_note(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	c cases := case_worked(p);
	fresh bigint;
BEGIN
	INSERT INTO note (case_id, text, pinned) VALUES (c.id, said_words(p, 'text', 'a note', 1000000), p ? 'pin') RETURNING id INTO fresh;
	RETURN case_brief_json(c.id) || jsonb_build_object('note', fresh);
END $$;

-- The note that p names, locked. Its author may change it, and a lead.
CREATE FUNCTION note_asked(p jsonb, to_change boolean) RETURNS note LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	n note;
BEGIN
	IF to_change THEN
		SELECT * INTO n FROM note WHERE id = said_number(p, 'id', 'a note') FOR UPDATE;
	ELSE
		SELECT * INTO n FROM note WHERE id = said_number(p, 'id', 'a note');
	END IF;
	IF n.id IS NULL THEN
		RAISE EXCEPTION 'there is no note %', p ->> 'id' USING ERRCODE = 'no_data_found';
	END IF;
	PERFORM case_of_row(n.case_id, p);
	IF to_change AND n.actor <> p ->> 'operator' AND p ->> 'role' NOT IN ('lead', 'admin') THEN
		RAISE EXCEPTION 'note % is %''s: he changes it, or a lead', n.id, n.actor USING ERRCODE = 'insufficient_privilege';
	ELSIF to_change AND n.erased IS NOT NULL THEN
		RAISE EXCEPTION 'note % was erased by % at %', n.id, n.erased_by, stamp(n.erased) USING ERRCODE = 'check_violation';
	END IF;
	RETURN n;
END $$;
CREATE FUNCTION note_json(which bigint) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT jsonb_strip_nulls(jsonb_build_object('id', n.id, 'case', c.number, 'at', stamp(n.at), 'actor', n.actor, 'text', n.text,
		'pinned', n.pinned, 'edited', stamp(n.edited), 'edited_by', n.edited_by, 'erased', stamp(n.erased), 'erased_by', n.erased_by,
		'digest', CASE WHEN n.erased IS NULL THEN salted_digest(n.salt, n.text) END,
		'revisions', (SELECT jsonb_agg(jsonb_build_object('at', stamp(r.at), 'actor', r.actor, 'text', r.text) ORDER BY r.id)
			FROM note_revision r WHERE r.note = n.id)))
	FROM note n JOIN cases c ON c.id = n.case_id WHERE n.id = which
$$;

-- {id}
CREATE FUNCTION desk_note_show(p jsonb) RETURNS jsonb LANGUAGE sql SET search_path = cirt, pg_temp AS $$
	SELECT note_json((note_asked(p, false)).id)
$$;
-- {id, text}
CREATE FUNCTION desk_note_edit(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	n note := note_asked(p, true);
BEGIN
	UPDATE note SET text = said_words(p, 'text', 'a note', 1000000) WHERE id = n.id;
	RETURN note_json(n.id);
END $$;
-- {id}
CREATE FUNCTION desk_note_pin(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	n note := note_asked(p, false);
BEGIN
	UPDATE note SET pinned = true WHERE id = n.id AND NOT pinned;
	RETURN note_json(n.id);
END $$;
CREATE FUNCTION desk_note_unpin(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	n note := note_asked(p, false);
BEGIN
	UPDATE note SET pinned = false WHERE id = n.id AND pinned;
	RETURN note_json(n.id);
END $$;
-- {id, reason}: what it said is gone for good, and the journal says so; its digests stay.
CREATE FUNCTION desk_note_erase(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	n note := note_asked(p, true);
	why text := said_words(p, 'reason', 'why it is erased (--reason)', 1000);
	was text := salted_digest(n.salt, n.text);
BEGIN
	UPDATE note SET erased = now() WHERE id = n.id;
	PERFORM journal_add('case/' || c.number, 'note erased', NULL, jsonb_build_object('id', n.id, 'digest', was, 'reason', why)::text)
		FROM cases c WHERE c.id = n.case_id;
	RETURN note_json(n.id) || jsonb_build_object('digest', was);
END $$;

-- ---- parties ----

CREATE FUNCTION party_json(which bigint) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT jsonb_strip_nulls(jsonb_build_object('id', p.id, 'case', c.number, 'role', p.role, 'organisation', o.name,
		'name', nullif(p.name, ''), 'contact', nullif(p.contact, ''), 'language', nullif(p.language, ''), 'note', nullif(p.note, ''),
		'refs', (SELECT jsonb_agg(r.value ORDER BY r.id) FROM reference r WHERE r.party = p.id), 'added', stamp(p.added),
		'added_by', p.added_by))
	FROM party p JOIN cases c ON c.id = p.case_id LEFT JOIN organisation o ON o.id = p.organisation WHERE p.id = which
$$;

-- {number, part, org, name, contact, language, ref, note}
CREATE FUNCTION desk_party_add(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	c cases := case_worked(p);
	whose int := CASE WHEN coalesce(p ->> 'org', '') <> '' THEN org_named(p ->> 'org') END;
	who text := said_text(p, 'name', '', 300);
	part party_role := said_enum('part', lower(p ->> 'part'), 'party_role');
	fresh bigint;
BEGIN
	IF whose IS NULL AND who = '' THEN
		PERFORM wrong('who is it: an organisation of the register (--org) or somebody else (--name)');
	END IF;
	IF EXISTS (SELECT FROM party y WHERE y.case_id = c.id AND y.role = part AND y.organisation IS NOT DISTINCT FROM whose AND y.name = who) THEN
		RAISE EXCEPTION '% is % of % already', coalesce(nullif(who, ''), p ->> 'org'), part, c.number USING ERRCODE = 'check_violation';
	END IF;
	INSERT INTO party (case_id, role, organisation, name, contact, language, note)
		VALUES (c.id, part, whose, who, said_text(p, 'contact', '', 500),
			CASE WHEN coalesce(p ->> 'language', '') <> '' THEN said_language(p ->> 'language') ELSE '' END, said_text(p, 'note', '', 1000))
		RETURNING id INTO fresh;
	IF coalesce(p ->> 'ref', '') <> '' THEN
		INSERT INTO reference (case_id, system, value, party) VALUES (c.id, part::text, said_text(p, 'ref', '', 1000), fresh);
	END IF;
	RETURN party_json(fresh);
END $$;

CREATE FUNCTION party_asked(p jsonb) RETURNS party LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	y party;
BEGIN
	SELECT * INTO y FROM party WHERE id = said_number(p, 'id', 'a party') FOR UPDATE;
	IF y.id IS NULL THEN
		RAISE EXCEPTION 'there is no party %: cirt party list CASE', p ->> 'id' USING ERRCODE = 'no_data_found';
	END IF;
	PERFORM case_of_row(y.case_id, p);
	RETURN y;
END $$;

-- {id, part, org, name, contact, language, ref, note}
CREATE FUNCTION desk_party_set(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	y party := party_asked(p);
BEGIN
	y.role := CASE WHEN p ? 'part' THEN said_enum('part', lower(p ->> 'part'), 'party_role') ELSE y.role::text END;
	IF p ? 'org' THEN
		y.organisation := CASE WHEN p ->> 'org' NOT IN ('', '-') THEN org_named(p ->> 'org') END;
	END IF;
	y.name := said_text(p, 'name', y.name, 300);
	y.contact := said_text(p, 'contact', y.contact, 500);
	y.note := said_text(p, 'note', y.note, 1000);
	y.language := CASE WHEN NOT p ? 'language' THEN y.language WHEN p ->> 'language' IN ('', '-') THEN '' ELSE said_language(p ->> 'language') END;
	IF y.organisation IS NULL AND y.name = '' THEN
		PERFORM wrong('a party is an organisation (--org) or has a name (--name)');
	END IF;
	UPDATE party SET role = y.role, organisation = y.organisation, name = y.name, contact = y.contact, note = y.note, language = y.language
		WHERE id = y.id;
	IF coalesce(p ->> 'ref', '') <> '' THEN
		INSERT INTO reference (case_id, system, value, party) VALUES (y.case_id, y.role::text, said_text(p, 'ref', '', 1000), y.id);
	END IF;
	RETURN party_json(y.id);
END $$;

-- {id}
CREATE FUNCTION desk_party_remove(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	y party := party_asked(p);
	was jsonb := party_json(y.id);
BEGIN
	DELETE FROM party WHERE id = y.id;
	RETURN was;
END $$;

-- {number}: of what was merged into it too
CREATE FUNCTION desk_party_list(p jsonb) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT jsonb_build_object('items', coalesce(jsonb_agg(party_json(y.id) ORDER BY y.id), '[]'), 'next', NULL)
	FROM party y WHERE y.case_id = ANY (case_whole(case_asked(p)))
$$;

-- ---- references ----

CREATE FUNCTION reference_json(r reference) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT jsonb_build_object('id', r.id, 'case', c.number, 'title', c.title, 'state', c.state, 'system', r.system, 'value', r.value)
	FROM cases c WHERE c.id = r.case_id
$$;

-- {number, system, value}
CREATE FUNCTION desk_ref_add(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	c cases := case_worked(p);
	r reference;
BEGIN
	r.system := lower(said_text(p, 'system', '', 100));
	r.value := btrim(said_words(p, 'value', 'what it is called there', 1000));
	IF r.system = '' OR r.value ~ '[[:cntrl:]]' THEN
		PERFORM wrong('expected whose it is and what it is called there, such as police PN-2231/26');
	ELSIF EXISTS (SELECT FROM reference o WHERE o.case_id = c.id AND lower(o.value) = lower(r.value) AND o.system = r.system) THEN
		RAISE EXCEPTION '% has that already', c.number USING ERRCODE = 'check_violation';
	END IF;
	INSERT INTO reference (case_id, system, value) VALUES (c.id, r.system, r.value) RETURNING * INTO r;
	RETURN reference_json(r);
END $$;

-- {number, value}: of what was merged into it too
CREATE FUNCTION desk_ref_remove(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	which bigint := case_asked(p);
	word text := btrim(said_words(p, 'value', 'a reference', 1000));
	r reference;
	was jsonb;
BEGIN
	FOR r IN SELECT * FROM reference o WHERE o.case_id = ANY (case_whole(which)) AND lower(o.value) = lower(word) FOR UPDATE LOOP
		was := reference_json(r);
		DELETE FROM reference WHERE id = r.id;
	END LOOP;
	IF was IS NULL THEN
		RAISE EXCEPTION '% has no reference "%"', (SELECT number FROM cases WHERE id = which), left(word, 100) USING ERRCODE = 'no_data_found';
	END IF;
	RETURN was;
END $$;

-- {value, limit}: the same in other letters, and what begins with it
CREATE FUNCTION desk_ref_find(p jsonb) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT jsonb_build_object('items', coalesce(jsonb_agg(reference_json(r) ORDER BY r.case_id DESC, r.id), '[]'), 'next', NULL)
	FROM (SELECT o.* FROM reference o WHERE lower(o.value) LIKE replace(replace(replace(lower(btrim(said_words(p, 'value', 'a reference', 1000))),
			'\', '\\'), '%', '\%'), '_', '\_') || '%' AND case_visible(o.case_id, p)
		ORDER BY o.case_id DESC LIMIT coalesce((p ->> 'limit')::int, 50)) r
$$;

-- ---- tags ----

CREATE FUNCTION tag_json(t tag) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT jsonb_build_object('name', t.name, 'meaning', nullif(t.meaning, ''), 'added', stamp(t.added), 'retired', stamp(t.retired))
$$;
CREATE FUNCTION desk_tag_list(p jsonb) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT jsonb_build_object('items', coalesce(jsonb_agg(tag_json(t) ORDER BY t.name), '[]'), 'next', NULL)
	FROM tag t WHERE t.retired IS NULL OR p ? 'all'
$$;
-- {name, meaning}
CREATE FUNCTION desk_tag_new(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	t tag;
BEGIN
	IF coalesce(p ->> 'name', '') !~ '^[a-z0-9][a-z0-9._:-]{0,63}$' THEN
		PERFORM wrong(format('name: expected lower-case letters, digits and . _ : - such as supply-chain, not "%s"',
			left(coalesce(p ->> 'name', ''), 64)));
	ELSIF EXISTS (SELECT FROM tag WHERE name = p ->> 'name') THEN
		RAISE EXCEPTION 'there is a tag "%" already', p ->> 'name' USING ERRCODE = 'check_violation';
	END IF;
	INSERT INTO tag (name, meaning) VALUES (p ->> 'name', said_text(p, 'meaning', '', 500)) RETURNING * INTO t;
	RETURN tag_json(t);
END $$;
-- {name, meaning, retire, restore}
CREATE FUNCTION desk_tag_set(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	t tag;
BEGIN
	SELECT * INTO t FROM tag WHERE name = p ->> 'name' FOR UPDATE;
	IF t.name IS NULL THEN
		RAISE EXCEPTION 'there is no tag "%": cirt tag list', left(p ->> 'name', 64) USING ERRCODE = 'no_data_found';
	END IF;
	UPDATE tag SET meaning = said_text(p, 'meaning', t.meaning, 500),
		retired = CASE WHEN p ? 'restore' THEN NULL WHEN p ? 'retire' THEN coalesce(t.retired, now()) ELSE t.retired END
		WHERE name = t.name RETURNING * INTO t;
	RETURN tag_json(t);
END $$;

-- Tags as they were said, each of the list.
CREATE FUNCTION tags_said(p jsonb) RETURNS text[] LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	word text;
	near text;
BEGIN
	FOR word IN SELECT jsonb_array_elements_text(CASE jsonb_typeof(p -> 'tag') WHEN 'array' THEN p -> 'tag' ELSE jsonb_build_array(p ->> 'tag') END) LOOP
		IF NOT EXISTS (SELECT FROM tag WHERE name = lower(word) AND retired IS NULL) THEN
			SELECT string_agg(name, ', ' ORDER BY name) INTO near FROM tag WHERE retired IS NULL AND left(name, 2) = left(lower(word), 2);
			RAISE EXCEPTION 'there is no tag "%"%: cirt tag list, cirt tag new', left(word, 64), coalesce(' (near it: ' || near || ')', '')
				USING ERRCODE = 'no_data_found';
		END IF;
	END LOOP;
	RETURN ARRAY(SELECT lower(t) FROM jsonb_array_elements_text(CASE jsonb_typeof(p -> 'tag') WHEN 'array' THEN p -> 'tag'
		ELSE jsonb_build_array(p ->> 'tag') END) t);
END $$;
CREATE FUNCTION case_tags(which bigint) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT coalesce(jsonb_agg(DISTINCT t.tag), '[]') FROM case_tag t WHERE t.case_id = ANY (case_whole(which))
$$;
-- {number, tag}
CREATE FUNCTION desk_case_tag(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	c cases := case_worked(p);
BEGIN
	INSERT INTO case_tag (case_id, tag) SELECT c.id, t FROM unnest(tags_said(p)) t ON CONFLICT DO NOTHING;
	RETURN case_brief_json(c.id) || jsonb_build_object('tags', case_tags(c.id));
END $$;
-- {number, tag}: of what was merged into it too
CREATE FUNCTION desk_case_untag(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	c cases := case_worked(p);
	word text;
BEGIN
	FOR word IN SELECT jsonb_array_elements_text(p -> 'tag') LOOP
		DELETE FROM case_tag WHERE case_id = ANY (case_whole(c.id)) AND tag = lower(word);
		IF NOT FOUND THEN
			RAISE EXCEPTION '% has no tag "%"', c.number, left(word, 64) USING ERRCODE = 'no_data_found';
		END IF;
	END LOOP;
	RETURN case_brief_json(c.id) || jsonb_build_object('tags', case_tags(c.id));
END $$;

-- ---- who watches ----

-- {number, for}
CREATE FUNCTION desk_case_watch(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	c cases := case_worked(p);
	who int := coalesce(operator_said(p ->> 'for'), operator_me(p));
BEGIN
	INSERT INTO case_watcher (case_id, operator) VALUES (c.id, who) ON CONFLICT DO NOTHING;
	RETURN case_brief_json(c.id) || jsonb_build_object('watchers', case_watchers(c.id));
END $$;
CREATE FUNCTION desk_case_unwatch(p jsonb) RETURNS jsonb LANGUAGE plpgsql SET search_path = cirt, pg_temp AS $$
DECLARE
	which bigint := case_asked(p);
	who text := coalesce(p ->> 'for', p ->> 'operator');
BEGIN
	DELETE FROM case_watcher w USING operator o WHERE w.case_id = ANY (case_whole(which)) AND o.id = w.operator AND o.name = who;
	IF NOT FOUND THEN
		RAISE EXCEPTION '% does not watch %', who, (SELECT number FROM cases WHERE id = which) USING ERRCODE = 'check_violation';
	END IF;
	RETURN case_brief_json(which) || jsonb_build_object('watchers', case_watchers(which));
END $$;
CREATE FUNCTION case_watchers(which bigint) RETURNS jsonb LANGUAGE sql STABLE SET search_path = cirt, pg_temp AS $$
	SELECT coalesce(jsonb_agg(DISTINCT o.name), '[]') FROM case_watcher w JOIN operator o ON o.id = w.operator
	WHERE w.case_id = ANY (case_whole(which))
$$;

REVOKE ALL ON FUNCTION case_visible, case_asked, case_worked, case_of_row, said_number, said_words, operator_said, operator_me, case_brief_json,
	desk_case_move, desk_case_reopen, desk_case_take, desk_case_read, said_impact, desk_case_close, said_severity, desk_case_set, desk_case_note, note_asked, note_json,
	desk_note_show, desk_note_edit, desk_note_pin, desk_note_unpin, desk_note_erase, party_json, desk_party_add, party_asked, desk_party_set,
	desk_party_remove, desk_party_list, reference_json, desk_ref_add, desk_ref_remove, desk_ref_find, tag_json, desk_tag_list, desk_tag_new,
	desk_tag_set, tags_said, case_tags, desk_case_tag, desk_case_untag, desk_case_watch, desk_case_unwatch, case_watchers FROM PUBLIC;
GRANT EXECUTE ON FUNCTION case_visible, case_asked, case_worked, case_of_row, said_number, said_words, operator_said, operator_me, case_brief_json,
	desk_case_move, desk_case_reopen, desk_case_take, desk_case_read, said_impact, desk_case_close, said_severity, desk_case_set, desk_case_note, note_asked, note_json,
	desk_note_show, desk_note_edit, desk_note_pin, desk_note_unpin, desk_note_erase, party_json, desk_party_add, party_asked, desk_party_set,
	desk_party_remove, desk_party_list, reference_json, desk_ref_add, desk_ref_remove, desk_ref_find, tag_json, desk_tag_list, desk_tag_new,
	desk_tag_set, tags_said, case_tags, desk_case_tag, desk_case_untag, desk_case_watch, desk_case_unwatch, case_watchers, salted_digest
	TO cirt_desk;
