"""What comes back for mails of ours: bounces, answers, questions to sources; and who is told that his report has arrived."""
import email
import email.policy
import email.utils
import smtplib

import pytest

from harness import wait_for
from outbox import Outbox
from smtp_server import SmtpServer
from test_people_mail import TO_US, letter

VOUCHED = "Authentication-Results: mx.cirt.example; dmarc=pass header.from={}\r\n" + TO_US


@pytest.fixture
def server():
    server = SmtpServer()
    yield server
    server.close()


@pytest.fixture
def office(make_daemon, server):
    daemon = make_daemon(sections={
        "mail_out": {"server": f"smtp://127.0.0.1:{server.port}", "tls": "off", "from": "cirt@cirt.example", "timeout": "5s"},
        "spam": {"trusted_hops": ["mx.cirt.example", "127.0.0.1"]}, "reply": {"tag": "CIRT-XX", "acknowledge": True}})
    daemon.start()
    daemon.add_sensor()
    return Outbox(daemon)


def opened(desk):
    """Cases that answers have opened; what people report opens others."""
    return [case for case in desk.all_pages("case", "list") if case["title"].startswith("Answer to ")]


def sent(office, server, mail):
    """Envelope sender and message, as the other side got them."""
    office.wait(mail, "sent")
    row = office.row(mail)
    found = [one for one in server.mails if row["message_id"].encode() in one[2]]
    assert len(found) == 1
    return found[0][0], email.message_from_bytes(found[0][2], policy=email.policy.default)


def bounce(recipient, action="failed", status="5.1.1", about=None, says="550 no such user"):
    lines = ["From: MAILER-DAEMON@mx.hospital.example", "To: bounce@cirt.example", "Subject: Undelivered", "MIME-Version: 1.0",
             "Content-Type: multipart/report; report-type=delivery-status; boundary=b", "", "--b", "", "It did not arrive.", "--b",
             "Content-Type: message/delivery-status", "", "Reporting-MTA: dns; mx.hospital.example", "",
             f"Final-Recipient: rfc822; {recipient}", f"Action: {action}", f"Status: {status}", f"Diagnostic-Code: smtp; {says}", ""]
    if about:
        lines += ["--b", "Content-Type: text/rfc822-headers", "", f"Message-ID: {about}", "Subject: x", ""]
    return "\r\n".join(lines + ["--b--", ""])


def test_bounces_find_their_mail_and_forged_ones_do_not(office, server):
    """By the sender of the envelope, or the Message-ID that they bring back; the contact is given up, and somebody told."""
    desk = office.daemon
    contact = office.contact()
    first, second = office.mail(contact, reports=office.reports(2)), office.mail(contact, reports=office.reports(1))
    back_to, _ = sent(office, server, first)
    sent(office, server, second)
    number = office.row(first)["number"]
    assert back_to.startswith(f"bounce+{number}-") and back_to.endswith("@cirt.example")
    local, domain = back_to.split("@")
    for forged in (local[:-1] + ("a" if local[-1] != "a" else "b") + "@" + domain, back_to.replace(number, office.row(second)["number"])):
        with pytest.raises(smtplib.SMTPResponseException) as refused:
            desk.send_mail(bounce("soc@hospital.example"), [forged], sender="<>")
        assert refused.value.smtp_code == 550
    # The mailbox itself takes what it is given, which proves nothing.
    desk.send_mail(bounce("soc@hospital.example", about="<guessed@cirt.example>", says=number), ["bounce@cirt.example"], sender="<>")
    desk.send_mail(bounce("soc@hospital.example", "delayed", "4.4.1"), [back_to.upper()], sender="<>")
    wait_for(lambda: office.row(first)["bounce"].startswith("delayed"), 30, "the delay")
    assert office.row(first)["bounced"] is None and office.row(second)["bounced"] is None
    assert office.one(f"SELECT bounced IS NULL FROM contact WHERE id = {contact}") == "t"
    for _ in range(25):
        desk.send_mail(bounce("soc@hospital.example"), [back_to], sender="<>")
    wait_for(lambda: office.row(first)["bounced"], 30, "the bounce")
    desk.settle()
    assert office.row(first)["bounce"] == "5.1.1 soc@hospital.example: 550 no such user"
    assert office.one(f"SELECT bounced IS NOT NULL FROM contact WHERE id = {contact}") == "t"
    assert office.one(f"SELECT count(*) FROM journal WHERE object = 'outbox/{number}' AND action = 'came back'") == "1"
    assert number in office.alarms("notice-bounced")
    desk.send_mail(bounce("soc@hospital.example", about=office.row(second)["message_id"]), ["bounce@cirt.example"], sender="<>")
    wait_for(lambda: office.row(second)["bounced"], 30, "the bounce by its Message-ID")
    assert desk.cirt_text("notice", "list").stdout.count("came back") == 2
    assert desk.cirt("audit", "verify")


