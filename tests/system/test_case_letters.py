"""What comes back into a case besides plain answers: programs that answer by themselves, copies to many, files, mails of 20 MB."""
import base64
import email
import email.policy
import email.utils
import hashlib
import pathlib
import tempfile

import pytest

from case_office import CaseOffice
from harness import wait_for
from test_back import bounce
from test_people_mail import letter


@pytest.fixture(scope="module")
def office(programs, certificates):
    office = CaseOffice(programs, certificates)
    yield office
    office.close()


def told(office, title, place):
    """A case with a party whom we have written to: its number, our mail and its number."""
    office.contact(name="Desk", organisation=place, email=f"desk@{place.lower()}.example")
    number = office.case(title, f"citizen@{place.lower()}-people.example", f"See http://kit-{place.lower()}.example.net/a")
    office.party(number, "affected", organisation=place, name=place)
    queued = office.write("reply", number, "--to", "affected", text="Please take it down.")
    return number, office.sent(queued["number"]), queued["number"]


def address_of(message):
    return email.utils.parseaddr(message["Reply-To"])[1]


def test_what_programs_answer_ends_and_reopens_nothing(office):
    """Out of office in three dialects, a list and a bounce: the case waits on, a closed one stays closed, the mail is not answered."""
    number, ours, mail = told(office, "Vacation wave", "Holiday")
    office.daemon.cirt("case", "take", number)
    office.daemon.cirt("case", "wait", number, "--for", "affected", "--until", "3d")

    def programs():
        to, about = address_of(ours), {"In_Reply_To": ours["Message-ID"], "References": ours["Message-ID"]}
        said = f"holiday-{len(office.server.mails)}-{office.one('SELECT count(*) FROM item')}"
        for n, fields in enumerate(({"Auto_Submitted": "auto-replied"}, {"X_Autoreply": "yes"}, {"Precedence": "auto_reply"})):
            office.daemon.send_mail(letter(f"Re: {ours['Subject']}", "desk@holiday.example", f"{said}-{n}@holiday.example", text="I am away.", **about, **fields),
                                    [to], sender="desk@holiday.example")
        office.daemon.send_mail(bounce("desk@holiday.example", "delayed", "4.4.1", about=ours["Message-ID"]), [to], sender="<>")
        office.daemon.settle()
        wait_for(lambda: office.one("SELECT count(*) FROM letter_back") == "0" and office.one("SELECT count(*) FROM case_letter_queue") == "0", 30, "the keeper")

    before = len(office.server.mails)
    programs()
    assert office.daemon.cirt("case", "show", number)["state"] == "waiting"
    assert office.one(f"SELECT answered IS NULL FROM outbox WHERE number = '{mail}'") == "t"
    office.daemon.send_mail(letter(f"Re: {ours['Subject']}", "all@holiday-list.example", "holiday-l@holiday-list.example", text="To all.", List_Id="<all.holiday.example>",
                                   Precedence="list", In_Reply_To=ours["Message-ID"]), [address_of(ours)])
    office.daemon.settle()
    wait_for(lambda: "all@holiday-list.example" in str(office.daemon.cirt("case", "show", number)["mails"]), 30, "the list's mail")
    assert office.daemon.cirt("case", "show", number)["state"] == "waiting" and office.one(f"SELECT answered IS NULL FROM outbox WHERE number = '{mail}'") == "t"
    thread = office.daemon.cirt("case", "show", number, "--mail")["thread"]
    assert len([one for one in thread if "by a program" in one.get("state", "")]) == 4
    office.daemon.cirt("case", "read", number)
    office.daemon.cirt("case", "close", number, "--outcome", "resolved")
    programs()
    assert office.daemon.cirt("case", "show", number)["state"] == "closed" and len(office.server.mails) == before, "nobody is answered"
    assert number not in [case["number"] for case in office.daemon.all_pages("case", "list")], "nothing of a program's is to be read"
    # A person's answer is seen, and brings back nothing by itself.
    office.answer(ours, "It is down since noon: rhubarb.")
    row = wait_for(lambda: [case for case in office.daemon.all_pages("case", "list") if case["number"] == number], 30, "the closed case with a new mail")[0]
    assert (row["state"], row["mails_new"]) == ("closed", 1)
    wait_for(lambda: office.one(f"SELECT answered IS NOT NULL FROM outbox WHERE number = '{mail}'") == "t", 30, "our mail to be answered")


