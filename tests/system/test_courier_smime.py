"""S/MIME mails to people: openssl on the other side decrypts and verifies them, and lists of revoked certificates are obeyed."""
import email
import email.policy
import subprocess

import pytest

import keyring
from harness import Daemon, wait_for
from outbox import Outbox
from smtp_server import SmtpServer
from test_courier import attachment, mail_out


@pytest.fixture(scope="module")
def authority():
    authority = keyring.Authority()
    authority.issue("ours", "cirt@cirt.example", passphrase=keyring.PASSPHRASE)
    for name in ("soc", "stolen", "second"):
        authority.issue(name, f"{name}@smime.example")
    yield authority
    authority.remove()


@pytest.fixture(scope="module")
def server():
    server = SmtpServer()
    yield server
    server.close()


@pytest.fixture(scope="module")
def office(programs, certificates, authority, server):
    daemon = Daemon(programs, certificates, sections={"mail_out": mail_out(server, smime_key=authority.digest("ours"))})
    daemon.start()
    daemon.add_sensor()
    for names in (("ca.pem",), ("ours.pem", "ours.key"), ("soc.pem",), ("stolen.pem",), ("second.pem",)):
        daemon.cirt_text("key", "import", "-", stdin=authority.pem(*names))
    daemon.cirt_text("key", "unlock", stdin=keyring.PASSPHRASE + "\n")
    yield Outbox(daemon)
    daemon.remove()


def message_to(server, address):
    found = [one for one in server.mails if one[1] == address]
    assert len(found) == 1, [one[1] for one in server.mails]
    return found[0][2]


def verify(authority, data):
    """What openssl says is signed, by our certificate, below the authority."""
    (authority.folder / "in.eml").write_bytes(data)
    done = subprocess.run(["openssl", "cms", "-verify", "-in", "in.eml", "-CAfile", "ca.pem", "-purpose", "smimesign", "-signer", "by.pem"],
                          cwd=authority.folder, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr.decode()
    serial = authority.openssl("x509", "-in", "by.pem", "-noout", "-serial").decode()
    assert serial.split("=")[1].strip() == authority.serial("ours")
    return done.stdout


def test_openssl_decrypts_it_and_finds_our_signature_inside(office, server, authority):
    contact = office.contact(organisation="Smime", email="soc@smime.example", smime=authority.digest("soc"), policy="required")
    mail = office.mail(contact, "soc@smime.example", office.reports(2))
    row = office.wait(mail, "sent", 60)
    data = message_to(server, "soc@smime.example")
    outside = email.message_from_bytes(data, policy=email.policy.default)
    assert row["sealed"] == f"smime {authority.digest('soc')}" and outside.get_content_type() == "application/pkcs7-mime"
    assert b"203.0.113" not in data and "Security findings" not in outside["Subject"] and row["number"] in outside["Subject"]
    (authority.folder / "in.eml").write_bytes(data)
    opened = authority.openssl("cms", "-decrypt", "-in", "in.eml", "-recip", "soc.pem", "-inkey", "soc.key")
    assert email.message_from_bytes(opened, policy=email.policy.default).get_content_type() == "multipart/signed"
    inside = email.message_from_bytes(verify(authority, opened), policy=email.policy.default)
    assert "Security findings" in inside["Subject"] and b"203.0.113.1" in attachment(inside)[1]


def test_openssl_verifies_what_is_signed_in_the_clear(office, server, authority):
    mail = office.mail(office.contact(organisation="Plain", email="plain@smime.example"), "plain@smime.example", office.reports(1))
    row = office.wait(mail, "sent", 60)
    data = message_to(server, "plain@smime.example")
    assert row["sealed"] == "" and email.message_from_bytes(data).get_content_type() == "multipart/signed"
    assert verify(authority, data).count(b"TLP:AMBER") == 2
    head, body = data.split(b"\r\n\r\n", 1)
    broken = head + b"\r\n\r\n" + body.replace(b"TLP:AMBER", b"TLP:GREEN")
    (authority.folder / "in.eml").write_bytes(broken)
    done = subprocess.run(["openssl", "cms", "-verify", "-in", "in.eml", "-CAfile", "ca.pem", "-purpose", "smimesign"], cwd=authority.folder,
                          capture_output=True, timeout=60, check=False)
    assert broken != data and done.returncode != 0


def keys(office):
    return {one["key"]: one for one in office.daemon.cirt("key", "list")["items"]}


def test_nothing_is_sealed_to_a_revoked_certificate(office, server, authority):
    """Before the list it is; then another contact of the organisation is told, and where there is none, somebody has to call."""
    stolen = office.contact(organisation="Robbed", email="stolen@smime.example", smime=authority.digest("stolen"), policy="required", phone="+99 555 0199")
    office.wait(office.mail(stolen, "stolen@smime.example", office.reports(1)), "sent", 60)
    done = office.daemon.cirt("key", "import", "-", stdin=authority.revoke("stolen"))
    listed = keys(office)
    of_list, = [one for one in listed.values() if one["kind"] == "revoked"]
    assert [of_list["key"]] == done["keys"] and of_list["who"] == "Test authority" and of_list["state"] == "1 revoked" and of_list["valid"]
    assert listed[authority.digest("stolen")]["state"] == "revoked" and not listed[authority.digest("stolen")]["valid"]
    assert listed[authority.digest("soc")]["valid"] and "1 revoked" in office.daemon.cirt_text("key", "list").stdout
    held = office.mail(stolen, "stolen@smime.example", office.reports(1))
    row = office.wait(held, "held", 60)
    assert "was revoked" in row["why"] and row["waits_for"] == "key" and row["digest"] is None and "+99 555 0199" in office.alarms("notice-phone")
    second = office.contact(organisation="Robbed", email="second@smime.example", smime=authority.digest("second"), policy="required")
    other = office.mail(stolen, "stolen@smime.example", office.reports(1))
    row = office.wait(other, "sent", 60)
    assert (row["contact"], row["address"]) == (second, "second@smime.example") and "was revoked" in row["why"]
    # A list that is given up is obeyed no more.
    office.daemon.cirt_text("key", "remove", of_list["key"], "--break-glass", "out of date")
    assert [one["kind"] for one in keys(office).values()].count("revoked") == 0


def test_our_own_revoked_certificate_signs_nothing(office, server, authority):
    office.daemon.cirt_text("key", "import", "-", stdin=authority.revoke("ours"))
    mail = office.mail(office.contact(organisation="Own", email="own@smime.example"), "own@smime.example", office.reports(1))
    wait_for(lambda: "was revoked" in office.row(mail)["why"], 60, "the mail to wait for a certificate of ours")
    assert office.row(mail)["state"] == "queued" and not [one for one in server.mails if one[1] == "own@smime.example"]