def test_answers_open_a_case_and_join_it(office, server):
    """Reports told, the party and the answer are in it; programs, and strangers who guess a number, open nothing."""
    desk = office.daemon
    contact = office.contact()
    desk.psql("INSERT INTO organisation_domain (organisation, domain) SELECT id, 'hospital.example' FROM organisation WHERE name = 'City Hospital'")
    reports = office.reports(2)
    mail = office.mail(contact, reports=reports)
    _, message = sent(office, server, mail)
    number, ident = office.row(mail)["number"], office.row(mail)["message_id"]
    desk.send_mail(letter("Out of office", "soc@hospital.example", "auto1@hospital.example", In_Reply_To=ident, Auto_Submitted="auto-replied"))
    desk.send_mail(letter("Ticket 7 opened", "desk@hospital.example", "tick@hospital.example", In_Reply_To=ident, Auto_Submitted="auto-generated"))
    desk.send_mail(letter(f"Re: [{number}] hello", "evil@stranger.example", "evil@stranger.example"))
    # From an address of theirs, for whose domain our mail server found that it does not stand for it (DMARC).
    desk.send_mail("Authentication-Results: mx.cirt.example; dmarc=fail header.from=hospital.example\r\n" + TO_US
                   + letter(f"Re: [{number}] wire the money", "boss@hospital.example", "forged1@hospital.example"))
    desk.settle()
    wait_for(lambda: office.one(f"SELECT count(*) FROM notice_guess WHERE outbox = {mail}") == "2", 30, "both to be probably answers")
    assert office.row(mail)["answered"] is None and opened(desk) == []
    guesses = desk.cirt("notice", "show", number)["probably"]
    assert {one["sender"] for one in guesses} == {"evil@stranger.example", "boss@hospital.example"}
    assert f"probably an answer to  {number}" in desk.cirt_text("report", "show", guesses[0]["mail"]).stdout
    assert "PROBABLY ANSWERED BY" in desk.cirt_text("notice", "show", number).stdout
    desk.send_mail(letter(f"Re: {message['Subject']}", "soc@hospital.example", "r1@hospital.example", text="We have cleaned it: marmalade.",
                          In_Reply_To=ident))
    case = wait_for(lambda: opened(desk), 30, "the case")[0]
    shown = wait_for(lambda: (lambda one: one if one["mails"] else None)(desk.cirt("case", "show", case["number"])), 30, "the answer in it")
    assert number in shown["title"] and "City Hospital" in shown["title"]
    assert [(one["way"], one["known"]) for one in shown["mails"]] == [("reference", True)]
    assert office.row(mail)["answered"] and office.sql(f"SELECT state FROM report_status WHERE report = {reports[0]}") == "answered"
    assert office.one("SELECT count(*) FROM case_report r JOIN cases c ON c.id = r.case_id WHERE r.ended IS NULL AND c.title LIKE 'Answer to %'") == "2"
    # The next ones join it: by our number from a colleague, by Reply-To from anybody.
    desk.send_mail(letter(f"AW: [{number}] more", "boss@hospital.example", "r2@hospital.example"))
    desk.send_mail(letter("no subject of ours", "someone@else.example", "r3@else.example"), [email.utils.parseaddr(message["Reply-To"])[1]])
    wait_for(lambda: len(desk.cirt("case", "show", case["number"])["mails"]) == 3, 30, "all answers")
    assert len(opened(desk)) == 1 and " answered " in desk.cirt_text("notice", "list").stdout


