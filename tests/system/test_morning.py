"""A scripted morning, whole: 3,000 rows over 40 reports of Shadowserver come in, 60 organisations in 3 languages, and a drill beside
it. An oracle in Python (morning.py) says from the same facts who has to be told what."""
import contextlib
import datetime
import email
import email.policy
import io
import ipaddress
import os
import pathlib
import re
import signal
import subprocess
import zipfile

import pytest

import keyring
import morning
from harness import Daemon, wait_for
from smtp_server import SmtpServer

pytestmark = [pytest.mark.skipif(not pathlib.Path("/usr/bin/gpg").exists(), reason="GnuPG is not installed"),
              pytest.mark.skipif(os.getuid() != 0, reason="only root becomes two operators")]

OURS = "CIRT <cirt@cirt.example>"
FOUND = re.compile(rb"(?<![\w.:])(?:198\.1[89]\.\d{1,3}\.\d{1,3}(?![\d.]*\d)|2001:db8:[0-9a-f:]+|h\d+\.org\d+\.example)")
CANARY = re.compile(rb"canary\d{5}[a-z]+")
PHRASES = {"en": "Answer this mail", "fr": "pondez", "es": "Responda"}
DRILL = "morning-frost"

# Organisation 1 plays, organisation 3 does not.
DRILL_ROWS = [morning.Row(f"198.18.{n}.0", type_, "drill-list", None, "EX", f"canary9999{n}drill")
              for n, type_ in ((1, "scan_rdp"), (3, "scan_rdp"))]


def literal(value):
    return "NULL" if value is None else "'" + str(value).replace("'", "''") + "'"


class Office:
    """The daemon, the world around it, and what came by mail."""

    def __init__(self, daemon, world, server, theirs, authority, ours):
        self.daemon, self.world, self.server = daemon, world, server
        self.theirs, self.authority, self.ours = theirs, authority, ours
        self.fingerprints = {}
        self.back = None  # the mail that came back

    def one(self, sql):
        rows = self.daemon.psql("SET search_path = cirt; " + sql)
        return rows[-1][0] if rows and rows[-1][0] != "SET" else ""

    def rows(self, sql):
        return [row for row in self.daemon.psql("SET search_path = cirt; " + sql) if row != ["SET"]]

    def worked(self):
        """Until the keeper has looked at all that landed, and nothing is due any more."""
        self.daemon.settle(300)
        wait_for(lambda: self.one("SELECT count(*) FROM notice_arrival") == "0"
                 and self.one("SELECT count(*) FROM warning WHERE next <= now()") == "0", 120, "the keeper", every=0.5)

    def submit(self, files, *more):
        for source in sorted({source for source, _ in files}):
            folder = self.daemon.folder / "lists" / source
            folder.mkdir(parents=True, exist_ok=True)
            paths = []
            for name in sorted(name for of, name in files if of == source):
                paths.append(folder / name)
                paths[-1].write_bytes(files[source, name])
            self.daemon.cirt("submit", *paths, "--source", source, "--format", "shadowserver", "--again", *more)

    def outcomes(self):
        """{row's key: outcome} of all real reports."""
        return {key: outcome for key, outcome in self.rows(
            "SELECT observable_first(r.observables, '{ip,name}', '{source}'), w.outcome FROM warning w JOIN report r ON r.id = w.report"
            " WHERE r.exercise = 0 AND r.type <> 'test' AND w.continued IS NULL ORDER BY r.id")}

    def as_operator(self, uid, *arguments):
        command = ["setpriv", "--reuid", str(uid), "--regid", str(uid), "--clear-groups", str(self.daemon.programs.cirt), "--socket",
                   str(self.daemon.socket), *map(str, arguments)]
        done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=self.daemon.environment())
        assert done.returncode == 0, done.stdout + done.stderr

    def delivered(self, first=0, drill=False):
        """{Message-ID: Mail} of what the server took since; the same mail twice has the same bytes. drill: those of the drill."""
        found = {}
        for sender, recipient, data, _ in self.server.mails[first:]:
            mail = Mail(self, sender, recipient, data)
            known = found.setdefault(mail.message["Message-ID"], mail)
            assert known.data == data and known.recipient == recipient, "one Message-ID, two mails"
        return {name: mail for name, mail in found.items() if bool(mail.drill) == drill}

    def shift(self, days):
        """Let so many days go by: all that was becomes older."""
        times = {"fingerprint": "first last expires", "sighting": "first last", "report_status": "gone_at changed",
                 "warning": "decided next first_told last_told gone relapsed", "outbox": "created due rendered sent delivered bounced answered", "disclosure": "put told version"}
        sql = ["SET search_path = cirt"]
        for table, columns in times.items():
            sql += [f"ALTER TABLE {table} DISABLE TRIGGER USER",
                    f"UPDATE {table} SET " + ", ".join(f"{one} = {one} - interval '{days} days'" for one in columns.split()),
                    f"ALTER TABLE {table} ENABLE TRIGGER USER"]
        for table in ("sighting", "ledger_day"):  # never two of one day, not for a moment
            sql += [f"UPDATE {table} SET day = day + 5000", f"UPDATE {table} SET day = day - {5000 + days}"]
        self.daemon.psql("; ".join(sql))


