"""The desk of a scripted morning and all around it: what it is given, what it does, and its mails as their recipients read them."""
import email
import email.policy
import io
import ipaddress
import json
import os
import re
import subprocess
import zipfile

import keyring
import morning
from harness import Daemon, wait_for
from outbox import literal
from post_office import post_office

OURS = "CIRT <cirt@cirt.example>"
FOUND = re.compile(rb"(?<![\w.:])(?:198\.1[89]\.\d{1,3}\.\d{1,3}(?![\d.]*\d)|2001:db8:[0-9a-f:]+|h\d+\.org\d+\.example)")
CANARY = re.compile(rb"canary\d{5}[a-z]+")
DRILL = "morning-frost"
OPERATORS = (41301, 41302)
OWNER = "owner@numbat.example"  # of the source that wants to be asked
PEOPLE = ("anna@citizen.example", "forger@citizen.example", "stranger@nowhere.example", "reader@list.example")
SUMMED = ("report_status", "warning", "disclosure", "outbox", "report_link")  # tables that the journal has by sums


class Office:
    """The daemon, the world around it, and what came by mail."""

    def __init__(self, daemon, world, stack):
        self.daemon, self.world = daemon, world
        self.theirs, self.ours, self.authority = keyring.Keyring(), keyring.Keyring(), keyring.Authority()
        for thing in (self.theirs, self.ours, self.authority):
            stack.callback(thing.remove)
        self.fingerprints = {}
        self.post = None
        self.lost = set()  # addresses whose mails came back, or were refused
        self.granted = {}  # report's row, by what its source allowed
        self._read = {}

    def one(self, sql):
        rows = self.rows(sql)
        return rows[-1][0] if rows else ""

    def rows(self, sql):
        return [row for row in self.daemon.psql("SET search_path = cirt; " + sql) if row != ["SET"]]

    def worked(self):
        """Until the keeper has looked at all that landed, and nothing is due any more."""
        self.daemon.settle(300)
        wait_for(lambda: self.one("SELECT (SELECT count(*) FROM notice_arrival) + (SELECT count(*) FROM letter_back)"
                                  " + (SELECT count(*) FROM warning WHERE next <= now())") == "0", 300, "the keeper", every=0.5)

    def submit(self, files):
        for source in sorted({source for source, _ in files}):
            folder = self.daemon.folder / "lists" / source
            folder.mkdir(parents=True, exist_ok=True)
            paths = []
            for name in sorted(name for of, name in files if of == source):
                paths.append(folder / name)
                paths[-1].write_bytes(files[source, name])
            self.daemon.cirt("submit", *paths, "--source", source, "--format", "shadowserver", "--again")

    def outcomes(self):
        """{row's key: outcome} of all real reports."""
        return {key: outcome for key, outcome in self.rows(
            "SELECT observable_first(r.observables, '{ip,name}', '{source}'), w.outcome FROM warning w JOIN report r ON r.id = w.report"
            " WHERE r.exercise = 0 AND r.type <> 'test' AND w.continued IS NULL ORDER BY r.id")}

    def report_of(self, row):
        """The newest report about it, as `cirt` names it."""
        return self.one(f"SELECT report_number(r.id) FROM report r WHERE {literal('ip source ' + row.key)} = ANY (r.observables)"
                        f" OR {literal('name source ' + row.key)} = ANY (r.observables) ORDER BY r.id DESC LIMIT 1")

    def approve(self, number):
        """Both operators let it go: each as himself, or, where nobody can become another, by what the desk asks the database."""
        for uid in OPERATORS:
            if os.getuid() != 0:
                self.daemon.psql(f"SET search_path = cirt; SET cirt.actor = 'op{uid}'; SELECT desk_notice_approve("
                                 f"{literal(json.dumps({'notice': number}))})")
                continue
            command = ["setpriv", "--reuid", str(uid), "--regid", str(uid), "--clear-groups", str(self.daemon.programs.cirt), "--socket",
                       str(self.daemon.socket), "notice", "approve", number]
            done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False, env=self.daemon.environment())
            assert done.returncode == 0, done.stdout + done.stderr

    def let_go(self):
        for number, in self.rows("SELECT number FROM outbox WHERE approvals = 2 AND state IN ('bundling', 'held', 'ready') ORDER BY id"):
            self.approve(number)
        self.daemon.cirt("notice", "send", "--all")

    def gone_out(self):
        """Until the courier has nothing to do, all that it sent has arrived, and what came back is known."""
        wait_for(lambda: self.one("SELECT count(*) FROM outbox WHERE state = 'queued'") == "0", 600, "all mails to be sent", every=0.5)
        lost = ", ".join(literal(one) for one in {morning.UNKNOWN, morning.FULL} & self.lost) or "''"
        wanted = {row[0] for row in self.rows(f"SELECT message_id FROM outbox WHERE state = 'sent' AND bounced IS NULL AND address NOT IN ({lost})")}
        wait_for(lambda: wanted <= {mail.message["Message-ID"] for mail in self.read()}, 300, "all mails to arrive", every=0.5)
        self.post.returned()
        wait_for(lambda: self.one(f"SELECT count(*) FROM outbox WHERE state = 'sent' AND address IN ({lost}) AND bounced IS NULL") == "0", 300,
                 "all mails to come back", every=0.5)
        self.worked()

    def read(self):
        """All mails that have arrived, each read once; the same mail twice has the same bytes."""
        for sender, recipient, data in self.post.arrived()[len(self._read):]:
            self._read[len(self._read)] = Mail(self, sender, recipient, data)
        first = {}
        for mail in self._read.values():
            known = first.setdefault(mail.message["Message-ID"], mail)
            assert known.data == mail.data and known.recipient == mail.recipient, "one Message-ID, two mails"
        return list(first.values())

    def delivered(self, since=0, drill=False, kinds=("notice", "one-shot", "key-waits")):
        """Mails of these kinds that have arrived, but for the first `since` of all; drill: those of the drill."""
        kind = dict(self.rows("SELECT message_id, kind FROM outbox"))
        return [mail for mail in self.read()[since:] if kind[mail.message["Message-ID"]] in kinds and bool(mail.drill) == drill]

    def shift(self, days):
        """Let so many days go by: all that was becomes older."""
        times = {"fingerprint": "first last expires", "sighting": "first last", "report_status": "gone_at changed",
                 "warning": "decided next first_told last_told gone relapsed", "disclosure": "put told version",
                 "outbox": "created due rendered sent delivered bounced answered", "report_link": "at"}
        sql = ["SET search_path = cirt"]
        for table, columns in times.items():
            sql += [f"ALTER TABLE {table} DISABLE TRIGGER USER"]
            if table in SUMMED:  # the journal knows of it, as of any change
                sql += [f"ALTER TABLE {table} ENABLE TRIGGER summed_changed"]
            sql += [f"UPDATE {table} SET " + ", ".join(f"{one} = {one} - interval '{days} days'" for one in columns.split()),
                    f"ALTER TABLE {table} ENABLE TRIGGER USER"]
        for table in ("sighting", "ledger_day"):  # never two of one day, not for a moment
            sql += [f"UPDATE {table} SET day = day + 5000", f"UPDATE {table} SET day = day - {5000 + days}"]
        self.daemon.psql("; ".join(sql))

    def theirs_say(self, signature, text):
        """Is this good, in the eyes of who has our public key?"""
        beside = self.daemon.folder / "signature"
        beside.write_bytes(signature)
        status = self.daemon.folder / "status"
        self.theirs.gpg("--status-file", str(status), "--verify", str(beside), "-", stdin=text)
        return "GOODSIG" in status.read_text()

    # What the oracle says, with what became of the mails.

    def told(self):
        """Keys of the rows that somebody was told of."""
        mails, _ = self.world.expect(self.world.rows)
        never = self.lost | {morning.NO_KEY}
        return {key for (address, _, _), keys in mails.items() if address not in never for key in keys} | {row.key for row in self.granted.values()}

    def per_owner(self, keys):
        found = {}
        for row in self.world.rows:
            if row.key in keys:
                name = row.owner.name if row.owner else "-"
                found[name] = found.get(name, 0) + 1
        return found

    def effect(self, what):
        """Of all that have some: {organisation: how many}."""
        return {row["what"]: row[what] for row in self.daemon.cirt("notice", "effect", "--limit", 1000)["items"] if row[what]}


