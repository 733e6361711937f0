"""The courier's own gate: what the database lets, because somebody has made it to, does not leave; and mails of a drill that would leave it."""
import csv
import io

import pytest

from harness import Daemon, wait_for
from outbox import Outbox
from smtp_server import SmtpServer
from test_courier import attachment, mail_out

# What must never stand in any mail: the names that reports of these tests have.
SECRET = b"unspeakable"


@pytest.fixture(scope="module")
def server():
    server = SmtpServer()
    yield server
    assert not any(SECRET in data for _, _, data, _ in server.mails)
    server.close()


@pytest.fixture(scope="module")
def office(programs, certificates, server):
    daemon = Daemon(programs, certificates, sections={"mail_out": mail_out(server)})
    daemon.start()
    daemon.add_sensor()
    yield Outbox(daemon)
    daemon.remove()


def shown_to_all(office, yes):
    """A table at a time: with both in one transaction, and the courier at work in them the other way round, each would wait for the other."""
    for table in ("disclosure", "outbox"):
        office.daemon.psql(f"ALTER TABLE {table} {'DISABLE' if yes else 'ENABLE'} ROW LEVEL SECURITY")


@pytest.fixture
def lying(office):
    """The database lets everything out: its gate says yes, and rows are shown to anybody."""
    was = office.daemon.psql("SELECT encode(convert_to(pg_get_functiondef('gate_decide'::regproc), 'UTF8'), 'base64')")
    definition = "".join(row[0] for row in was)
    office.daemon.psql("""CREATE OR REPLACE FUNCTION gate_decide(of_tlp tlp, of_pap pap, may_notify boolean, restricted boolean,
        released release_kind, kind recipient_kind, exercise boolean, in_directory boolean) RETURNS gate_verdict LANGUAGE sql IMMUTABLE
        PARALLEL SAFE AS $$ SELECT 'allow'::gate_verdict $$""")
    shown_to_all(office, True)
    yield
    office.daemon.psql(f"DO $do$ BEGIN EXECUTE convert_from(decode('{definition}', 'base64'), 'UTF8'); END $do$")
    shown_to_all(office, False)


def to(server, address):
    return [one for one in server.mails if one[1] == address]


def red(office, count=1):
    """Reports at TLP:RED that have something to hide."""
    reports = office.reports(count, malware=SECRET.decode())
    office.daemon.psql(f"UPDATE report SET tlp = 'red' WHERE id IN ({','.join(map(str, reports))})")
    return reports


def test_a_lying_database_gets_nothing_out(office, server, lying):
    """TLP:RED in full to the affected: the database puts it there, shows it and sends it; the courier asks its own gate."""
    mail = office.mail(office.contact(organisation="Lie", email="lie@one.example"), "lie@one.example", red(office, 2), tlp="red")
    row = office.wait(mail, "held")
    assert "may leave" in row["why"] and row["digest"] is None and not to(server, "lie@one.example")
    left = office.sql(f"SELECT DISTINCT left_out FROM disclosure WHERE outbox = {mail}")
    assert "sanitised form" in left and "TLP red" in left
    assert row["number"] in office.alarms("gate-differs")


def test_what_it_lets_leaves_without_what_it_does_not(office, server, lying):
    good = office.reports(2)
    mail = office.mail(office.contact(organisation="Mix", email="mix@one.example"), "mix@one.example", good + red(office), tlp="red")
    office.wait(mail, "sent")
    message = [one for one in server.messages() if one["To"].addresses[0].addr_spec == "mix@one.example"][0]
    rows = list(csv.DictReader(io.StringIO(attachment(message)[1].decode())))
    assert len(rows) == 2
    assert office.one(f"SELECT count(*) FILTER (WHERE told IS NOT NULL) || ' ' || count(*) FILTER (WHERE left_out IS NOT NULL) "
                      f"FROM disclosure WHERE outbox = {mail}") == "2 1"