class Mail:
    """One mail as its recipient reads it."""

    def __init__(self, office, sender, recipient, data):
        self.sender, self.recipient, self.data = sender, recipient, data
        self.message = email.message_from_bytes(data, policy=email.policy.default)
        self.sealed = ""
        self.signed = ""
        self.inside = self._open(office, self.message)
        self.texts = list(self._texts(self.inside))
        self.all = b"\n".join([data, self.inside.as_bytes(), *self.texts])
        self.keys = {str(ipaddress.ip_address(key)) if ":" in key else key
                     for key in (found.decode() for text in self.texts for found in FOUND.findall(text))}
        self.drill = self.message["X-Exercise"]
        self.canaries = {found.decode() for found in CANARY.findall(self.all)}

    def _open(self, office, message):
        kind = message.get_content_type()
        if kind == "multipart/encrypted":
            self.sealed = "pgp"
            status = office.daemon.folder / "status"
            plain = office.theirs.gpg("--status-file", str(status), "--decrypt", stdin=message.get_payload()[1].get_payload(decode=True))
            self.signed = "pgp" if "GOODSIG" in status.read_text() else ""
            return email.message_from_bytes(plain, policy=email.policy.default)
        if kind == "application/pkcs7-mime" and "signed" not in message.get_param("smime-type", ""):
            self.sealed = "smime"
            name = self.recipient.split("@")[1].split(".")[0]
            plain = office.authority.openssl("cms", "-decrypt", "-inform", "DER", "-recip", f"{name}.pem", "-inkey", f"{name}.key",
                                             stdin=message.get_payload(decode=True))
            return self._open(office, email.message_from_bytes(plain, policy=email.policy.default))
        if kind == "multipart/signed":
            self.signed = "pgp" if "pgp" in message.get_param("protocol") else "smime"
        if kind == "application/pkcs7-mime":
            self.signed = "smime"
            plain = office.authority.openssl("cms", "-verify", "-noverify", "-inform", "DER", stdin=message.get_payload(decode=True))
            return email.message_from_bytes(plain, policy=email.policy.default)
        return message

    def _texts(self, message):
        for part in message.walk():
            if part.is_multipart():
                continue
            data = part.get_payload(decode=True) or b""
            yield data
            if data.startswith(b"PK"):
                archive = zipfile.ZipFile(io.BytesIO(data))
                for name in archive.namelist():
                    yield archive.read(name)

    @property
    def number(self):
        return re.search(r"N\d{4}-\d{6}", self.message["Subject"]).group()

    @property
    def text(self):
        return next(part for part in self.inside.walk() if part.get_content_type() == "text/plain").get_content()


# ---- the world becomes the daemon's ----