class Mail:
    """One mail as its recipient reads it."""

    def __init__(self, office, sender, recipient, data):
        self.sender, self.recipient, self.data = sender, recipient, data
        self.message = email.message_from_bytes(data, policy=email.policy.default)
        self.sealed = ""
        self.signed = ""
        self.inside = self._open(office, data)
        self.texts = list(self._texts(self.inside))
        self.all = b"\n".join([data, self.inside.as_bytes(), *self.texts])
        self.keys = {str(ipaddress.ip_address(key)) if ":" in key else key
                     for key in (found.decode() for text in self.texts for found in FOUND.findall(text))}
        self.drill = self.message["X-Exercise"]
        self.canaries = {found.decode() for found in CANARY.findall(self.all)}

    def _open(self, office, data):
        message = email.message_from_bytes(data, policy=email.policy.default)
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
            return self._open(office, plain)
        if kind == "multipart/signed":
            return self._verified(office, message, data)
        if kind == "application/pkcs7-mime":
            self.signed = "smime"
            plain = office.authority.openssl("cms", "-verify", "-CAfile", "ca.pem", "-inform", "DER", stdin=message.get_payload(decode=True))
            return email.message_from_bytes(plain, policy=email.policy.default)
        return message

    def _verified(self, office, message, data):
        """What is signed beside it (RFC 1847), as it was sent."""
        boundary = b"\r\n--" + message.get_boundary().encode()
        part = (b"\r\n" + data).split(boundary)[1].removeprefix(b"\r\n")
        signature = message.get_payload()[1].get_payload(decode=True)
        if "pgp" in message.get_param("protocol"):
            self.signed = "pgp" if office.theirs_say(signature, part) else ""
        else:
            (office.authority.folder / "signature").write_bytes(signature)
            (office.authority.folder / "part").write_bytes(part)
            office.authority.openssl("cms", "-verify", "-CAfile", "ca.pem", "-inform", "DER", "-in", "signature", "-content", "part", "-binary")
            self.signed = "smime"
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
    """Their public keys into the daemon's keyring; the secret ones stay with them. Ours the other way."""
    certificates = []
    for text in (office.ours.secret(OURS).decode(), office.authority.pem("ca.pem"), office.authority.pem("cirt.pem", "cirt.key")):
        office.daemon.cirt_text("key", "import", "-", stdin=text)
    office.daemon.cirt_text("key", "unlock", stdin=keyring.PASSPHRASE + "\n")
    for _, contact in office.world.contacts():
        name = contact.email.split("@")[1].split(".")[0]
        if contact.key == "pgp":
            office.fingerprints[contact.email] = office.theirs.make(f"{name} <{contact.email}>")
        elif contact.key == "smime":
            office.authority.issue(name, contact.email)
            office.fingerprints[contact.email] = office.authority.digest(name)
            certificates.append(f"{name}.pem")
    office.daemon.cirt_text("key", "import", "-", stdin=office.theirs.gpg("--armor", "--export").decode())
    office.daemon.cirt_text("key", "import", "-", stdin=office.authority.pem(*certificates))


