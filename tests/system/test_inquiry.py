"""Questions: to a party of a case, answered by its own address; to many, with a tally; every mail of a case as one thread."""
import email.utils
import smtplib

import pytest

from case_office import CaseOffice
from harness import wait_for
from test_people_mail import letter


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
    assert " answers are expected until 20" in office.daemon.cirt_text("ask", "show", str(asked["ask"])).stdout
    office.contact(name="IT", organisation="West Clinic", email="it@west.example")
    office.daemon.psql("UPDATE organisation SET sector = 'health' WHERE name = 'West Clinic'")
    waits = office.daemon.cirt("ask", "sector:health", "--question", "-", "--until", "1d", stdin="Again?")
    assert waits["waits"] is True and waits["state"] == "waits for a second person"
    assert waits["approval"]["approval"] in [one["approval"] for one in office.daemon.cirt("approve", "list")["items"]]


def asked_mails(office, ask):
    """The mails of a question to many as they arrived, by organisation."""
    rows = (row.split("|") for row in office.sql(f"SELECT i.name || '|' || o.number FROM inquiry i JOIN outbox o ON o.id = i.outbox WHERE i.ask = {ask}").splitlines())
    return {name: office.sent(number) for name, number in rows}


def tally(office, ask, **wanted):
    return wait_for(lambda: (lambda found: found if all(found[name] == count for name, count in wanted.items()) else None)(
        office.daemon.cirt("ask", "show", str(ask))), 30, f"{wanted} of ask {ask}: {office.daemon.cirt('ask', 'show', str(ask))}")


def test_an_address_is_of_one_organisation_however_often_it_is_used(office):
    """Asked once though it is in the group twice; forged addresses and programs count nothing, the last word does, and so does the phone."""
    desk = office.daemon
    for place, sector in (("Alpha", "energy"), ("Beta", "water"), ("Gamma", "energy")):
        office.contact(name="IT", organisation=f"{place} Grid", email=f"it@{place.lower()}-grid.example")
        office.daemon.psql(f"UPDATE organisation SET sector = '{sector}' WHERE name = '{place} Grid'")
    desk.cirt("group", "new", "grid", "--sector", "energy")
    desk.cirt("group", "add", "grid", "Alpha Grid", "Beta Grid")
    asked = desk.cirt("ask", "grid", "--question", "-", "--until", "2d", "--no-reminder", stdin="Do you run GridOS 4?")
    ask = asked["ask"]
    assert (asked["of"], asked["mails"]) == (3, 3) and office.one(f"SELECT count(DISTINCT organisation) FROM inquiry WHERE ask = {ask}") == "3"
    mails = asked_mails(office, ask)
    address = email.utils.parseaddr(mails["Alpha Grid"]["Reply-To"])[1]
    local, domain = address.split("@")
    with pytest.raises(smtplib.SMTPResponseException) as forged:
        desk.send_mail(letter("Re: forged", "it@alpha-grid.example", "grid-f@x.example", text="YES."), [local[:-1] + ("a" if local[-1] != "a" else "b") + "@" + domain])
    assert forged.value.smtp_code == 550
    desk.send_mail(letter("Out of office", "it@alpha-grid.example", "grid-o@x.example", text="NO, I am away.", Auto_Submitted="auto-replied",
                          In_Reply_To=mails["Alpha Grid"]["Message-ID"]), [address])
    desk.settle()
    office.answer(mails["Beta Grid"], "CHECKING. More tomorrow.")
    office.answer(mails["Alpha Grid"], "No.")
    first = tally(office, ask, no=1, checking=1, silent=1)
    assert [one["word"] for one in first["items"] if one["organisation"] == "Gamma Grid"] == ["no answer"]
    office.answer(mails["Alpha Grid"], "YES after all, two of them.", sender="boss@alpha-grid.example")
    tally(office, ask, yes=1, no=0)
    desk.cirt("ask", "set", str(ask), "Gamma Grid", "no", "--note", "by phone 14:10")
    shown = tally(office, ask, yes=1, no=1, checking=1, silent=0)
    assert {one["sector"]: (one["of"], one["yes"], one["no"], one["checking"]) for one in shown["sectors"]} == {"energy": (2, 1, 1, 0), "water": (1, 0, 0, 1)}
    rows = {one["organisation"]: one for one in shown["items"]}
    assert rows["Alpha Grid"]["mails"] == 2 and rows["Gamma Grid"]["note"] == "by phone 14:10" and "mail" not in rows["Gamma Grid"]
    assert desk.cirt("ask", "remind", str(ask))["mails"] == 0, "who is checking has answered"
    # The mail that is named is the one that says so, and from whom it is where that is not who was asked.
    assert desk.cirt("mail", "show", rows["Alpha Grid"]["mail"])["text"].startswith("YES after all")
    assert rows["Alpha Grid"]["from"] == "boss@alpha-grid.example" and "from" not in rows["Beta Grid"]
    desk.cirt("ask", "set", str(ask), "Beta Grid", "checking", "--note", "tomorrow, by phone")
    desk.cirt("ask", "close", str(ask))
    closed = {one["organisation"]: one.get("note") for one in desk.cirt("ask", "show", str(ask))["items"]}
    assert closed["Beta Grid"] == "tomorrow, by phone"
    assert [one["text"] for one in desk.cirt("inquiry", "show", str(rows["Alpha Grid"]["inquiry"]))["thread"] if one["way"] == "in"] == [
        "No.", "YES after all, two of them."]
    assert "was not asked" in office.refused("ask", "set", str(ask), "Nobody Grid", "no")


