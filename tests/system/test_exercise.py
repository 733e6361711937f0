"""Drills as the desk runs them: who is in one, when it begins and ends, and that nothing of it leaves it."""
import pytest

from harness import Daemon
from outbox import Outbox
from smtp_server import SmtpServer
from test_courier import mail_out


@pytest.fixture(scope="module")
def server():
    server = SmtpServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def daemon(programs, certificates, server):
    daemon = Daemon(programs, certificates, sections={"mail_out": mail_out(server)})
    daemon.start()
    yield daemon
    daemon.remove()


def refused(daemon, *words):
    done = daemon.cirt_text(*words, check=False)
    assert done.returncode != 0, done.stdout
    return done.stderr


def test_a_drill_is_opened_changed_and_closed(daemon):
    assert "cirt exercise open" in daemon.cirt_text("exercise", "list").stdout
    made = daemon.cirt("exercise", "open", "frost-2026", "--title", "All of energy", "--add", "SOC@grid.example, @bank.example")
    assert (made["state"], made["directory"]) == ("open", ["@bank.example", "soc@grid.example"])
    daemon.cirt("source", "add", "frost-injects", "--kind", "desk", "--exercise", "frost-2026")
    shown = daemon.cirt("exercise", "set", "frost-2026", "--remove", "@bank.example", "--until", "2040-01-01")
    assert (shown["directory"], shown["sources"]) == (["soc@grid.example"], ["frost-injects"])
    assert "soc@grid.example" in daemon.cirt_text("exercise", "show", "frost-2026").stdout
    assert "open already" in refused(daemon, "exercise", "open", "frost-2026")
    assert daemon.cirt("exercise", "close", "frost-2026")["state"] == "over"
    assert "over since" in refused(daemon, "exercise", "close", "frost-2026")
    assert daemon.cirt("exercise", "list")["items"] == [] and len(daemon.cirt("exercise", "list", "--all")["items"]) == 1
    assert daemon.cirt("exercise", "open", "frost-2026")["state"] == "open"
    assert daemon.psql("SELECT count(*) >= 4 FROM cirt.journal WHERE object = 'exercise/frost-2026'") == [["t"]]


@pytest.mark.parametrize("words,said", [
    (("show", "thaw"), 'no exercise "thaw"'),
    (("open", "a b"), "such as frost-2026"),
    (("open", "thaw", "--add", "grid.example"), "nobody's address"),
    (("open", "thaw", "--from", "2040-01-02", "--until", "2040-01-01"), "behind the one of --from"),
])
def test_what_is_wrong_of_a_drill_is_said(daemon, words, said):
    assert said in refused(daemon, "exercise", *words)
    assert not any(one["name"] == "thaw" for one in daemon.cirt("exercise", "list", "--all")["items"])


def test_nothing_of_it_leaves_before_it_begins_and_when_it_is_over(daemon, server):
    office = Outbox(daemon)
    daemon.cirt("exercise", "open", "ice-2026", "--add", "blue@ice.example")
    number = int(daemon.psql("SELECT id FROM cirt.exercise WHERE name = 'ice-2026'")[0][0])

    def inject(subject):
        return office.mail(address="blue@ice.example", kind="mail", exercise=number, fields={"subject": subject, "text": "Servers are down."})
    office.wait(inject("one"), "sent")
    daemon.cirt("exercise", "set", "ice-2026", "--from", "2040-01-01")
    assert "own directory" in office.wait(inject("two"), "held")["why"]
    daemon.cirt("exercise", "set", "ice-2026", "--from", "2026-01-01")
    office.wait(inject("three"), "sent")
    daemon.cirt("exercise", "close", "ice-2026")
    assert "own directory" in office.wait(inject("four"), "held")["why"]
    assert [message["Subject"].split()[-1] for message in server.messages()] == ["one", "three"]
