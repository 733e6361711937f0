"""Encrypted and signed mail: opened and checked by the room keys, and by no other."""
import os
import pathlib
import pwd
import signal

import pytest

import keyring
from harness import TOP, Daemon, wait_for
from keyring import PASSPHRASE, agent_of, children_of, encrypted, part, signed

pytestmark = pytest.mark.skipif(not pathlib.Path("/usr/bin/gpg").exists(), reason="GnuPG is not installed")

DESK = "CIRT <report@cirt.example>"
ALICE = "Alice <alice@partner.example>"


@pytest.fixture(scope="module")
def people():
    """The desk's key, which the daemon gets, and those of people who write to it."""
    ring = keyring.Keyring()
    ring.make(DESK)
    ring.make(ALICE)
    ring.make("Mallory <mallory@other.example>")
    ring.make("Late <late@partner.example>", expire="2d", clock="20260101T000000")
    yield ring
    ring.remove()


@pytest.fixture(scope="module")
def desk(programs, certificates, people):
    daemon = Daemon(programs, certificates).start()
    for who in (ALICE, "Late <late@partner.example>"):
        daemon.cirt_text("key", "import", "-", stdin=people.public(who).decode())
    daemon.cirt_text("key", "import", "-", stdin=people.secret(DESK).decode())
    daemon.cirt_text("key", "unlock", stdin=PASSPHRASE + "\n")
    yield daemon
    daemon.remove()


def report_of(daemon, subject):
    found = wait_for(lambda: [one for one in daemon.reports() if one["title"] == subject], what=f"the report {subject}")
    return daemon.cirt("report", "show", found[0]["id"])


def outcomes(report, engine="openpgp"):
    return [(one["part"], one["outcome"]) for one in report["verdicts"] if one["engine"] == engine]


def test_an_encrypted_mail_lands_as_a_report(desk, people):
    """PGP/MIME by LMTP: the plain text is the report's, its indicators and attachments are found."""
    inside = part("The command server is hxxp://c2[.]badguys[.]example/gate\n")
    desk.send_mail(encrypted("encrypted one", people.encrypt(inside, DESK)))
    desk.settle()
    report = report_of(desk, "encrypted one")
    assert "command server" in report["text"]
    assert any(one["value"] == "http://c2.badguys.example/gate" for one in report["observables"])
    assert any(where == "part 2" and "decrypted with our key" in what for where, what in outcomes(report))


def test_what_was_encrypted_is_walked_like_any_other(desk, people):
    """An attachment in it is evidence and scanned; its own subject stands for the one outside; its signature is checked."""
    eicar = "X5O!P%@AP[4\\PZX54(P^)7CC)7}$EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
    inside = (b'Content-Type: multipart/mixed; boundary=in; protected-headers="v1"\r\nSubject: Payroll server encrypted\r\n\r\n'
              b"--in\r\nContent-Type: text/plain\r\n\r\nSee the sample.\r\n"
              b'--in\r\nContent-Type: application/octet-stream; name="sample.bin"\r\n'
              b'Content-Disposition: attachment; filename="sample.bin"\r\n\r\n' + eicar.encode() + b"\r\n--in--\r\n")
    desk.send_mail(encrypted("...", people.encrypt(inside, DESK, sign="alice@partner.example")))
    desk.settle()
    report = report_of(desk, "Payroll server encrypted")
    assert any(one["value"] == "sample.bin" for one in report["observables"])
    assert any("sample.bin" == one["name"] for one in report["evidence"])
    assert any("eicar" in one["rule"].lower() and one["part"] == "sample.bin" for one in report["verdicts"])
    key = people.fingerprint("alice@partner.example")
    assert ("part 2", f"good signature by {key} ({ALICE}), known, valid") in outcomes(report)


GOOD = part("The host 203.0.113.77 scans us.\nSince noon.")