def test_an_answer_to_many_is_answered_to_one(office):
    """Theirs goes to us, To and Cc a dozen others; ours to the sender alone, and names none of the others."""
    number, ours, _ = told(office, "Copied wave", "Copycat")
    others = [f"someone{n}@people-of-copycat.example" for n in range(6)]
    office.daemon.send_mail(letter(f"Re: {ours['Subject']}", "desk@copycat.example", "copied-1@copycat.example",
                                   text="As agreed with " + ", ".join(others[:3]) + ": which file?", In_Reply_To=ours["Message-ID"],
                                   Cc=", ".join(others[3:]), Reply_To=others[0]), [address_of(ours)], sender="desk@copycat.example")
    for one in others[:2]:
        office.daemon.send_mail(letter(f"Re: {ours['Subject']}", one, f"copied-{one}", text="Me too.", In_Reply_To=ours["Message-ID"]), [address_of(ours)])
    wait_for(lambda: len(office.daemon.cirt("case", "show", number)["mails"]) == 3, 30, "three mails")
    draft = office.daemon.cirt("reply", number, "--to", "affected", "--draft")
    assert draft["to"] == "desk@copycat.example" and not any(one in draft["text"] for one in others[:2]), "who wrote into the case is nobody else's business"
    before = len(office.server.mails)
    message = office.sent(office.write("reply", number, "--to", "affected", text=f"The file is kit.zip, as {others[0]} asked.")["number"])
    assert [one[1] for one in office.server.mails[before:]] == ["desk@copycat.example"] and message["Cc"] is None and message["Bcc"] is None
    assert email.utils.parseaddr(message["To"])[1] == "desk@copycat.example"
    assert "[address removed]" in message.get_body().get_content() and others[0] not in message.as_string()


def test_files_of_an_answer_are_evidence_of_the_case(office):
    """A file of a few bytes, and a mail of 20 MB: listed with the case, fetched as they came."""
    number, ours, _ = told(office, "Filed wave", "Filer")
    small, large = b"MZ of the filer", bytes(range(256)) * 57_000
    for name, data in (("small.bin", small), ("large.bin", large)):
        body = base64.encodebytes(data).decode().replace("\n", "\r\n")
        office.daemon.send_mail(f"From: desk@filer.example\r\nTo: case@cirt.example\r\nSubject: {name}\r\nMessage-ID: <{name}@filer.example>\r\n"
                                f"In-Reply-To: {ours['Message-ID']}\r\nMIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=b\r\n\r\n"
                                f"--b\r\nContent-Type: text/plain\r\n\r\nThe file {name}.\r\n--b\r\nContent-Type: application/octet-stream; name={name}\r\n"
                                f"Content-Disposition: attachment; filename={name}\r\nContent-Transfer-Encoding: base64\r\n\r\n{body}--b--\r\n",
                                [address_of(ours)], sender="desk@filer.example")
    office.daemon.settle()
    listed = wait_for(lambda: (lambda found: found if len(found) >= 2 else None)(
        {one["name"]: one for one in office.daemon.cirt("evidence", "list", "--case", number)["items"] if one["name"].endswith(".bin")}), 60, "both files")
    assert {name: (one["size"], one["digest"]) for name, one in listed.items()} == {
        "small.bin": (len(small), hashlib.sha256(small).hexdigest()), "large.bin": (len(large), hashlib.sha256(large).hexdigest())}
    thread = office.daemon.cirt("case", "show", number, "--mail")["thread"]
    assert [one["title"] for one in thread if one["way"] == "in"][1:] == ["small.bin", "large.bin"]
    with tempfile.TemporaryDirectory(prefix="cirtd-f-") as folder:
        office.daemon.cirt("evidence", "get", listed["large.bin"]["digest"], "--output", pathlib.Path(folder) / "back")
        assert (pathlib.Path(folder) / "back").read_bytes() == large
    assert "fetched" in str(office.daemon.cirt("evidence", "show", listed["large.bin"]["digest"])["custody"])