def test_a_reminder_goes_once_and_late_answers_are_told(office):
    """By the keeper at half time; an answer to the reminder is one; whose time is over is named, and what comes then counts as late."""
    desk = office.daemon
    for place in ("Fast", "Slow", "Mute"):
        office.contact(name="IT", organisation=f"{place} Rail", email=f"it@{place.lower()}-rail.example")
        office.daemon.psql(f"UPDATE organisation SET sector = 'rail' WHERE name = '{place} Rail'")
    ask = desk.cirt("ask", "sector:rail", "--question", "-", "--until", "2d", stdin="Have you seen railworm?")["ask"]
    mails = asked_mails(office, ask)
    office.answer(mails["Fast Rail"], "NO.")
    tally(office, ask, no=1, silent=2)
    desk.psql(f"UPDATE ask SET remind = now() WHERE id = {ask}")
    reminded = lambda: office.sql("SELECT count(*) || ' ' || count(DISTINCT o.inquiry) FROM outbox o JOIN inquiry i ON i.id = o.inquiry "  # noqa: E731
                                  f"WHERE i.ask = {ask} AND o.id <> i.outbox")
    wait_for(lambda: reminded() == "2 2", 60, "two reminders")
    desk.psql(f"UPDATE ask SET remind = now() WHERE id = {ask}")
    wait_for(lambda: office.sql(f"SELECT remind IS NULL FROM ask WHERE id = {ask}") == "t", 60, "the keeper to look again")
    assert reminded() == "2 2", "nobody is reminded twice in an hour"
    again = office.sent(office.one(f"SELECT o.number FROM outbox o JOIN inquiry i ON i.id = o.inquiry WHERE i.ask = {ask} AND i.name = 'Slow Rail' AND o.id <> i.outbox"))
    assert again["In-Reply-To"] == mails["Slow Rail"]["Message-ID"] and "We have no answer of yours" in again.get_body().get_content()
    desk.psql(f"UPDATE ask SET until = now() WHERE id = {ask}; UPDATE inquiry SET due = now() WHERE ask = {ask}")
    wait_for(lambda: "Mute Rail, Slow Rail" in office.alarms("ask-over"), 60, "who has not answered to be named")
    office.answer(again, "YES, on Monday.")
    rows = {one["organisation"]: one for one in tally(office, ask, yes=1, no=1, silent=1)["items"]}
    assert rows["Slow Rail"]["late"] is True and "late" not in rows["Fast Rail"] and rows["Mute Rail"]["word"] == "no answer"
    assert desk.cirt("ask", "close", str(ask))["state"] == "closed" and office.alarms("ask-over") == ""
    office.answer(mails["Mute Rail"], "Checking, sorry.")
    rows = {one["organisation"]: one for one in tally(office, ask, checking=1, silent=0)["items"]}
    assert rows["Mute Rail"]["late"] is True and "closed" in office.refused("ask", "remind", str(ask))


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