def signatures(people):
    """Subject, mail, and what the verdict on it begins and ends with."""
    alice, mallory = (people.fingerprint(who) for who in ("alice@partner.example", "mallory@other.example"))
    late = people.fingerprint("late@partner.example")
    good = people.sign(GOOD, alice)
    nested = (b"Content-Type: multipart/mixed; boundary=nest\r\n\r\npreamble  \r\n--nest  \r\nContent-Type: text/plain\r\n\r\n"
              b"trailing blanks   \r\n--nest--  \r\nepilogue")
    return {
        "good": (signed("signature good", GOOD, good), f"good signature by {alice} ({ALICE}), known, valid"),
        "nested": (signed("signature nested", nested, people.sign(nested, alice)), f"good signature by {alice} ({ALICE}), known, valid"),
        "bad": (signed("signature bad", GOOD.replace(b"noon", b"dawn"), good), f"bad signature by {alice} ({ALICE}), known"),
        "unknown": (signed("signature unknown", GOOD, people.sign(GOOD, mallory)), f"signature not checked: unknown key by {mallory}, not known"),
        "expired": (signed("signature expired", GOOD, people.sign(GOOD, late, clock="20260102T000000"), "late@partner.example"),
                    f"good signature by {late} (Late <late@partner.example>), known, expired"),
    }


@pytest.mark.parametrize("which", ["good", "nested", "bad", "unknown", "expired"])
def test_who_signed_and_whether_the_key_is_known_and_valid(desk, people, which):
    mail, expected = signatures(people)[which]
    desk.send_mail(mail)
    desk.settle()
    report = report_of(desk, f"signature {which}")
    assert outcomes(report) == [("part 1", expected)]
    assert report["text"].strip()
    assert not any("signature" in one["value"] for one in report["observables"])


def test_a_signature_says_nothing_about_what_it_does_not_cover(desk, people):
    """A part behind the signed one, and a key that is not the sender's, are said."""
    behind = b"--sig\r\nContent-Type: text/plain\r\n\r\nand pay to this account instead\r\n"
    signature = people.sign(GOOD, "alice@partner.example")
    desk.send_mail(signed("signed in part", GOOD, signature, "boss@partner.example", after=behind))
    desk.settle()
    report = report_of(desk, "signed in part")
    assert [where for where, _ in outcomes(report)] == ["part 1"]
    notes = "\n".join(report["notes"])
    assert "not all of it is signed" in notes
    assert "is signed by Alice <alice@partner.example>, but the mail says that it is from boss@partner.example" in notes


def test_openpgp_in_the_text(desk, people):
    """Inline: the block is opened where it stands; only what is between its lines is signed."""
    block = people.encrypt(b"the dropper is at hxxp://drop[.]badguys[.]example/\n", DESK)
    clear = people.sign(b"From the fields we know: 198.51.100.99 is hit.\n", "alice@partner.example", clear=True)
    body = b"Hello,\n\n" + block + b"\nregards\n\n" + clear + b"PS: this line was added on the way\n"
    desk.send_mail(keyring.headers("inline") + b"Content-Type: text/plain; charset=utf-8\r\n\r\n" + body.replace(b"\n", b"\r\n"))
    desk.settle()
    report = report_of(desk, "inline")
    assert "the dropper is at" in report["text"] and "BEGIN PGP" not in report["text"]
    assert "--- signed: good signature by" in report["text"] and "PS: this line" in report["text"]
    assert any(one["value"] == "http://drop.badguys.example/" for one in report["observables"])
    assert any("not all of it is signed" in note for note in report["notes"])


def test_an_encrypted_file_is_opened(desk, people):
    body = people.encrypt(b"203.0.113.200 has been seen\n", DESK)
    desk.send_mail(keyring.headers("a file for you") + (
        b"Content-Type: multipart/mixed; boundary=mix\r\n\r\n--mix\r\nContent-Type: text/plain\r\n\r\nsee the list\r\n--mix\r\n"
        b'Content-Type: application/octet-stream; name="list.txt.pgp"\r\nContent-Disposition: attachment; filename="list.txt.pgp"\r\n\r\n'
        + body + b"\r\n--mix--\r\n"))
    desk.settle()
    report = report_of(desk, "a file for you")
    assert any(one["value"] == "203.0.113.200" for one in report["observables"])
    assert any(one["value"] == "list.txt" for one in report["observables"])


def test_what_cannot_be_opened_waits_in_quarantine_for_its_key(desk, people):
    """To a key that we do not have; by a passphrase; no OpenPGP at all: the part alone, with the reason."""
    other = people.encrypt(part("not for you"), "mallory@other.example")
    symmetric = people.gpg("--armor", "--symmetric", "--cipher-algo", "AES256", stdin=part("hidden"))
    desk.send_mail(encrypted("for others", other))
    desk.send_mail(encrypted("by passphrase", symmetric))
    desk.send_mail(encrypted("no armour", b"this is no OpenPGP\n"))
    desk.settle()
    for subject, why in (("for others", "of which no secret key is here"), ("by passphrase", "encrypted by a passphrase, not to a key"),
                         ("no armour", "GnuPG")):
        assert any(why in note for note in report_of(desk, subject)["notes"]), subject
    reasons = [one["reason"] for one in desk.all_pages("quarantine", "list") if one["stage"] == "keys"]
    assert len(reasons) == 3 and all("it cannot be opened" in reason for reason in reasons)


