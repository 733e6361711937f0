-- What is being stopped while the store takes up its next lot stays stopped: which one is next is said by the row as it is when it is ours.
SET LOCAL search_path = cirt, pg_temp;

CREATE OR REPLACE FUNCTION rescan_take() RETURNS TABLE (job bigint, at_step bigint, upto bigint, is_by_hand boolean, lost bigint, skipped boolean, of_report bigint,
	of_evidence bigint, kind text, of_month int, of_digest bytea, of_size bigint, of_name text, of_type text)
LANGUAGE plpgsql SECURITY DEFINER SET search_path = cirt, pg_temp SET plan_cache_mode = force_custom_plan AS $$
DECLARE
	r rescan;
	most int;
BEGIN
	IF NOT EXISTS (SELECT FROM rescan x WHERE x.state IN ('waiting', 'running')) THEN
		PERFORM pg_advisory_unlock_all();
		RETURN;
	ELSIF NOT pg_try_advisory_lock(hashtext('cirt.rescan')) THEN
		RETURN;
	END IF;
	LOOP
		UPDATE rescan x SET state = 'running', started = coalesce(x.started, now()), takes = x.takes + 1
			WHERE x.id = (SELECT o.id FROM rescan o WHERE o.state IN ('waiting', 'running') ORDER BY o.id LIMIT 1 FOR UPDATE) RETURNING * INTO r;
		IF r.id IS NULL THEN
			RETURN;
		END IF;
		most := CASE WHEN r.takes > 3 THEN 1 ELSE 64 END;
		IF NOT r.by_hand THEN
			RETURN QUERY SELECT r.id, r.step, max(l.report) OVER (), false, count(*) FILTER (WHERE NOT l.kept AND l.kind <> '') OVER (), r.takes > 6,
					l.report, NULL::bigint, CASE WHEN l.kept THEN l.kind ELSE '' END, l.month, l.digest, l.size, l.name, l.type
				FROM rescan_pieces(r.spools, r.lows, r.highs, r.until, r.events, r.place, most) l;
			IF FOUND THEN
				RETURN;
			END IF;
			UPDATE rescan x SET by_hand = true, place = 0, takes = 1 WHERE x.id = r.id RETURNING * INTO r;
			most := 64;
		END IF;
		RETURN QUERY SELECT r.id, r.step, max(h.id) OVER (), true, count(*) FILTER (WHERE h.month IS NULL) OVER (), r.takes > 6, NULL::bigint, h.id,
				CASE WHEN h.month IS NULL THEN '' ELSE 'file' END, h.month, h.digest, h.size, h.name, ''
			FROM rescan_added(r.since, r.until, r.place, most) h;
		IF FOUND THEN
			RETURN;
		END IF;
		PERFORM rescan_tell(r.id, 'done');
	END LOOP;
END $$;
