-- Lists of cases by what they are of, and campaigns of many cases, in the time that few take.
SET LOCAL search_path = cirt, pg_temp;

CREATE INDEX cases_type ON cases (type, id);
CREATE INDEX cases_identifier ON cases (identifier, id) WHERE identifier <> '';

-- {number}
CREATE OR REPLACE FUNCTION desk_campaign_show(p jsonb) RETURNS jsonb LANGUAGE plpgsql STABLE SET search_path = cirt, pg_temp AS $$
DECLARE
	which bigint := case_asked(p);
BEGIN
	-- Who names one of its cases means the campaign.
	which := coalesce((SELECT campaign FROM cases WHERE id = which), which);
	RETURN campaign_json(which) || jsonb_build_object('items', (SELECT coalesce(jsonb_agg(jsonb_build_object('number', m.number, 'title', m.title,
			'state', m.state, 'severity', severity_name(m.severity), 'tlp', m.tlp, 'assignee', o.name, 'organisation', g.name) ORDER BY m.id DESC), '[]')
		FROM (SELECT * FROM cases c WHERE c.campaign = which AND (NOT c.restricted OR case_visible(c.id, p)) ORDER BY c.id DESC LIMIT 500) m
		LEFT JOIN operator o ON o.id = m.assignee LEFT JOIN organisation g ON g.id = m.organisation));
END $$;
