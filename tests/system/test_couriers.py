"""Two nodes on one database, and so two couriers on one outbox: no mail is doubled or lost, whatever becomes of one of them."""
import collections
import os
import signal
import time

import pytest

from harness import Daemon, wait_for
from outbox import Outbox
from smtp_server import SmtpServer
from test_courier import mail_out


@pytest.fixture(scope="module")
def server():
    server = SmtpServer()
    # Long enough for the other courier to find mails too.
    server.on_mail = lambda _: time.sleep(0.1)
    yield server
    server.close()


@pytest.fixture(scope="module")
def nodes(programs, certificates, server):
    """The first has the database, the second uses it."""
    first = Daemon(programs, certificates, sections={"mail_out": mail_out(server)})
    second = None
    try:
        first.start()
        first.add_sensor()
        second = Daemon(programs, certificates, sections={"mail_out": mail_out(server), "database": {
            "managed": False, "conninfo": f"host={first.folder}/run/postgres port=5432 dbname=cirt",
            "password_file": first.folder / "state" / "secrets" / "database"}})
        second.start()
        yield first, second
    finally:
        for daemon in (second, first):
            if daemon:
                daemon.remove()


@pytest.fixture(scope="module")
def office(nodes):
    return Outbox(nodes[0])


def sent_by(daemon):
    courier, = [room for room in daemon.cirt("status")["rooms"] if room["name"] == "courier"]
    return courier["counters"].get("sent", 0)


def put(office, tag, count):
    """Notices to as many addresses, each about reports; their ids."""
    reports = ",".join(map(str, office.reports(3)))
    mine = f"address LIKE '{tag}%@x.example'"
    return [int(line) for line in office.sql(f"""
        INSERT INTO outbox (kind, state, recipient, address, message_id) SELECT 'notice', 'ready', 'affected', '{tag}' || n || '@x.example',
            '<{tag}' || n || '@cirt.example>' FROM generate_series(1, {count}) n;
        INSERT INTO disclosure (report, outbox, cause) SELECT r, o.id, 'new' FROM outbox o, unnest('{{{reports}}}'::bigint[]) r WHERE {mine};
        UPDATE outbox SET state = 'queued' WHERE {mine};
        SELECT id FROM outbox WHERE {mine}""").splitlines() if line.isdigit()]


def got(server, tag):
    """What came for each address, in the order in which it came."""
    found = collections.defaultdict(list)
    for _, recipient, data, _ in server.mails:
        if recipient.startswith(tag):
            found[recipient].append(data)
    return found


def wait_sent(office, mails, seconds=60):
    wanted = ",".join(map(str, mails))
    wait_for(lambda: office.one(f"SELECT count(*) FROM outbox WHERE id IN ({wanted}) AND state = 'sent'") == str(len(mails)), seconds,
             "all mails to be sent")
    assert office.one(f"SELECT count(*) FROM disclosure WHERE outbox IN ({wanted}) AND told IS NULL") == "0"
    assert office.one(f"SELECT max(n) FROM (SELECT count(*) AS n FROM journal j JOIN outbox o ON j.object = 'outbox/' || o.number "
                      f"WHERE o.id IN ({wanted}) AND j.action = 'sent' GROUP BY o.id) x") == "1"


def expire(office):
    """The time of every lease is over."""
    office.daemon.psql("UPDATE outbox SET held_until = now() - interval '1 second' WHERE state = 'queued' AND holder IS NOT NULL")


def test_both_send_and_each_mail_once(nodes, office, server):
    mails = put(office, "both", 40)
    wait_sent(office, mails)
    mailed = got(server, "both")
    assert len(mailed) == 40 and all(len(copies) == 1 for copies in mailed.values())
    wait_for(lambda: sent_by(nodes[0]) + sent_by(nodes[1]) == 40, 30, "both to have counted theirs")
    assert sent_by(nodes[0]) > 0 and sent_by(nodes[1]) > 0


def at_it(office):
    """How many couriers have a mail at the server."""
    return office.one("SELECT count(DISTINCT holder) FROM outbox WHERE state = 'queued' AND reply LIKE 'being sent%'")


def begun(office):
    """Who is written to by now, as is noted before there is a connection. A note that was under way when its courier stopped is waited for."""
    time.sleep(0.5)
    return set(office.sql("LOCK TABLE outbox IN SHARE MODE; SELECT address FROM outbox WHERE state = 'queued' AND reply LIKE 'being sent%'").split())


def left_to_one(office):
    """Is all that is not sent one courier's?"""
    return office.one("SELECT count(DISTINCT holder) = 1 AND count(holder) = count(*) FROM outbox WHERE state = 'queued'") == "t"


def processes(daemon):
    return [daemon.process.pid] + [pid for _, _, pid in daemon.rooms()]


def test_one_that_is_stopped_loses_its_lease_and_doubles_nothing(nodes, office, server):
    """Stopped with mails at the server: the other sends those again, byte by byte the same, and all the others once."""
    server.gate.clear()
    mails = put(office, "stop", 30)
    wait_for(lambda: at_it(office) == "2", 30, "both couriers to be at it")
    stopped = processes(nodes[1])
    for pid in stopped:
        os.kill(pid, signal.SIGSTOP)
    try:
        under_way = set(got(server, "stop"))
        server.gate.set()
        wait_for(lambda: left_to_one(office), 60, "the first to send what it can")
        expire(office)
        wait_sent(office, mails)
    finally:
        for pid in reversed(stopped):
            os.kill(pid, signal.SIGCONT)
    time.sleep(3)  # what it would send now, it may not any more
    mailed = got(server, "stop")
    assert len(mailed) == 30
    assert all(len(set(copies)) == 1 for copies in mailed.values())
    assert {address for address, copies in mailed.items() if len(copies) > 1} <= under_way
    wait_sent(office, mails)


def test_one_that_is_killed_leaves_its_mails_to_the_other(nodes, office, server):
    """The whole node, at once. It has no next courier that would take back what it held."""
    server.gate.clear()
    mails = put(office, "kill", 30)
    wait_for(lambda: at_it(office) == "2", 30, "both couriers to be at it")
    killed = processes(nodes[1])
    for pid in killed:
        os.kill(pid, signal.SIGKILL)
    nodes[1].process.wait()
    under_way = begun(office)
    server.gate.set()
    wait_for(lambda: left_to_one(office), 60, "the first to send what it can")
    expire(office)
    wait_sent(office, mails)
    mailed = got(server, "kill")
    assert len(mailed) == 30 and all(len(set(copies)) == 1 for copies in mailed.values())
    assert {address for address, copies in mailed.items() if len(copies) > 1} <= under_way
