"""Encrypted mail in a case, both ways, by OpenPGP and S/MIME: sealed as it was shown, their answers read, shown and found by whoever
may see the case; a key that has expired at sending is told before the mail goes, and is never silence."""
import email
import email.policy
import email.utils
import json
import pathlib

import pytest

import keyring
from case_office import CaseOffice
from harness import wait_for
from keyring import PASSPHRASE

pytestmark = pytest.mark.skipif(not pathlib.Path("/usr/bin/gpg").exists(), reason="GnuPG is not installed")

OURS = "CIRT <cirt@cirt.example>"


@pytest.fixture(scope="module")
def ring():
    ring = keyring.Keyring()
    ring.make(OURS)
    ring.make("SOC <soc@sealed.example>")
    ring.make("Old <it@old.example>", expire="2d", clock="20260101T000000")
    yield ring
    ring.remove()


@pytest.fixture(scope="module")
def authority():
    authority = keyring.Authority()
    authority.issue("ours", "cirt@cirt.example", passphrase=PASSPHRASE)
    authority.issue("clinic", "it@clinic.example")
    yield authority
    authority.remove()


@pytest.fixture(scope="module")
def office(programs, certificates, ring, authority):
    office = CaseOffice(programs, certificates, pgp_key=ring.fingerprint(OURS), smime_key=authority.digest("ours"))
    for key in (ring.secret(OURS), ring.public("soc@sealed.example"), ring.public("it@old.example")):
        office.daemon.cirt_text("key", "import", "-", stdin=key.decode())
    for names in (("ca.pem",), ("ours.pem", "ours.key"), ("clinic.pem",)):
        office.daemon.cirt_text("key", "import", "-", stdin=authority.pem(*names))
    office.daemon.cirt_text("key", "unlock", stdin=PASSPHRASE + "\n")
    yield office
    office.close()


def party(office, number, name, address, *key, policy="required", phone=""):
    """An organisation with a contact that has this key, affected in the case."""
    office.daemon.cirt("org", "new", name, "--domain", address.split("@")[1])
    office.daemon.cirt("contact", "new", name, "--role", "security", "--name", name, "--email", address, "--policy", policy, *key,
                       *(["--phone", phone] if phone else []))
    office.party(number, "affected", organisation=name, name=name)


def raw(office, number):
    """The mail's bytes, as they left."""
    office.hurry()
    wait_for(lambda: office.sql(f"SELECT state FROM outbox WHERE number = '{number}'") == "sent", 60, f"{number} to be sent")
    ident = office.sql(f"SELECT message_id FROM outbox WHERE number = '{number}'")
    found, = [one[2] for one in office.server.mails if ident.encode() in one[2]]
    return found


def text_of(data):
    return "".join(part.get_content() for part in email.message_from_bytes(data, policy=email.policy.default).walk() if part.get_content_type() == "text/plain")


def back(office, message, sealed):
    """Their mail, with the fields that make it an answer."""
    fields = f"In-Reply-To: {message['Message-ID']}\r\nReferences: {message['Message-ID']}\r\n".encode()
    office.daemon.send_mail(fields + sealed, [email.utils.parseaddr(message["Reply-To"])[1]], sender="x@sealed.example")


def answered(office, number, word):
    """The thread of the case, once this stands in it."""
    return wait_for(lambda: (lambda thread: thread if word in json.dumps(thread) else None)(
        office.daemon.cirt("case", "show", number, "--mail")["thread"]), 30, f"{word} in the thread")


def hidden_from_others(office, number, word):
    """A restricted case's mails are found by nobody else, however they were opened."""
    ident = office.daemon.cirt("mail", "search", word)["items"][0]["id"]
    office.daemon.cirt("case", "restrict", number)
    p = f"""'{{"operator": "stranger", "role": "analyst", "number": "{number}"}}'"""
    office.sql("INSERT INTO operator (name, role) VALUES ('stranger', 'analyst') ON CONFLICT DO NOTHING")
    assert office.sql(f"SELECT count(*) FROM jsonb_array_elements(search_mails('{word}', '{word}', '{{}}', {p}))") == "0"
    with pytest.raises(AssertionError, match="restricted"):
        office.sql(f"SELECT case_seen('{number}', {p})")
    assert [one["id"] for one in office.daemon.cirt("mail", "search", word)["items"]] == [ident], "our own lead finds it"


