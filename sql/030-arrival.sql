-- What has landed and somebody may have to be warned of, for the keeper; and what a mail that is not let go waits for.
SET LOCAL search_path = cirt, pg_temp;

-- New reports of one batch, written in its transaction. Also by what makes old ones worth another look: they belong to somebody else
-- now, their source has allowed it.
CREATE TABLE notice_arrival (
	id bigint GENERATED ALWAYS AS IDENTITY PRIMARY KEY,
	reports bigint[] NOT NULL
);

ALTER TABLE outbox
	-- of a held one. operator: somebody held it. approval: people have yet to let it go. key: its contact wants it encrypted and has no
	-- key that is valid. '': another reason, which `why` says.
	ADD waits_for text NOT NULL DEFAULT '' CHECK (waits_for IN ('', 'operator', 'approval', 'key')),
	ADD approvals int NOT NULL DEFAULT 0 CHECK (approvals BETWEEN 0 AND 2); -- how many people have to let it go

-- Until when a contact's keys are valid, as the keys room said last; NULL: for good, or nobody has looked.
ALTER TABLE contact
	ADD pgp_expires timestamptz,
	ADD smime_expires timestamptz;

GRANT INSERT ON notice_arrival TO cirt_store, cirt_desk;
GRANT SELECT, INSERT, UPDATE, DELETE ON notice_arrival TO cirt_keeper;