def test_a_damaged_block_is_not_taken_for_an_empty_one(desk, people):
    """GnuPG calls a broken message verified where it finds nothing at all: that is no content that was opened."""
    lines = people.encrypt(b"the dropper is at hxxp://drop[.]badguys[.]example/\n", DESK).splitlines()
    middle = len(lines) // 2
    before = len([one for one in desk.all_pages("quarantine", "list") if one["stage"] == "keys"])
    damages = {"changed": lines[:middle] + [b"AAAA" + lines[middle][4:]] + lines[middle + 1:], "a line short": lines[:middle] + lines[middle + 1:]}
    for subject, damaged in damages.items():
        desk.send_mail(keyring.headers(subject) + b"Content-Type: text/plain; charset=utf-8\r\n\r\nHello,\r\n\r\n" + b"\r\n".join(damaged) + b"\r\n")
    desk.settle()
    for subject in damages:
        assert any("it cannot be opened" in note or "GnuPG" in note or "damaged" in note for note in report_of(desk, subject)["notes"]), subject
    assert len([one for one in desk.all_pages("quarantine", "list") if one["stage"] == "keys"]) == before + 2


def test_a_bomb_inside_is_bounded(make_daemon, people):
    """100 MB of zeros in some KB: over keys.max_size it is not opened, and the rest of the mail lands."""
    daemon = make_daemon(sections={"keys": {"max_size": "1M"}}).start()
    daemon.cirt_text("key", "import", "-", stdin=people.secret(DESK).decode())
    daemon.cirt_text("key", "unlock", stdin=PASSPHRASE + "\n")
    bomb = people.gpg("--armor", "--encrypt", "--recipient", DESK, "--compress-algo", "zlib", stdin=bytes(100_000_000))
    daemon.send_mail(encrypted("a bomb", bomb))
    daemon.settle()
    assert any("larger than 1048576 bytes" in note for note in report_of(daemon, "a bomb")["notes"])


def test_a_locked_keyring_holds_mail_sealed_until_it_is_unlocked(make_daemon, people):
    """Counted, not lost, not in the way of others; over a restart of the room and of the daemon; lands after unlock."""
    daemon = make_daemon().start()
    daemon.cirt_text("key", "import", "-", stdin=people.secret(DESK).decode())
    assert [one["state"] for one in daemon.cirt("key", "list")["items"] if one["secret"]] == ["locked"]
    for number in range(3):
        daemon.send_mail(encrypted(f"sealed {number}", people.encrypt(part(f"text {number}"), DESK)))
    wait_for(lambda: daemon.cirt("status")["backlog"]["sealed"] == 3, what="three sealed entries")
    daemon.send_mail(signed("in the clear", GOOD, people.sign(GOOD, "alice@partner.example")))
    report_of(daemon, "in the clear")
    assert daemon.cirt("ledger")["entries"]["pending"] == 3
    assert "3 wait sealed: cirt key unlock" in daemon.cirt_text("status").stdout
    os.kill(daemon.room_pid("keys"), signal.SIGKILL)
    assert daemon.stop() == 0
    daemon.start()
    wait_for(lambda: daemon.cirt("status")["backlog"]["sealed"] == 3, what="three sealed entries again")
    wrong = daemon.cirt_text("key", "unlock", stdin="no such\n", check=False)
    assert wrong.returncode == 1 and "opens none of the locked keys" in wrong.stderr
    daemon.cirt_text("key", "unlock", stdin=PASSPHRASE + "\n")
    daemon.settle()
    assert {f"sealed {number}" for number in range(3)} <= {one["title"] for one in daemon.reports()}
    assert daemon.cirt("status")["backlog"]["sealed"] == 0
    daemon.cirt_text("key", "lock")
    daemon.send_mail(encrypted("sealed again", people.encrypt(part("text"), DESK)))
    wait_for(lambda: daemon.cirt("status")["backlog"]["sealed"] == 1, what="a sealed entry")
    journal = daemon.psql("SELECT action, before, after FROM cirt.journal WHERE object = 'keyring' ORDER BY n")
    assert [row[0] for row in journal] == ["import", "unlock", "lock"]
    assert PASSPHRASE not in str(journal) and PASSPHRASE not in daemon.log_text()


