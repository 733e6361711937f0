"""What the owner of the database does in psql with triggers off is found by `cirt audit verify`, one by one, up to the last anchor."""
import contextlib
import os
import signal

import pytest

from harness import Daemon, native, wait_for


@pytest.fixture(scope="module")
def worked(programs, certificates):
    """A desk at which something was done, all of it under an anchor."""
    daemon = Daemon(programs, certificates, sections={"keeper": {"anchor_interval": "3s"}})
    daemon.start()
    daemon.add_sensor()
    daemon.send_lines([native(number, identifier="owner", severity=90) for number in range(3)])
    daemon.settle()
    wait_for(lambda: daemon.all_pages("case", "list"), 30, "a case")
    number = daemon.all_pages("case", "list")[0]["number"]
    daemon.cirt("operator", "new", "eve", "--role", "viewer", "--uid", 4242)
    daemon.cirt("case", "take", number)
    daemon.cirt("case", "note", number, "the server was switched off at noon")
    daemon.cirt("case", "restrict", number, "--to", "eve")
    daemon.cirt("source", "set", "phish", "--trust", 40)
    daemon.cirt("org", "new", "Owner Bank", "--kind", "bank", "--prefix", "192.0.2.0/28")
    daemon.cirt("contact", "new", "Owner Bank", "--email", "soc@owner.example")
    daemon.psql(f"""INSERT INTO cirt.party (case_id, role, name) VALUES (cirt.case_named('{number}'), 'reporter', 'Ms Kowalski');
        INSERT INTO cirt.reference (case_id, system, value) VALUES (cirt.case_named('{number}'), 'police', 'PN-2231');
        INSERT INTO cirt.task (case_id, title) VALUES (cirt.case_named('{number}'), 'ask for the logs');
        INSERT INTO cirt.tag (name) VALUES ('owner-tag') ON CONFLICT DO NOTHING;
        INSERT INTO cirt.case_tag SELECT cirt.case_named('{number}'), 'owner-tag';
        INSERT INTO cirt.measure (kind, target, owner) SELECT 'dns-block', 'bad.example', id FROM cirt.operator WHERE name = 'eve';
        SELECT cirt.approval_ask('mail', 'case/{number}', 'a letter')""")
    first = daemon.cirt("audit", "verify")
    assert first["ok"], first
    wait_for(lambda: daemon.cirt("audit", "verify")["proven_rows"] >= first["rows"], 60, "an anchor over all of it", every=1)
    # An anchor made in the middle of an edit would tell of it for ever.
    daemon.sections["keeper"]["anchor_interval"] = "1d"
    daemon.write_conf()
    os.kill(daemon.process.pid, signal.SIGHUP)
    seen = [0, daemon.cirt("audit", "verify")["anchors"]]

    def are_done():
        seen[:] = [seen[1], daemon.cirt("audit", "verify")["anchors"]]
        return seen[0] == seen[1]

    wait_for(are_done, 60, "anchors to come daily", every=5)
    yield daemon, number
    daemon.remove()


# What is done, and what the audit says of it; {case} is the case's number.
EDITS = {
    "a role is raised": ("UPDATE cirt.operator SET role = 'admin' WHERE name = 'eve'", "operator/eve", "role"),
    "an operator is planted": ("INSERT INTO cirt.operator (name, role) VALUES ('mole', 'admin')", "operator", "is not in the journal"),
    "a case is renamed": ("UPDATE cirt.cases SET title = title || '!' WHERE number = '{case}'", "case/{case}", "title"),
    "a case is opened to all": ("UPDATE cirt.cases SET restricted = false WHERE number = '{case}'", "case/{case}", "restricted"),
    "a member is planted": ("INSERT INTO cirt.case_member SELECT c.id, o.id FROM cirt.cases c, cirt.operator o WHERE number = '{case}' AND o.configured LIMIT 1",
        "case_member", "is not in the journal"),
    "a source is trusted": ("UPDATE cirt.source SET trust = 99 WHERE name = 'phish'", "source/phish", "trust"),
    "a note says something else": ("UPDATE cirt.note SET text = 'the server runs' WHERE text LIKE 'the server was%'", "case/{case}", "digest"),
    "a note is gone": ("DELETE FROM cirt.note", "case/{case}", "is gone"),
    "a party has another name": ("UPDATE cirt.party SET name = 'Mr Nobody'", "case/{case}", "name_digest"),
    "a reference is moved": ("UPDATE cirt.reference SET value = 'PN-1'", "case/{case}", "value"),
    "a task is done by nobody": ("UPDATE cirt.task SET state = 'done', ended = now()", "case/{case}", "state"),
    "a tag is taken off": ("DELETE FROM cirt.case_tag WHERE tag = 'owner-tag'", "case/{case}", "is gone"),
    "a countermeasure is lifted": ("UPDATE cirt.measure SET target = 'other.example'", "measure/", "target"),
    "an approval is given": ("UPDATE cirt.approval SET state = 'given', answered = now(), answered_by = 'lea'", "approval/", "state"),
    "an organisation is somebody else": ("UPDATE cirt.organisation SET name = 'Other Bank' WHERE name = 'Owner Bank'", "organisation/", "name"),
    "mails go elsewhere": ("UPDATE cirt.contact SET email = 'mole@elsewhere.example'", "contact/", "email"),
    "a table is audited no more": ("DELETE FROM cirt.audited WHERE of_table = 'task'", "audited/task", "is gone"),
    "a row of the journal says something else": ("UPDATE cirt.journal SET actor = 'nobody' WHERE object = 'operator/eve'",
        "operator/eve", "not what was hashed"),
    "a report leaves its case": ("UPDATE cirt.case_report SET ended = now()", "case/{case}", "case_report: its rows are not"),
    "a report never was in its case": ("DELETE FROM cirt.case_report", "case/{case}", "case_report: 0 rows"),
    "a report is rejected": ("UPDATE cirt.report_status SET state = 'rejected', reject_reason = 'spam'",
        "report/", "report_status: its rows are not"),
    "a report says something else": ("UPDATE cirt.report SET identifier = 'nothing'", "report/", "report: its rows are not"),
    "a prefix is somebody else's": ("UPDATE cirt.organisation_prefix SET prefix = '198.51.100.0/28'",
        "organisation/", "organisation_prefix: its rows are not"),
    "all may read all": ("UPDATE cirt.role_reads SET most = 'red'", "role_reads", "role_reads: its rows are not"),
    "sums that would cover it": ("UPDATE cirt.journal SET after = '{{}}' WHERE object LIKE 'rows/%'", "rows/", "not what was hashed"),
}