def put_keys(office):
    """Their public keys into the daemon's keyring; the secret ones stay with them."""
    certificates = []
    for _, contact in office.world.contacts():
        name = contact.email.split("@")[1].split(".")[0]
        if contact.key == "pgp":
            who = f"{name} <{contact.email}>"
            office.fingerprints[contact.email] = office.theirs.make(who)
        elif contact.key == "smime":
            office.authority.issue(name, contact.email)
            office.fingerprints[contact.email] = office.authority.digest(name)
            certificates.append(f"{name}.pem")
    office.daemon.cirt_text("key", "import", "-", stdin=office.theirs.gpg("--armor", "--export").decode())
    office.daemon.cirt_text("key", "import", "-", stdin=office.authority.pem(*certificates))


def put_register(office):
    sql = ["SET search_path = cirt", "SET cirt.actor = 'test'"]
    for organisation in [*office.world.organisations, office.world.cirt]:
        sql.append("INSERT INTO organisation (name, kind, sector, country) VALUES (" + ", ".join(
            map(literal, (organisation.name, organisation.kind, organisation.sector, organisation.country))) + ")")
        of = f"(SELECT id FROM organisation WHERE name = {literal(organisation.name)})"
        sql += [f"INSERT INTO organisation_prefix (organisation, prefix) VALUES ({of}, {literal(one)})" for one in organisation.prefixes]
        if organisation.asn:
            sql.append(f"INSERT INTO organisation_asn (organisation, asn) VALUES ({of}, {organisation.asn})")
        if organisation.domain:
            sql.append(f"INSERT INTO organisation_domain (organisation, domain) VALUES ({of}, {literal(organisation.domain)})")
        for contact in organisation.contacts:
            key = office.fingerprints.get(contact.email, "")
            sql.append("INSERT INTO contact (organisation, role, email, language, format, policy, pgp, smime) VALUES (" + of + ", " + ", ".join(
                map(literal, (contact.role, contact.email, contact.language, contact.format, contact.policy,
                              key if contact.key == "pgp" else "", key if contact.key == "smime" else ""))) + ")")
    sql.append("INSERT INTO abuse_contact (prefix, email, registry) VALUES ('198.19.201.0/24', 'abuse@hoster.example', 'test')")
    sql.append(f"SELECT exercise_id({literal(DRILL)})")
    sql.append(f"INSERT INTO exercise_directory (exercise, address) SELECT id, 'soc@org1.example' FROM exercise WHERE name = {literal(DRILL)}")
    sql += [f"INSERT INTO operator (name, role, uid) VALUES ('op{uid}', 'analyst', {uid})" for uid in (41301, 41302)]
    office.daemon.psql("; ".join(sql))


def wait_for_register(office):
    """Until the store says whose a new report is. It is told of nobody: that organisation has no contact."""
    tries = iter(range(1000))

    def attributed():
        office.daemon.send_lines([{"v": 1, "id": f"w{next(tries)}", "type": "test", "time": f"{datetime.datetime.utcnow():%Y-%m-%dT%H:%M:%SZ}",
                                   "source": {"ip": "198.18.20.255"}, "identifier": f"warm-{next(tries)}"}])
        office.daemon.settle()
        return office.one("SELECT count(*) FROM report WHERE identifier LIKE 'warm-%' AND organisation IS NOT NULL") != "0"

    wait_for(attributed, 60, "the register", every=0.5)