def test_a_passphrase_file_opens_the_keyring_at_start(make_daemon, people, open_folder):
    passphrase = open_folder / "passphrase"
    passphrase.write_text(PASSPHRASE + "\n")
    passphrase.chmod(0o644)
    daemon = make_daemon(sections={"keys": {"passphrase_file": passphrase}}).start()
    daemon.cirt_text("key", "import", "-", stdin=people.secret(DESK).decode())
    daemon.send_mail(encrypted("unattended", people.encrypt(part("text"), DESK)))
    daemon.settle()
    report_of(daemon, "unattended")


def test_without_keys_such_mail_lands_as_it_came(make_daemon, people):
    daemon = make_daemon(sections={"keys": {"enabled": False}}).start()
    assert "keys" not in {room["name"] for room in daemon.cirt("status")["rooms"]}
    daemon.send_mail(encrypted("closed", people.encrypt(part("text"), DESK)))
    daemon.send_mail(signed("unchecked", GOOD, people.sign(GOOD, "alice@partner.example")))
    daemon.settle()
    assert any("keys are not enabled" in note for note in report_of(daemon, "closed")["notes"])
    assert "203.0.113.77" in report_of(daemon, "unchecked")["text"]
    refused = daemon.cirt_text("key", "list", check=False)
    assert refused.returncode == 1 and "keys are not enabled" in refused.stderr


def test_without_gnupg_the_rest_works(make_daemon, people, open_folder):
    """No gpg in keys.programs: said in the log; the part goes to quarantine, the mail lands."""
    daemon = make_daemon(sections={"keys": {"programs": open_folder}}).start()
    daemon.send_mail(signed("no gnupg", GOOD, people.sign(GOOD, "alice@partner.example")))
    daemon.settle()
    assert outcomes(report_of(daemon, "no gnupg")) == [("part 1", "signature not checked: GnuPG is not installed")]
    assert daemon.log_contains("OpenPGP mail cannot be opened")


# S/MIME


@pytest.fixture(scope="module")
def authority():
    authority = keyring.Authority()
    authority.issue("desk", "report@cirt.example", passphrase=PASSPHRASE)
    authority.issue("Alice", "alice@partner.example")
    authority.issue("Stranger", "stranger@other.example", own=True)
    authority.issue("Late", "late@partner.example", days=-1)
    yield authority
    authority.remove()


@pytest.fixture(scope="module")
def smime_desk(programs, certificates, authority):
    daemon = Daemon(programs, certificates).start()
    daemon.cirt_text("key", "import", "-", stdin=authority.pem("ca.pem"))
    daemon.cirt_text("key", "import", "-", stdin=authority.pem("desk.pem", "desk.key"))
    daemon.cirt_text("key", "unlock", stdin=PASSPHRASE + "\n")
    yield daemon
    daemon.remove()


def test_smime_is_opened_and_checked(smime_desk, authority):
    """Enveloped, and signed inside of that: AES-GCM to an elliptic key, by the key of a certificate below a known authority."""
    inside = (b"Content-Type: application/pkcs7-mime; smime-type=signed-data; name=smime.p7m\r\nContent-Transfer-Encoding: base64\r\n\r\n"
              + authority.sign(part("203.0.113.201 talks to its master\n"), "Alice", opaque=True).replace(b"\n", b"\r\n"))
    smime_desk.send_mail(keyring.smime("smime both", authority.encrypt(inside, "desk"), "authEnveloped-data"))
    smime_desk.settle()
    report = report_of(smime_desk, "smime both")
    assert "talks to its master" in report["text"]
    said = [what for _, what in outcomes(report, "smime")]
    assert f"decrypted with our key {authority.digest('desk')}" in said
    assert f"good signature by {authority.digest('Alice')} (Alice <alice@partner.example>), known, valid" in said


@pytest.mark.parametrize("who,expected", [
    ("Alice", "good signature by {key} (Alice <alice@partner.example>), known, valid"),
    ("Stranger", "good signature by {key} (Stranger <stranger@other.example>), not known"),
    ("Late", "good signature by {key} (Late <late@partner.example>), known, expired"),
    ("forged", "bad signature by {key} (Alice <alice@partner.example>), known")])