def test_openpgp_both_ways(office, ring):
    number = office.case("Sealed wave", "citizen@sealed-people.example", "http://kit-sealed.example.net/a")
    party(office, number, "Sealed Bank", "soc@sealed.example", "--pgp", ring.fingerprint("soc@sealed.example"))
    plan = office.daemon.cirt("reply", number, "--to", "affected", "--draft")
    assert plan["key"]["says"].startswith("PGP " + ring.fingerprint("soc@sealed.example")[:4])
    sent = office.write("reply", number, "--to", "affected", text="Block http://kit-sealed.example.net/a, codeword marzipan.")
    data = raw(office, sent["number"])
    message = email.message_from_bytes(data, policy=email.policy.default)
    assert message.get_content_type() == "multipart/encrypted" and b"marzipan" not in data and b"kit-sealed" not in data
    assert b"Sealed wave" not in data, "the subject is inside"
    inside = email.message_from_bytes(ring.gpg("--decrypt", stdin=list(message.walk())[2].get_payload(decode=True)), policy=email.policy.default)
    said = text_of(inside.as_bytes())
    assert "Sealed wave" in inside["Subject"] and f"[CIRT-XX {number}]" in inside["Subject"] and said.startswith("TLP:AMBER")
    assert "hxxp://kit-sealed[.]example[.]net/a" in said and "marzipan" in said
    theirs = ring.encrypt(keyring.part("We blocked it, and http://kit-sealed.example.net/b too: pistachio.\n"), OURS, sign="soc@sealed.example")
    back(office, message, keyring.encrypted("Re: mail", theirs, "soc@sealed.example"))
    thread = answered(office, number, "pistachio")
    assert [(one["way"], one["who"]) for one in thread[1:]] == [("out", "soc@sealed.example"), ("in", "soc@sealed.example")]
    assert "hxxp://kit-sealed[.]example[.]net/b" in thread[2]["text"] and thread[1]["sealed"].startswith("openpgp ")
    mail = office.daemon.cirt("mail", "show", thread[2]["id"])
    assert "pistachio" in mail["text"] and any("decrypted with our key" in one["outcome"] for one in mail["verdicts"])
    assert any("good signature" in one["outcome"] for one in mail["verdicts"])
    assert "decrypted with our key" in thread[2]["sealed"] and "good signature" in office.daemon.cirt_text("case", "show", number, "--mail").stdout
    assert "good signature" in office.daemon.cirt_text("mail", "show", thread[2]["id"]).stdout
    quoted = office.daemon.cirt("reply", number, "--to", "affected", "--draft")["text"]
    assert "> We blocked it, and hxxp://kit-sealed[.]example[.]net/b too: pistachio." in quoted
    hidden_from_others(office, number, "pistachio")


def test_smime_both_ways(office, authority):
    number = office.case("Sealed clinic", "nurse@clinic-people.example", "http://kit-clinic.example.net/a")
    party(office, number, "Sealed Clinic", "it@clinic.example", "--smime", authority.digest("clinic"))
    assert office.daemon.cirt("reply", number, "--to", "affected", "--draft")["key"]["says"].startswith("S/MIME ")
    data = raw(office, office.write("reply", number, "--to", "affected", text="Which machines? Codeword nougat.")["number"])
    message = email.message_from_bytes(data, policy=email.policy.default)
    assert message.get_content_type() == "application/pkcs7-mime" and b"nougat" not in data and b"Sealed clinic" not in data
    (authority.folder / "in.eml").write_bytes(data)
    opened = authority.openssl("cms", "-decrypt", "-in", "in.eml", "-recip", "clinic.pem", "-inkey", "clinic.key")
    assert "nougat" in text_of(opened) and text_of(opened).startswith("TLP:AMBER")
    back(office, message, keyring.smime("Re: mail", authority.encrypt(keyring.part("Three of them, http://kit-clinic.example.net/b: praline.\n"), "ours"),
                                        "authEnveloped-data", "it@clinic.example"))
    thread = answered(office, number, "praline")
    assert "hxxp://kit-clinic[.]example[.]net/b" in thread[2]["text"] and thread[1]["sealed"].startswith("smime ")
    hidden_from_others(office, number, "praline")


def test_an_expired_key_is_told_before_and_waits_for_a_call(office, ring):
    """Required: shown when it is written, held at sending, told whom to call; preferred: in the clear, and said so."""
    number = office.case("Old key", "someone@old-people.example")
    party(office, number, "Old Clinic", "it@old.example", "--pgp", ring.fingerprint("it@old.example"), phone="+99 555 0177")
    dry_run = lambda: office.daemon.cirt_text("reply", number, "--to", "affected", "--dry-run", "--text", "-", stdin="Hello.").stdout  # noqa: E731
    shown = wait_for(lambda: (lambda said: said if "EXPIRED" in said else None)(dry_run()), 30, "the contact to know how long its key lives")
    assert "KEY EXPIRED, required" in shown and "call +99 555 0177" in shown
    sent = office.write("reply", number, "--to", "affected", text="This must not go in the clear: truffle.")
    assert sent["key"]["missing"] is True
    office.hurry()
    wait_for(lambda: office.sql(f"SELECT state FROM outbox WHERE number = '{sent['number']}'") == "held", 60, "the mail to be held")
    assert "+99 555 0177" in office.alarms("notice-phone")
    thread = office.daemon.cirt("case", "show", number, "--mail")["thread"]
    held, = [one for one in thread if one["id"] == sent["number"]]
    assert held["state"].startswith("held: ") and "expired" in held["state"]
    assert not [one for one in office.server.mails if b"truffle" in one[2]]
    office.daemon.psql("UPDATE contact SET policy = 'preferred' WHERE email = 'it@old.example'")
    assert office.daemon.cirt("reply", number, "--to", "affected", "--draft")["key"]["says"] == "in the clear: KEY EXPIRED"