@pytest.fixture(scope="module")
def office(programs, certificates):
    with contextlib.ExitStack() as stack:
        server, theirs, ours, authority = SmtpServer(), keyring.Keyring(), keyring.Keyring(), keyring.Authority()
        for thing in (server, theirs, ours, authority):
            stack.callback(thing.close if thing is server else thing.remove)
        own = ours.make(OURS)
        theirs.take(ours.public(OURS))
        authority.issue("cirt", "cirt@cirt.example", passphrase=keyring.PASSPHRASE)
        daemon = Daemon(programs, certificates, sections={
            "mail_out": {"server": f"smtp://127.0.0.1:{server.port}", "tls": "off", "from": "cirt@cirt.example", "name": "CIRT Exampleland",
                         "timeout": "2s", "backoff": "200ms", "pgp_key": own, "smime_key": authority.digest("cirt")}})
        stack.callback(daemon.remove)
        daemon.start()
        daemon.add_sensor()
        office = Office(daemon, morning.World(), server, theirs, authority, ours)
        for text in (ours.secret(OURS).decode(), authority.pem("ca.pem"), authority.pem("cirt.pem", "cirt.key")):
            daemon.cirt_text("key", "import", "-", stdin=text)
        daemon.cirt_text("key", "unlock", stdin=keyring.PASSPHRASE + "\n")
        put_keys(office)
        put_register(office)
        for name, (tlp, pap, may) in morning.SOURCES.items():
            daemon.cirt("source", "add", name, "--kind", "desk", "--tlp", tlp, "--pap", pap, *([] if may else ["--ask-before-notice"]))
        daemon.cirt("source", "add", "drill-list", "--kind", "desk", "--tlp", "green", "--pap", "green", "--exercise", DRILL)
        daemon.cirt("rule", "new", "clocks", "--identifier", "ntp-version", "--suppress")
        wait_for_register(office)
        yield office


@pytest.fixture(scope="module")
def landed(office):
    """All of the morning's lists are in, and the keeper has looked at them."""
    office.submit(office.world.files(office.world.rows + DRILL_ROWS))
    office.worked()
    return office


def let_go(office):
    for number, in office.rows("SELECT number FROM outbox WHERE approvals = 2 AND state IN ('bundling', 'held', 'ready') ORDER BY id"):
        for uid in (41301, 41302):
            office.as_operator(uid, "notice", "approve", number)
    office.daemon.cirt("notice", "send", "--all")


@pytest.fixture(scope="module")
def sent(landed):
    """Two people let go what two have to, one lets go the rest; the courier is killed twice on the way."""
    daemon, server = landed.daemon, landed.server
    let_go(landed)
    for many in (15, 50):
        wait_for(lambda: len(server.mails) >= many, 120, f"{many} mails")
        pid = daemon.room_pid("courier")
        os.kill(pid, signal.SIGKILL)
        wait_for(lambda: daemon.room_pid("courier") not in (None, pid), 30, "the courier again")
    wait_for(lambda: landed.one("SELECT count(*) FROM outbox WHERE state = 'queued'") == "0", 240, "all mails to be sent", every=0.5)
    return landed


# ---- what has to be so ----


def test_every_row_has_its_owner_and_its_outcome(landed):
    """To the row: who has to be told is in a mail, who must not is not, and why stands beside it."""
    mails, not_told = landed.world.expect(landed.world.rows)
    wanted = {key: outcome for outcome, keys in not_told.items() for key in keys}
    wanted |= {key: "waiting" for keys in mails.values() for key in keys}
    found = landed.outcomes()
    found = {key: "waiting" if outcome in ("told", "held") and wanted.get(key) == "waiting" else outcome for key, outcome in found.items()}
    assert len(found) == len(landed.world.rows)
    assert {key: (outcome, found.get(key)) for key, outcome in wanted.items() if found.get(key) != outcome} == {}


def test_the_mails_are_those_that_have_to_be(sent):
    """The right rows to the right people, in the form that the gate lets: bundled, one mail an address and form."""
    mails, _ = sent.world.expect(sent.world.rows)
    waits = {key for key in mails if key[0] == "soc@org18.example"}
    found = {}
    for mail in sent.delivered().values():
        form, approvals = sent.rows(f"SELECT form, approvals FROM outbox WHERE message_id = {literal(mail.message['Message-ID'])}")[0]
        if mail.recipient != "soc@org18.example":
            where = (mail.recipient, form, int(approvals))
            assert where not in found, "two mails where one gathers all"
            found[where] = mail.keys
    assert found.keys() == mails.keys() - waits
    assert {where: (len(found[where]), len(keys)) for where, keys in mails.items() if where not in waits and found[where] != keys} == {}