def test_reporters_are_told_once_and_two_programs_stop_at_once(office, server):
    """Who is vouched for is told the number of his report and nothing that he wrote; the answer of a program ends it."""
    desk = office.daemon

    def mails(to):
        return [one for one in server.mails if one[1] == to]

    desk.send_mail(VOUCHED.format("evil.example") + letter("forged", "victim@bank.example", "f1@bank.example"))
    desk.send_mail(TO_US + letter("a stranger", "stranger@nowhere.example", "s1@nowhere.example"))
    desk.send_mail(VOUCHED.format("list.example") + letter("a list", "x@list.example", "l1@list.example", List_Id="<a.list.example>"))
    desk.send_mail(VOUCHED.format("citizen.example") + letter("VERYSECRETSUBJECT", "anna@citizen.example", "c1@citizen.example"))
    wait_for(lambda: mails("anna@citizen.example"), 60, "the acknowledgement")
    told = mails("anna@citizen.example")[0][2]
    ack = email.message_from_bytes(told, policy=email.policy.default)
    report = [one for one in desk.reports() if one["title"] == "VERYSECRETSUBJECT"][0]
    assert report["id"] in ack["Subject"] and b"VERYSECRETSUBJECT" not in told and ack["Auto-Submitted"].startswith("auto-")
    assert ack["In-Reply-To"] == "<c1@citizen.example>"
    # A responder like ours on the other side, once as it should be and once without saying that it is one.
    for number, honest in enumerate((True, False)):
        fields = {"Auto_Submitted": "auto-replied"} if honest else {}
        desk.send_mail(VOUCHED.format("citizen.example") + letter(f"Your mail has arrived {number}", "anna@citizen.example", f"a{number}@citizen.example",
                                                                  In_Reply_To=ack["Message-ID"], **fields))
    desk.settle()
    wait_for(lambda: office.one("SELECT count(*) FROM letter_back") == "0", 30, "the keeper")
    assert office.one("SELECT count(*) FROM outbox WHERE kind = 'acknowledgement'") == "1"
    # So often a day.
    for number in range(6):
        desk.send_mail(VOUCHED.format("citizen.example") + letter(f"more {number}", "anna@citizen.example", f"m{number}@citizen.example",
                                                                  text=f"See 203.0.113.{number + 1}."))
    wait_for(lambda: len(mails("anna@citizen.example")) == 3 and office.one("SELECT count(*) FROM letter_back") == "0", 60, "three in all")
    assert {one[1] for one in server.mails} == {"anna@citizen.example"}