# Of the journal, which only anchors hold: what is done, what undoes it, and what the audit says of it.
ANCHORED = {
    "a case is renamed": ("UPDATE cirt.cases SET title = title || '!' WHERE number = '{case}'",
                          "UPDATE cirt.cases SET title = rtrim(title, '!') WHERE number = '{case}'", "case/{case}", "title"),
    "a chain is gone": (
        "CREATE TABLE cirt.kept AS SELECT * FROM cirt.journal WHERE object = 'operator/eve'; "
        "CREATE TABLE cirt.kept_head AS SELECT * FROM cirt.journal_head WHERE object = 'operator/eve'; "
        "DELETE FROM cirt.journal WHERE object = 'operator/eve'; DELETE FROM cirt.journal_head WHERE object = 'operator/eve'",
        "INSERT INTO cirt.journal OVERRIDING SYSTEM VALUE SELECT * FROM cirt.kept; INSERT INTO cirt.journal_head SELECT * FROM cirt.kept_head; "
        "DROP TABLE cirt.kept, cirt.kept_head", "anchor", "is not what was signed"),
    "a tail is cut off": (
        "CREATE TABLE cirt.kept AS SELECT * FROM cirt.journal WHERE object = 'case/{case}'; "
        "CREATE TABLE cirt.kept_head AS SELECT * FROM cirt.journal_head WHERE object = 'case/{case}'; "
        "DELETE FROM cirt.journal WHERE object = 'case/{case}' AND n > 2; "
        "UPDATE cirt.journal_head h SET n = 2, hash = j.hash FROM cirt.journal j WHERE h.object = 'case/{case}' AND j.object = h.object AND j.n = 2",
        "INSERT INTO cirt.journal OVERRIDING SYSTEM VALUE SELECT * FROM cirt.kept WHERE n > 2; "
        "UPDATE cirt.journal_head h SET n = k.n, hash = k.hash FROM cirt.kept_head k WHERE k.object = h.object; DROP TABLE cirt.kept, cirt.kept_head",
        "anchor", "is not what was signed"),
}


TRIGGERS = """DO $$ DECLARE t regclass; BEGIN FOR t IN SELECT DISTINCT g.tgrelid FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid
    WHERE NOT g.tgisinternal AND c.relnamespace = 'cirt'::regnamespace AND c.relkind IN ('r', 'p') AND NOT c.relispartition LOOP
    EXECUTE format('ALTER TABLE %s {} TRIGGER USER', t); END LOOP; END $$;"""


def as_owner(daemon, statements):
    daemon.psql(TRIGGERS.format("DISABLE") + statements + ";" + TRIGGERS.format("ENABLE"))


def test_what_the_owner_did_to_tables_is_found(worked):
    """Each by itself, in one transaction that comes to nothing; what `cirt audit verify` asks for is asked for in it."""
    daemon, number = worked
    with contextlib.closing(daemon.owner.connect()) as connection:
        cursor = connection.cursor()
        cursor.execute("BEGIN; " + TRIGGERS.format("DISABLE"))
        for name, (does, where, says) in EDITS.items():
            cursor.execute(f"SAVEPOINT edit; {does.format(case=number)}; SELECT object, problem FROM cirt.audit_verify()")
            found = cursor.fetchall()
            assert any(where.format(case=number) in one and says in problem for one, problem in found), (name, found)
            cursor.execute("ROLLBACK TO edit")
    assert daemon.cirt("audit", "verify")["ok"], "after"


@pytest.mark.parametrize("name", ANCHORED)
def test_what_the_owner_did_to_the_journal_is_found(worked, name):
    daemon, number = worked
    does, undoes, where, says = (text.format(case=number) for text in ANCHORED[name])
    as_owner(daemon, does)
    try:
        done = daemon.cirt_text("audit", "verify", check=False)
        assert done.returncode == 1
        assert any(where in line and says in line for line in done.stdout.splitlines()), done.stdout
    finally:
        as_owner(daemon, undoes)
    assert daemon.cirt("audit", "verify")["ok"], "after"


def test_a_tail_that_no_anchor_has_is_said_to_be_unproven(worked):
    """What was cut off after the last anchor nobody can know; how many rows stand behind it is said."""
    daemon, number = worked
    daemon.cirt("case", "note", number, "after the last anchor")
    was = daemon.cirt("audit", "verify")
    assert was["ok"] and was["later_rows"] > 0 and was["proven_rows"] + was["later_rows"] == was["rows"]
    assert "only consistent" in daemon.cirt_text("audit", "verify").stdout