def test_nothing_above_its_tlp_is_in_any_mail(sent):
    """All bytes, decrypted, decoded and unpacked: no canary of a report but to whom it was told in full, no name of a source."""
    allowed = sent.world.told_in_full(sent.world.rows)
    mails = sent.delivered().values()
    assert any(mail.canaries for mail in mails), "the canaries are in what is told in full, so that the search finds something"
    for mail in mails:
        assert mail.canaries <= allowed.get(mail.recipient, set()), mail.recipient
        assert not any(canary.endswith(("red", "strict")) for canary in mail.canaries)
        assert not any(name.encode() in mail.all for name in morning.SOURCES), "no mail names a source"


def test_mails_are_encrypted_signed_and_marked_as_they_must_be(sent):
    contacts = {contact.email: contact for _, contact in sent.world.contacts()}
    for mail in sent.delivered().values():
        contact = contacts.get(mail.recipient)
        if mail.recipient == "soc@org18.example":
            assert not mail.keys and not mail.sealed, "who has no key is told that something waits, and no more"
            continue
        assert mail.sealed == (contact.key if contact and contact.policy != "never" else ""), mail.recipient
        assert mail.signed, f"{mail.recipient}: not signed by us"
        tlp = mail.message["X-TLP"]
        assert tlp and tlp in mail.message["Subject"] and mail.text.startswith(tlp), mail.recipient
        if mail.sealed:
            assert not FOUND.search(mail.data) and not CANARY.search(mail.data)
        if contact:
            assert PHRASES[contact.language] in mail.text, (mail.recipient, contact.language)


def test_two_kills_lost_and_doubled_nothing(sent):
    """Each mail that the outbox says was sent has come, under its own Message-ID, always with the same bytes."""
    wanted = {row[0] for row in sent.rows("SELECT message_id FROM outbox WHERE state = 'sent' AND kind IN ('notice', 'one-shot', 'key-waits')")}
    assert set(sent.delivered()) | set(sent.delivered(drill=True)) >= wanted
    assert sent.one("SELECT count(*) FROM outbox WHERE state = 'sent' AND sent IS NULL") == "0"
    assert sent.one("SELECT count(*) FROM disclosure d JOIN outbox o ON o.id = d.outbox WHERE o.state = 'sent' AND d.told IS NULL"
                    " AND d.left_out IS NULL") == "0"
    assert sent.one("SELECT count(*) FROM outbox WHERE state = 'failed'") == "0"


def test_nothing_of_the_drill_leaves_it(sent):
    """One address of its directory is told, marked as what it is; who does not play is not, and no real mail has a word of it."""
    mail, = sent.delivered(drill=True).values()
    assert mail.recipient == "soc@org1.example" and mail.drill == DRILL and mail.keys == {"198.18.1.0"}
    assert DRILL in mail.message["Subject"] and f"EXERCISE EXERCISE EXERCISE: {DRILL}" in mail.text
    assert mail.canaries <= {"canary99991drill"}
    for real in sent.delivered().values():
        assert b"drill" not in real.all and not real.keys & {row.key for row in DRILL_ROWS}
    assert sent.rows("SELECT w.outcome FROM warning w JOIN report r ON r.id = w.report WHERE r.exercise <> 0 AND w.why LIKE '%directory%'") == [["held"]]


def effect(office, by="organisation"):
    return {row["what"]: row for row in office.daemon.cirt("notice", "effect", "--by", by)["items"]}


def told(office):
    """Keys of the rows that somebody was told of: all that are in mails, but for who has no key, and what came back."""
    mails, _ = office.world.expect(office.world.rows)
    found = {key for (address, _, _), keys in mails.items() if address != "soc@org18.example" for key in keys}
    return found - (office.back.keys if office.back else set())


def per_owner(office, keys):
    found = {}
    for row in office.world.rows:
        if row.key in keys:
            name = row.owner.name if row.owner else "-"
            found[name] = found.get(name, 0) + 1
    return found