def test_a_source_is_asked_and_its_answer_written_down(office, server):
    """The question goes to the source's own address; the answer changes nothing until a person writes it down, with the mail."""
    desk = office.daemon
    desk.cirt("source", "set", "abuse", "--ask-before-notice", "yes", "--contact", "ask@partner.example", "--acknowledge", "no")
    desk.send_mail(letter("Tip", "agent@partner.example", "t1@partner.example"), ["abuse@cirt.example"])
    report = wait_for(lambda: [one for one in desk.reports() if one["title"] == "Tip"], 30, "the report")[0]["id"]
    assert desk.cirt_text("tlp", "ask", report, "--to", "evil@stranger.example", check=False).returncode != 0
    asked = desk.cirt("tlp", "ask", report, "--note", "the hospital is hit")
    assert (asked["state"], asked["to"], asked["source"]) == ("asked", "ask@partner.example", "abuse")
    again = desk.cirt_text("tlp", "ask", report, check=False)
    assert again.returncode != 0 and "yet to answer" in again.stderr and asked["number"] in again.stderr
    wait_for(lambda: server.mails, 30, "the question")
    message = email.message_from_bytes(server.mails[0][2], policy=email.policy.default)
    assert report in message["Subject"] and "TLP:AMBER" in message["Subject"] and "the hospital is hit" in message.get_body().get_content()
    desk.send_mail(letter("Re: question", "ask@partner.example", "t2@partner.example", text="Granted, sanitised.", In_Reply_To=message["Message-ID"]))
    open_one = wait_for(lambda: [one for one in desk.cirt("tlp", "list")["items"] if one["state"] == "answered"], 30, "the answer")[0]
    assert office.one("SELECT count(*) FROM release WHERE granted IS NOT NULL") == "0" and opened(desk) == []
    assert desk.cirt_text("tlp", "grant", report, "--form", "sanitised", check=False).returncode != 0, "without evidence"
    granted = desk.cirt("tlp", "grant", report, "--form", "sanitised", "--evidence", open_one["mail"])
    assert (granted["state"], granted["form"], granted["mail"]) == ("granted", "sanitised", open_one["mail"])
    assert desk.cirt("tlp", "list")["items"] == [] and office.alarms("release-answered") == ""
    assert "by phone" in desk.cirt_text("tlp", "refuse", report, "--note", "by phone: not any more").stdout
    assert [one["state"] for one in desk.cirt("tlp", "list", "--all")["items"]] == ["refused", "granted"]


def test_a_contact_is_tested_and_its_answer_dated(office, server):
    """It goes through the outbox and says what it is; an answer dates the contact and opens no case, a program's does not, nor a bounce."""
    desk = office.daemon
    contact = office.contact(name="Night desk", organisation="Harbour", email="duty@harbour.example", language="fr")
    other = office.contact(organisation="Harbour", email="gone@harbour.example", role="abuse")
    tested = desk.cirt("contact", "test", contact)
    number = tested["test"].split()[0]
    assert tested["tested"] is None and tested["test"] == f"{number} queued"
    mail = int(office.one(f"SELECT id FROM outbox WHERE number = '{number}'"))
    _, message = sent(office, server, mail)
    assert "Night desk" in message.get_body().get_content() and "Harbour" in message.get_body().get_content()
    assert "Ceci est un essai" in message.get_body().get_content() and message["X-TLP"] == "TLP:CLEAR"
    assert desk.cirt("contact", "list", "Harbour")["items"][0]["test"] == f"{number} sent, no answer yet"
    desk.send_mail(letter("Absent", "duty@harbour.example", "h1@harbour.example", In_Reply_To=message["Message-ID"], Auto_Submitted="auto-replied"))
    desk.settle()
    wait_for(lambda: office.one("SELECT count(*) FROM letter_back") == "0", 30, "the keeper")
    assert desk.cirt("contact", "list", "Harbour")["items"][0]["tested"] is None
    desk.send_mail(letter("Re: essai", "duty@harbour.example", "h2@harbour.example", text="We read this.", In_Reply_To=message["Message-ID"]))
    done = wait_for(lambda: [one for one in desk.cirt("contact", "list", "Harbour")["items"] if one["tested"]], 30, "the answer")
    assert [(one["id"], one["test"]) for one in done] == [(contact, f"{number} answered")]
    assert opened(desk) == [] and "answered" in office.sql(f"SELECT action FROM journal WHERE object = 'contact/{contact}'")
    assert "contact tested on" in desk.cirt_text("contact", "set", contact, "--priority", 50).stdout
    back = desk.cirt("contact", "test", other)["test"].split()[0]
    back_to, _ = sent(office, server, int(office.one(f"SELECT id FROM outbox WHERE number = '{back}'")))
    desk.send_mail(bounce("gone@harbour.example"), [back_to], sender="<>")
    wait_for(lambda: desk.cirt("contact", "list", "Harbour")["items"][1]["test"] == f"{back} came back", 30, "the bounce")
    assert desk.cirt("contact", "list", "Harbour")["items"][1]["bounced"] and back in office.alarms("notice-bounced")
    desk.cirt("contact", "set", contact, "--policy", "required")
    assert "no valid key" in desk.cirt_text("contact", "test", contact, check=False).stderr
