"""Many who write the same: how many people that are stands in the inbox, also once it is known, and one act answers them all."""
import pytest

from case_office import CaseOffice
from harness import wait_for
from terminal import Terminal
from test_people_mail import letter


@pytest.fixture(scope="module")
def office(programs, certificates):
    office = CaseOffice(programs, certificates)
    office.daemon.psql("UPDATE cirt.correlation_rule SET mode = 'by-hand'")
    office.daemon.cirt("operator", "new", "second", "--role", "analyst")
    yield office
    office.close()


def wave(office, word, people):
    """Each of them sends the same page; all fold into one report."""
    for who in people:
        office.daemon.send_mail(letter(f"Your {word} waits", f"{who}@{word}.example", f"{who}.{word}@mail.example",
                                       text=f"I got this: http://{word}.example.net/pay?id={who}"))
    office.daemon.settle()


def group(office, word, count, again, mails=1):
    """The line of the inbox, once so many people are in it, by at least so many mails or reports."""
    def found():
        for one in office.daemon.cirt("inbox", "people")["items"]:
            if word in one["what"] and bool(one.get("again")) == again and one["wrote"] == count and one["n"] >= mails:
                return one
        return None
    return wait_for(found, 30, f"{count} people of {word}")


def told(office, word):
    """To whom a mail went, or goes in a minute, that says so."""
    return sorted(row[0] for row in office.daemon.psql("SELECT address FROM cirt.outbox WHERE template = 'acknowledgement-known' AND state <> 'cancelled'"
                                                       f" AND address LIKE '%@{word}.example'"))


def test_many_who_write_the_same_are_people_of_one_line_and_answered_by_one_act(office):
    wave(office, "cockatoo", ["ann", "bob", "cat"])
    line = group(office, "cockatoo", 3, False)
    assert line["n"] == 1 and line["what"].startswith('3 people "Your cockatoo') and "3 people" in office.daemon.cirt_text("inbox", "--list").stdout
    number = office.daemon.cirt("inbox", "open", line["group"])["number"]
    assert not any("cockatoo" in one["what"] for one in office.daemon.cirt("inbox", "people")["items"])
    # It is in a case by now: whoever else writes is heard.
    unread = office.daemon.cirt("today")["people"]
    wave(office, "cockatoo", ["dan", "eve", "dan"])
    line = group(office, "cockatoo", 2, True, mails=3)
    assert line["n"] == 3 and line["what"].startswith('2 people, known: "Your cockatoo') and line["case"] == number
    assert line["suggested"]["text"] == f"answer (in {number}, open)"
    day = office.daemon.cirt("today")["people"]
    assert (day["unread"] - unread["unread"], day["inbox"] - unread["inbox"]) == (3, 3)
    shown = office.daemon.cirt("inbox", "show", line["group"])
    assert {one["sender"]: one["n"] for one in shown["senders"]} == {"dan@cockatoo.example": 2, "eve@cockatoo.example": 1} and "cockatoo.example.net" in shown["text"]
    refused = office.daemon.cirt_text("inbox", "link", line["group"], "--case", number, check=False)
    assert refused.returncode == 1 and f"cirt inbox answer {line['group']}" in refused.stderr
    assert "2 to be told" in office.daemon.cirt("inbox", "answer", line["group"], "--dry-run")["what"] and not told(office, "cockatoo")
    assert "2 people told that it is known; 60 s" in office.daemon.cirt_text("inbox", "answer", line["group"]).stdout
    assert told(office, "cockatoo") == ["dan@cockatoo.example", "eve@cockatoo.example"]
    assert not any("cockatoo" in one["what"] for one in office.daemon.cirt("inbox", "people")["items"])
    # Taken back, and done again: then the mails go, and nobody gets two.
    assert "2 mails do not go, 3 are in the inbox again" in office.daemon.cirt_text("undo").stdout and not told(office, "cockatoo")
    line = group(office, "cockatoo", 2, True, mails=3)
    office.daemon.cirt("inbox", "answer", line["group"])
    assert ["inbox/%s" % line["group"], "answered"] in office.daemon.psql("SELECT object, action FROM cirt.journal WHERE object LIKE 'inbox/%'")
    row = office.daemon.psql("SELECT number FROM cirt.outbox WHERE template = 'acknowledgement-known' AND state = 'queued' AND address = 'eve@cockatoo.example'")
    mail = office.sent(row[0][0])
    text = mail.get_body(("plain",)).get_content()
    assert "Others have told us of the same" in text and "cockatoo.example.net" not in text and mail["In-Reply-To"] == "<eve.cockatoo@mail.example>"
    wave(office, "cockatoo", ["eve"])
    line = group(office, "cockatoo", 1, True)
    refused = office.daemon.cirt_text("inbox", "answer", line["group"], check=False)
    assert refused.returncode == 1 and f"cirt inbox done {line['group']}" in refused.stderr
    assert "1 mail of what is known put away" in office.daemon.cirt_text("inbox", "done", line["group"]).stdout
    assert ["inbox/%s" % line["group"], "put away"] in office.daemon.psql("SELECT object, action FROM cirt.journal WHERE object LIKE 'inbox/%'")
    assert not any("cockatoo" in one["what"] for one in office.daemon.cirt("inbox", "people")["items"])


def test_more_than_may_go_at_once_wait_for_a_second_person(office):
    wave(office, "galah", ["a", "b", "c", "d"])
    line = group(office, "galah", 4, False)
    said = office.daemon.cirt("inbox", "answer", line["group"])
    assert "second person" in said["what"] and not told(office, "galah")
    assert office.daemon.cirt("approve", "list")["items"][0]["kind"] == "inbox-answer"


def test_keys_answer_and_put_away(office):
    wave(office, "lory", ["ann"])
    office.daemon.cirt("inbox", "open", group(office, "lory", 1, False)["group"])
    for one in office.daemon.cirt("inbox", "people")["items"]:
        office.daemon.cirt("inbox", "reject", one["group"], "--reason", "test")
    wave(office, "lory", ["ben"])
    group(office, "lory", 1, True)
    with Terminal(office.daemon, "inbox", "people", lines=24, columns=80) as terminal:
        assert "a answer d done" in terminal.expect("q quit")
        terminal.type("a")
        terminal.expect("told that it is known")
        terminal.type("u")
        terminal.expect("undone:")
        terminal.type("d")
        terminal.expect("put away. u = undo")
        terminal.type("q")
        assert terminal.end() == 0
    assert not told(office, "lory")