def test_smime_signatures(smime_desk, authority, who, expected):
    signer = "Alice" if who == "forged" else who
    signature = authority.sign(GOOD, signer)
    text = GOOD.replace(b"noon", b"dawn") if who == "forged" else GOOD
    smime_desk.send_mail(signed(f"smime {who}", text, signature, kind="smime"))
    smime_desk.settle()
    assert outcomes(report_of(smime_desk, f"smime {who}"), "smime") == [("part 1", expected.format(key=authority.digest(signer)))]


def test_smime_knows_what_was_revoked(smime_desk, authority):
    for name in ("stolen", "careful"):
        authority.issue(name, f"{name}@partner.example")
    text = part("revoked or not")

    def said(name, subject):
        smime_desk.send_mail(signed(subject, text, authority.sign(text, name), kind="smime", sender=f"{name}@partner.example"))
        smime_desk.settle()
        (_, what), = outcomes(report_of(smime_desk, subject), "smime")
        return what.rsplit("), ", 1)[1]

    assert said("stolen", "before any list") == "known, valid"
    smime_desk.cirt_text("key", "import", "-", stdin=authority.revoke("stolen", days=-1, ago=3))
    assert said("stolen", "by an expired list") == "known, not valid: revoked"
    assert said("careful", "not in an expired list") == "known, valid as far as an expired list of revoked certificates tells"
    smime_desk.cirt_text("key", "import", "-", stdin=authority.revoke("stolen"))
    assert said("stolen", "by a list") == "known, not valid: revoked"
    assert said("careful", "not in the list") == "known, valid"


def test_smime_waits_for_its_key_too(smime_desk, authority):
    smime_desk.cirt_text("key", "lock")
    smime_desk.send_mail(keyring.smime("smime sealed", authority.encrypt(part("text"), "desk"), "authEnveloped-data"))
    wait_for(lambda: smime_desk.cirt("status")["backlog"]["sealed"] == 1, what="a sealed entry")
    smime_desk.cirt_text("key", "unlock", stdin=PASSPHRASE + "\n")
    smime_desk.settle()
    report_of(smime_desk, "smime sealed")


# The room


def test_trap_08_gnupg_runs_in_the_room_keys_alone(desk, people):
    """Triage starts nothing and has no file of the keyring open; the agent is the room's child, and goes with it."""
    desk.send_mail(encrypted("trap 8", people.encrypt(part("text"), DESK)))
    desk.settle()
    report_of(desk, "trap 8")
    agent = wait_for(lambda: agent_of(desk), what="the agent")
    rooms = desk.rooms()
    for name, _, pid in rooms:
        assert name == "keys" or children_of(pid) == [], name
        opened = {os.readlink(link) for link in pathlib.Path(f"/proc/{pid}/fd").iterdir()}
        assert name == "keys" or not any("/keys/" in path for path in opened), name
    status = {room["name"]: room for room in desk.cirt("status")["rooms"]}
    assert status["keys"]["enforced"]["network"] == "none" == status["triage"]["enforced"]["network"]
    folder = desk.folder / "state" / "keys"
    assert oct(folder.stat().st_mode & 0o777) == "0o700"
    os.kill(desk.room_pid("keys"), signal.SIGKILL)
    wait_for(lambda: not pathlib.Path(f"/proc/{agent}").exists(), what="the agent to go with its room")
    wait_for(lambda: desk.room_pid("keys"), what="the room to be back")
    desk.cirt_text("key", "unlock", stdin=PASSPHRASE + "\n")


@pytest.mark.skipif(os.getuid() != 0, reason="needs root to change users")
def test_trap_08_as_root_the_keyring_has_a_user_of_its_own(make_daemon, people):
    os.system(str(TOP / "packaging" / "create-users"))
    daemon = make_daemon(as_root=True).start()
    daemon.cirt_text("key", "import", "-", stdin=people.secret(DESK).decode())
    daemon.cirt_text("key", "unlock", stdin=PASSPHRASE + "\n")
    daemon.send_mail(encrypted("as root", people.encrypt(part("text"), DESK)))
    daemon.settle()
    report_of(daemon, "as root")
    user = pwd.getpwnam("cirtd-keys").pw_uid
    assert {path.stat().st_uid for path in (daemon.folder / "state" / "keys").rglob("*")} == {user}
    assert os.stat(f"/proc/{agent_of(daemon)}").st_uid == user