def put_register(office):
    """By files, as an office would: constituents, and who takes complaints abroad."""
    path = office.daemon.folder / "register.json"
    path.write_text("\n".join(json.dumps(one) for one in office.world.register(office.fingerprints)) + "\n")
    assert "dry run" in office.daemon.cirt_text("org", "import", path, "--dry-run").stdout
    assert office.daemon.cirt("org", "list")["items"] == []
    office.daemon.cirt("org", "import", path)
    complaints = office.daemon.folder / "complaints.csv"
    complaints.write_text("prefix,email\n" + "".join(f"198.19.201.0/24,{one}\n" for one in office.world.abuse.values()))
    office.daemon.cirt("org", "registry", complaints, "--registry", "test")
    office.daemon.psql(
        f"SET search_path = cirt; SET cirt.actor = 'test'; SELECT exercise_id({literal(DRILL)}); INSERT INTO exercise_directory (exercise, address)"
        f" SELECT id, 'soc@org1.example' FROM exercise WHERE name = {literal(DRILL)}; INSERT INTO operator (name, role, uid) VALUES "
        + ", ".join(f"('op{uid}', 'analyst', {uid})" for uid in OPERATORS))
    for name, *options in morning.RULES:
        office.daemon.cirt("rule", "new", name, *options)
    for source, (tlp, pap, may) in morning.SOURCES.items():
        office.daemon.cirt("source", "add", source, "--kind", "desk", "--tlp", tlp, "--pap", pap, *([] if may else ["--ask-before-notice"]))
        if not may:
            office.daemon.cirt("source", "set", source, "--contact", OWNER)
    office.daemon.cirt("source", "add", "drill-list", "--kind", "desk", "--tlp", "green", "--pap", "green", "--exercise", DRILL)


def wait_for_register(office):
    """Until the store says whose a new report is. It is told of nobody: that organisation has no contact."""
    tries = iter(range(1000))

    def attributed():
        office.daemon.send_lines([{"v": 1, "id": f"w{next(tries)}", "type": "test", "source": {"ip": "198.18.20.255"},
                                   "identifier": f"warm-{next(tries)}"}])
        office.daemon.settle()
        return office.one("SELECT count(*) FROM report WHERE identifier LIKE 'warm-%' AND organisation IS NOT NULL") != "0"

    wait_for(attributed, 60, "the register", every=0.5)


def open_office(programs, certificates, folder, stack):
    """A daemon that knows all of the world, and mail servers of everybody in it."""
    daemon = Daemon(programs, certificates)
    stack.callback(daemon.remove)
    office = Office(daemon, morning.World(), stack)
    addresses = {contact.email for _, contact in office.world.contacts()} | {*office.world.abuse.values(), *PEOPLE, OWNER}
    office.lost = {morning.UNKNOWN, morning.FULL, morning.REFUSED}
    office.post = post_office(folder, daemon, addresses, [morning.UNKNOWN], [morning.FULL], [morning.REFUSED])
    stack.callback(office.post.close)
    key = office.ours.make(OURS)
    office.theirs.take(office.ours.public(OURS))
    office.authority.issue("cirt", "cirt@cirt.example", passphrase=keyring.PASSPHRASE)
    daemon.sections["mail_out"].update({
        "server": f"smtp://127.0.0.1:{office.post.port}", "tls": "off", "from": "cirt@cirt.example", "name": "CIRT Exampleland", "timeout": "10s",
        "backoff": "200ms", "pgp_key": key, "smime_key": office.authority.digest("cirt")})
    daemon.sections["spam"] = {"trusted_hops": ["mx.cirt.example", "127.0.0.1"]}
    daemon.sections["reply"] = {"acknowledge": True}
    daemon.write_conf()
    daemon.start()
    daemon.add_sensor()
    put_keys(office)
    put_register(office)
    wait_for_register(office)
    return office