def bounce(mail):
    """As the server behind says that there is nobody (RFC 3464)."""
    return (f"From: MAILER-DAEMON@org7.example\r\nTo: {mail.sender}\r\nSubject: Undelivered Mail Returned to Sender\r\n"
            f"Message-ID: <dsn-{mail.number}@org7.example>\r\nDate: Tue, 24 Nov 2026 07:10:00 +0000\r\nMIME-Version: 1.0\r\nAuto-Submitted: auto-replied\r\n"
            'Content-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nNo such user.\r\n'
            "--b\r\nContent-Type: message/delivery-status\r\n\r\nReporting-MTA: dns; mx.org7.example\r\n\r\n"
            f"Final-Recipient: rfc822; {mail.recipient}\r\nAction: failed\r\nStatus: 5.1.1\r\nDiagnostic-Code: smtp; 550 5.1.1 no such user\r\n\r\n"
            f"--b\r\nContent-Type: text/rfc822-headers\r\n\r\nMessage-ID: {mail.message['Message-ID']}\r\n\r\n--b--\r\n").encode()


@pytest.fixture(scope="module")
def came_back(sent):
    """One of the mails bounces, two are answered: to the mail's own address, and with its number in the subject alone."""
    daemon, mails = sent.daemon, sent.delivered().values()
    sent.back, sent.reply, sent.tagged = (next(mail for mail in mails if mail.recipient == f"soc@org{n}.example" and mail.keys) for n in (7, 8, 9))
    daemon.send_mail(bounce(sent.back), [sent.back.sender], sender="")
    for mail, to, subject, references in (
            (sent.reply, sent.reply.message["Reply-To"].addresses[0].addr_spec, "Re: your notice", f"In-Reply-To: {mail_id(sent.reply)}\r\n"),
            (sent.tagged, "report@cirt.example", f"AW: [{sent.tagged.number}]", "")):
        daemon.send_mail(f"From: {mail.recipient}\r\nTo: {to}\r\nSubject: {subject}\r\n{references}Message-ID: <answer-{mail.number}@theirs.example>\r\n"
                         f"Date: Tue, 24 Nov 2026 07:20:00 +0000\r\n\r\nWe have taken the server off the network.\r\n", [to], sender=mail.recipient)
    daemon.settle(120)
    for mail, column in ((sent.back, "bounced"), (sent.reply, "answered"), (sent.tagged, "answered")):
        wait_for(lambda m=mail, c=column: sent.one(f"SELECT {c} IS NOT NULL FROM outbox WHERE number = {literal(m.number)}") == "t", 60,
                 f"{mail.number} to be {column}")
    sent.worked()
    return sent


def mail_id(mail):
    return mail.message["Message-ID"]


def test_bounces_and_replies_are_matched(came_back):
    office = came_back
    assert office.one("SELECT count(*) FROM outbox WHERE bounced IS NOT NULL") == "1"
    assert office.one("SELECT count(*) FROM outbox WHERE answered IS NOT NULL") == "2"
    assert office.one(f"SELECT bounced IS NOT NULL FROM contact WHERE email = {literal(office.back.recipient)}") == "t"
    assert {office.outcomes()[key] for key in office.back.keys} == {"no-contact"}, "nobody was told by a mail that came back"
    for mail in (office.reply, office.tagged):
        assert office.one(f"SELECT count(*) FROM cases c JOIN outbox o ON o.case_id = c.id WHERE o.number = {literal(mail.number)}") == "1"
    assert {row["what"]: row["warned"] for row in effect(office).values() if row["warned"]} == per_owner(office, told(office))


def test_effect_counts_to_the_row(sent):
    seen, warned, found = per_owner(sent, {row.key for row in sent.world.rows}), per_owner(sent, told(sent)), effect(sent)
    assert {name: row["seen"] for name, row in found.items() if name in seen} == seen
    assert {name: row["warned"] for name, row in found.items() if row["warned"]} == warned
    assert all(row["gone_7"] == row["gone_30"] == row["relapsed"] == 0 for row in found.values())


def test_today_tells_the_morning(sent):
    day = sent.daemon.cirt("today")
    feeds, notices = day["intake"]["feeds"], day["notices"]
    assert feeds["new"] + feeds["relapse"] == len(sent.world.rows) + len(DRILL_ROWS)
    assert feeds["entries"] == len(sent.world.files(sent.world.rows + DRILL_ROWS)) and feeds["sources"] == len(morning.SOURCES) + 1
    _, not_told = sent.world.expect(sent.world.rows)
    assert notices["sent"] == int(sent.one("SELECT count(*) FROM outbox WHERE state = 'sent'")) and notices["failed"] == 0
    more = {"suppressed": int(sent.one("SELECT count(*) FROM report WHERE type = 'test'")), "no-contact": len(sent.back.keys) if sent.back else 0}
    for outcome in ("suppressed", "no-contact", "asks-permission", "not-ours"):
        assert notices["not_told"][outcome] == len(not_told.get(outcome, ())) + more.get(outcome, 0), outcome