def test_an_unlocked_key_is_in_the_journal(desk):
    """Who opened the keyring, and never with what."""
    desk.cirt_text("key", "lock")
    desk.cirt_text("key", "unlock", stdin=PASSPHRASE + "\n")
    assert [one["action"] for one in desk.cirt("journal", "--limit", "50")["items"] if one["object"] == "keyring"][:2] == ["unlock", "lock"]
    assert desk.psql(f"SELECT count(*) FROM cirt.journal WHERE position('{PASSPHRASE}' IN coalesce(after, '') || coalesce(before, '')) > 0") == [["0"]]
    assert PASSPHRASE not in desk.log_text()


def test_key_verbs(desk, people):
    """Listed, refused where it is no key, removed; a viewer's list has no secrets in it."""
    keys = {one["who"]: one for one in desk.cirt("key", "list")["items"]}
    assert keys[DESK]["secret"] is True and keys[DESK]["state"] == "open"
    assert keys[ALICE]["secret"] is False and keys[ALICE]["valid"] is True
    assert keys["Late <late@partner.example>"]["valid"] is False
    shown = desk.cirt_text("key", "list").stdout
    assert people.fingerprint("alice@partner.example") in shown and "open" in shown
    refused = desk.cirt_text("key", "import", "-", stdin="no key\n", check=False)
    assert refused.returncode == 1 and "OpenPGP key" in refused.stderr
    short = desk.cirt_text("key", "remove", "ABCD", check=False)
    assert short.returncode == 2 and "whole fingerprint" in short.stderr
    unknown = desk.cirt_text("key", "remove", "AB" * 20, "--reason", "typed wrong", check=False)
    assert unknown.returncode == 3 and "there is no key" in unknown.stderr and "cirt key list" in unknown.stderr
    assert desk.cirt_text("key", "remove", "AB" * 20, "--break-glass", "typed wrong", check=False).returncode == 3
    assert desk.cirt("approve", "list", "--all")["items"] == [], "nobody is asked about what there is not"
    late = people.fingerprint("late@partner.example")
    waits = desk.cirt("key", "remove", late, "--reason", "it expired")
    assert waits["waits"] and waits["approval"]["kind"] == "key-remove" and late in {one["key"] for one in desk.cirt("key", "list")["items"]}
    assert "Removed" in desk.cirt_text("key", "remove", late, "--break-glass", "it expired").stdout
    assert [one["state"] for one in desk.cirt("approve", "list", "--all")["items"]] == ["countersign", "withdrawn"]
    assert late not in {one["key"] for one in desk.cirt("key", "list")["items"]}
    gone = desk.cirt_text("key", "remove", late, "--break-glass", "again", check=False)
    assert gone.returncode == 3 and "there is no key" in gone.stderr
    assert len(desk.cirt("approve", "list", "--all")["items"]) == 2


SHARED = os.environ.get("CIRTD_SHARED_DATA")


@pytest.mark.skipif(not SHARED, reason="CIRTD_SHARED_DATA names no folder with real mails")
def test_real_openpgp_mail(make_daemon):
    """A real key with its own passphrase, and messages made by another program; a signed report of a clearing house lands as what it tells."""
    folder = pathlib.Path(SHARED) / "email"
    daemon = make_daemon().start()
    daemon.cirt_text("key", "import", folder / "pgp" / "gmime.gpg.sec")
    daemon.cirt_text("key", "unlock", stdin="no.secret\n")
    for name in ("encrypted", "signed"):
        text = (folder / "pgp" / f"{name}-message.txt").read_bytes()
        mail = text if b"From:" in text[:200] else keyring.headers(f"real {name}") + b"Content-Type: text/plain\r\n\r\n" + text
        daemon.send_mail(mail)
    daemon.send_mail((folder / "abuse-reports" / "abusehub" / "Abusehub_Example_1.eml").read_bytes())
    daemon.settle()
    said = [(report["title"], where, what) for report in (daemon.cirt("report", "show", one["id"]) for one in daemon.reports())
            for where, what in outcomes(report)]
    assert any("decrypted" in what for _, _, what in said), said
    assert any("good signature" in what for _, _, what in said), said
    assert daemon.cirt("status")["backlog"]["sealed"] == 0 and len(daemon.reports()) > 2