def test_an_answer_by_phone_brings_a_waiting_case_back(office):
    """Of whom it waits for; of somebody else, or one who is still checking, it goes on waiting."""
    cirt = office.daemon.cirt
    office.contact(name="Abuse", organisation="Phone Hoster", email="abuse@phonehoster.example")
    office.contact(name="IT", organisation="Phone Owner", email="it@phoneowner.example")
    number = office.case("A host that is asked about", "citizen@phonecase.example", role="hoster", organisation="Phone Hoster")
    office.party(number, "affected", organisation="Phone Owner")
    ask = lambda whom, question: str(cirt("inquiry", "new", number, "--to", whom, "--question", question, "--due", "2d", "--phone")["inquiry"])
    hoster, owner, again = ask("hoster", "Is it down?"), ask("affected", "Is it yours?"), ask("hoster", "And now?")
    cirt("case", "wait", number, "--for", "hoster", "--until", "3d")
    assert cirt("inquiry", "answered", owner, "--note", "yes")["case_state"] == "waiting"
    assert cirt("inquiry", "answered", hoster, "--note", "they look", "--word", "checking")["case_state"] == "waiting"
    assert cirt("inquiry", "answered", again, "--note", "it is down, says Mr Abe")["case_state"] == "open"
    shown = cirt("case", "show", number)
    assert shown["reason"] == f"hoster has answered: question {again}" and shown["waits"] is None
    assert f"{number} (hoster has answered)" in office.daemon.cirt_text("today").stdout


def test_a_question_to_many_is_looked_at_first(office):
    """Who has no address, no valid key, and what the gate says; nothing is asked, and nothing is written."""
    office.contact(name="IT", organisation="Reached Utility", email="it@reached.example")
    office.contact(name="IT", organisation="Sealed Utility", email="it@sealed.example", policy="required")
    office.daemon.psql("INSERT INTO organisation (name) VALUES ('Silent Utility'); UPDATE organisation SET sector = 'utilities' WHERE name LIKE '% Utility'")
    counts = lambda: office.sql("SELECT concat_ws(' ', (SELECT count(*) FROM ask), (SELECT count(*) FROM inquiry), (SELECT count(*) FROM outbox))")
    before = counts()
    words = ["ask", "sector:utilities", "--question", "-", "--until", "2d", "--dry-run"]
    looked = office.daemon.cirt(*words, stdin="Have you seen it?")
    assert {row["organisation"]: (row.get("to"), row.get("key"), row["gate"]) for row in looked["items"]} == {
        "Reached Utility": ("it@reached.example", "in the clear", "ok"), "Silent Utility": (None, None, "no contact"),
        "Sealed Utility": ("it@sealed.example", "NO VALID KEY: the mail is held", "ok")}
    assert (looked["mails"], looked["organisations"], looked["two_people"]) == (2, 3, False)
    text = office.daemon.cirt_text(*words, stdin="Have you seen it?").stdout
    assert "NO VALID KEY" in text and "2 mails to 3 organisations, TLP:amber. Nothing was sent." in text
    red = office.daemon.cirt(*words, "--tlp", "red", stdin="Have you seen it?")
    assert red["two_people"] and {row["gate"] for row in red["items"]} == {"two people", "no contact"}
    assert counts() == before