GONE = 10  # each tenth row is not listed any more from the second day on


@pytest.fixture(scope="module")
def second_day(came_back):
    """The same lists once more."""
    sent = came_back
    before = len(sent.server.mails), sent.one("SELECT count(*) FROM outbox")
    sent.shift(1)
    sent.submit(sent.world.files(sent.world.rows))
    sent.worked()
    sent.before = before
    return sent


def test_the_same_data_on_a_second_day_warns_nobody_again(second_day):
    """Held to their interval, those too whom a fold rule calls quiet after a day."""
    assert second_day.rows("SELECT r.type, d.cause, count(*) FROM disclosure d JOIN report r ON r.id = d.report WHERE d.put > now() - interval '12 hours'"
                           " GROUP BY 1, 2") == []
    assert (len(second_day.server.mails), second_day.one("SELECT count(*) FROM outbox")) == second_day.before
    assert effect(second_day).keys() >= per_owner(second_day, told(second_day)).keys()
    assert {name: row["warned"] for name, row in effect(second_day).items() if row["warned"]} == per_owner(second_day, told(second_day))


@pytest.fixture(scope="module")
def eighth_day(second_day):
    """Each tenth row is not listed any more; of the rest the intervals of a week are over."""
    office = second_day
    office.shift(6)
    office.first_of_eighth = len(office.server.mails)
    office.submit(office.world.files([row for n, row in enumerate(office.world.rows) if n % GONE]))
    office.worked()
    # What was due before its list came waits for three hours.
    office.daemon.psql("UPDATE cirt.warning SET next = next - interval '3 hours' WHERE next < now() + interval '3 hours'")
    office.worked()
    let_go(office)
    wait_for(lambda: office.one("SELECT count(*) FROM outbox WHERE state = 'queued'") == "0", 240, "all mails to be sent", every=0.5)
    return office


def test_repeats_are_told_when_their_week_is_over_and_no_others(eighth_day):
    wanted = {row.key for n, row in enumerate(eighth_day.world.rows) if n % GONE and morning.TYPES[row.type] == 7
              and eighth_day.world.whom(row)[0] != eighth_day.back.recipient} & told(eighth_day)
    mails = [mail for mail in eighth_day.delivered(eighth_day.first_of_eighth).values() if mail.recipient != "soc@org18.example"]
    again = [key for mail in mails for key in mail.keys]
    missed = [(key, eighth_day.rows("SELECT w.outcome, w.why, w.next, w.last_told FROM warning w JOIN report r ON r.id = w.report WHERE"
                                    f" {literal('ip source ' + key)} = ANY (r.observables) OR {literal('name source ' + key)} = ANY (r.observables)"))
              for key in sorted(wanted - set(again))[:5]]
    assert (len(again), missed, sorted(set(again) - wanted)[:5]) == (len(wanted), [], [])


def test_gone_is_counted_to_the_row(eighth_day):
    """Lists of three days left them out."""
    eighth_day.daemon.psql("INSERT INTO cirt.ledger_day (day, source, node, found, folded) SELECT timezone('UTC', now())::date - n, s.id, 0, 1, 1"
                           " FROM cirt.source s, generate_series(1, 3) n WHERE s.name LIKE 'list-%' ON CONFLICT DO NOTHING;"
                           " SELECT cirt.keeper_sweep(0, 1000000, 3)")
    gone = {row.key for n, row in enumerate(eighth_day.world.rows) if n % GONE == 0} & told(eighth_day)
    assert {name: row["gone_7"] for name, row in effect(eighth_day).items() if row["gone_7"]} == per_owner(eighth_day, gone)
