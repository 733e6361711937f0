"""Questions: to a party of a case, answered by its own address; to many, with a tally; every mail of a case as one thread."""
import pytest

from case_office import CaseOffice
from harness import wait_for


@pytest.fixture(scope="module")
def office(programs, certificates):
    office = CaseOffice(programs, certificates)
    yield office
    office.close()


def test_question_is_answered_and_shown_as_a_thread(office):
    office.contact(name="Support", organisation="MediSoft", email="support@medisoft.example")
    number = office.case("Ransom note", "it@hospital.example", "See http://lock.example.net/pay", role="affected", organisation="MediSoft")
    asked = office.daemon.cirt("inquiry", "new", number, "--to", "affected", "--question", "Which version runs at the hospital?", "--due", "2d")
    assert asked["state"] == "queued" and asked["address"] == "support@medisoft.example"
    message = office.sent(asked["number"])
    assert f"case+{asked['number']}-" in message["Reply-To"] and f"[CIRT-XX {number}]" in message["Subject"]
    assert "open" in office.refused("case", "close", number, "--outcome", "resolved")
    office.answer(message, "Version 4, see http://lock.example.net/b.")
    one = wait_for(lambda: (lambda found: found if found["state"] == "answered" else None)(office.daemon.cirt("inquiry", "show", str(asked["inquiry"]))), 30, "the answer")
    assert [mail["way"] for mail in one["thread"]] == ["out", "in"] and office.daemon.cirt("inquiry", "list")["items"] == []
    thread = wait_for(lambda: (lambda found: found if len(found) == 3 else None)(office.daemon.cirt("case", "show", number, "--mail")["thread"]), 30, "the thread")
    assert [mail["way"] for mail in thread] == ["in", "out", "in"] and thread[1]["state"] == "answered"
    shown = office.daemon.cirt_text("case", "show", number, "--mail").stdout
    assert "hxxp://lock[.]example[.]net/b" in shown and "http://lock" not in shown


def test_many_are_asked_and_counted(office):
    """Each has an address of its own; who has not answered is named; more than one may send alone waits for a second person."""
    for place in ("North", "South", "East"):
        office.contact(name="IT", organisation=f"{place} Clinic", email=f"it@{place.lower()}.example")
    office.daemon.psql("UPDATE organisation SET sector = 'health' WHERE name LIKE '% Clinic'")
    asked = office.daemon.cirt("ask", "sector:health", "--question", "-", "--until", "2d", stdin="Have you seen winterlock?")
    assert (asked["of"], asked["mails"], asked["silent"]) == (3, 3, 3)
    numbers = dict(row.split("|") for row in office.sql("SELECT i.name || '|' || o.number FROM inquiry i JOIN outbox o ON o.id = i.outbox").splitlines() if "Clinic" in row)
    mails = {name: office.sent(number) for name, number in numbers.items()}
    assert len({mail["Reply-To"] for mail in mails.values()}) == 3
    office.answer(mails["North Clinic"], "No, nothing here.")
    office.answer(mails["South Clinic"], "YES. Three machines.")
    shown = wait_for(lambda: (lambda found: found if found["silent"] == 1 else None)(office.daemon.cirt("ask", "show", str(asked["ask"]))), 30, "two answers")
    assert (shown["yes"], shown["no"]) == (1, 1) and shown["sectors"][0]["of"] == 3
    assert [one["organisation"] for one in shown["items"] if one["word"] == "no answer"] == ["East Clinic"]
    assert not [case for case in office.daemon.all_pages("case", "list") if case["title"].startswith("Answer to")]
    assert office.daemon.cirt("ask", "remind", str(asked["ask"]))["mails"] == 1
    assert "East Clinic" in office.daemon.cirt_text("ask", "show", str(asked["ask"])).stdout
    office.contact(name="IT", organisation="West Clinic", email="it@west.example")
    office.daemon.psql("UPDATE organisation SET sector = 'health' WHERE name = 'West Clinic'")
    waits = office.daemon.cirt("ask", "sector:health", "--question", "-", "--until", "1d", stdin="Again?")
    assert waits["waits"] is True and waits["state"] == "waits for a second person"
    assert waits["approval"]["approval"] in [one["approval"] for one in office.daemon.cirt("approve", "list")["items"]]


def test_brief_is_a_page_out_of_the_case(office):
    """What stands in the case and nothing else, in the language asked for; the gate is asked for whom it is; the same state is the same situation."""
    office.contact(name="", organisation="Ministry", email="office@ministry.example")
    number = office.case("Portal defaced", "webmaster@ministry.example", role="affected", organisation="Ministry")
    first = office.daemon.cirt("case", "brief", number)
    assert first["text"].startswith("TLP:AMBER · ") and first["situation"] == 1 and "how much was harmed" in first["text"]
    assert office.daemon.cirt("case", "brief", number)["situation"] == 1
    office.daemon.cirt("inquiry", "new", number, "--to", "affected", "--question", "Since when?", "--due", "4h", "--phone")
    french = office.daemon.cirt("case", "brief", number, "--for", "affected", "--lang", "fr")
    assert french["situation"] == 2 and "Ce que nous ne savons pas" in french["text"] and "Since when?" in french["text"]
    assert french["gate"] == "Ministry: ok"
    assert "What happened" in office.daemon.cirt_text("case", "brief", number).stdout
    assert office.refused("case", "brief", number, "--for", "office@stranger.example", "--tlp", "red").startswith("4 ")