def test_what_lies_of_its_recipient_or_tlp_stays(office, server):
    """Rows that somebody has changed behind the trigger: for another recipient, in another form, stricter than the mail says."""
    for change in ("recipient = 'source'", "form = 'sanitised'", "tlp = 'red'"):
        address = f"changed{abs(hash(change))}@one.example"
        report, = office.reports(1)
        mail = office.mail(office.contact(organisation=change, email=address), address, [report], state="ready")
        office.daemon.psql(f"""ALTER TABLE disclosure DISABLE TRIGGER USER; UPDATE disclosure SET {change} WHERE outbox = {mail};
            ALTER TABLE disclosure ENABLE TRIGGER USER""")
        office.daemon.psql(f"UPDATE outbox SET state = 'queued' WHERE id = {mail}")
        row = office.wait(mail, "held")
        assert "may leave" in row["why"] and not to(server, address)
        assert "another recipient" in office.one(f"SELECT left_out FROM disclosure WHERE outbox = {mail}")


def test_it_is_asked_again_before_the_first_connection(office, server, lying):
    """Made, and made RED before it could be sent: no connection is made for it, whatever the database says."""
    server.otherwise = "later"
    report, = office.reports(1)
    mail = office.mail(office.contact(organisation="Late", email="late@one.example"), "late@one.example", [report])
    wait_for(lambda: office.row(mail)["attempts"] > 0, 30, "an attempt")
    office.daemon.psql(f"UPDATE report SET tlp = 'red' WHERE id = {report}")
    row = office.wait(mail, "held")
    server.otherwise = "take"
    assert "something in it may not leave any more" in row["why"] and "TLP red" in row["why"]
    assert not to(server, "late@one.example")


def drill(office, number, directory):
    office.daemon.psql(f"""INSERT INTO exercise (id, name) VALUES ({number}, 'Drill {number}');
        INSERT INTO exercise_directory VALUES ({number}, '{directory}')""")


def test_a_drill_stays_in_it_whatever_the_database_shows(office, server, lying):
    drill(office, 21, "blue@drill.example")
    definition = "".join(row[0] for row in office.daemon.psql(
        "SELECT encode(convert_to(pg_get_functiondef('in_directory'::regproc), 'UTF8'), 'base64')"))
    office.daemon.psql("CREATE OR REPLACE FUNCTION in_directory(of_exercise int, of_address text) RETURNS boolean LANGUAGE plpgsql STABLE "
                       "AS $$ BEGIN RETURN true; END $$")
    try:
        mail = office.mail(address="minister@real.example", kind="mail", exercise=21, fields={"subject": "inject", "text": SECRET.decode()})
        row = office.wait(mail, "held")
        assert "own directory" in row["why"] and not to(server, "minister@real.example")
    finally:
        office.daemon.psql(f"DO $do$ BEGIN EXECUTE convert_from(decode('{definition}', 'base64'), 'UTF8'); END $do$")


def test_a_mail_that_would_leave_its_drill_is_held_and_seen(office, server):
    """Row security hides it from the courier; people see it, and why, in lists and in the morning."""
    drill(office, 22, "@drill22.example")
    inside = office.mail(address="red@drill22.example", kind="mail", exercise=22, fields={"subject": "inject", "text": "Servers are down."})
    outside = office.mail(address="minister@real22.example", kind="notice", exercise=22)
    office.wait(inside, "sent")
    row = office.wait(outside, "held")
    assert "minister@real22.example is not in that of Drill 22" in row["why"] and not to(server, "minister@real22.example")
    assert row["number"] in office.alarms("notice-held")
    desk = office.daemon
    listed = {one["number"]: one for one in desk.cirt("notice", "list", "--state", "held")["items"]}
    assert "own directory" in listed[row["number"]]["why"]
    assert "own directory" in desk.cirt_text("notice", "show", row["number"]).stdout
    assert row["number"] in desk.cirt_text("today").stdout
    # Who has put the address there since sends it on.
    desk.psql("INSERT INTO exercise_directory VALUES (22, 'minister@real22.example')")
    desk.psql(f"UPDATE outbox SET kind = 'mail', fields = '{{\"subject\": \"s\", \"text\": \"t\"}}', state = 'queued' WHERE id = {outside}")
    office.wait(outside, "sent")
