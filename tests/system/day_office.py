"""The desk on which a day of three operators is played: who is served, who works there, what they say, and all that leaves."""
import email
import email.policy
import json
import pathlib
import shutil
import subprocess
import threading

import keyring
from case_office import CaseOffice
from harness import Daemon, Ports, wait_for
from smtp_server import SmtpServer
from test_people_mail import letter

TOP = pathlib.Path(__file__).resolve().parents[2]
OURS = "CIRT <cirt@cirt.example>"


class Day(CaseOffice):
    """The desk of the day: doors for machines and people, operators by certificate, a mail server, keys, and what the law wants."""

    def __init__(self, programs, certificates):
        self.server = SmtpServer()
        self.ports = Ports()
        self.port = self.ports.take()
        self.certificates = certificates
        self.pairs = {name: certificates.issue(f"day-{name}", f"day-{name}.test") for name in ("anna", "ben", "lea")}
        subprocess.run(["chmod", "-R", "a+rX", certificates.folder], check=True)
        self.theirs = keyring.Keyring()
        self.theirs.make(OURS)
        self.sent_ids = []
        daemon = Daemon(programs, certificates, sections={
            "desk": {"listen": [f"127.0.0.1:{self.port}"], "certificate": certificates.door[2], "key": certificates.door[3], "ca": certificates.ca[2]},
            "mail_out": {"server": f"smtp://127.0.0.1:{self.server.port}", "tls": "off", "from": "cirt@cirt.example", "name": "CIRT Exampleland",
                         "pgp_key": self.theirs.fingerprint(OURS)},
            "spam": {"trusted_hops": ["mx.cirt.example", "127.0.0.1"]}, "reply": {"tag": "CIRT-XX", "acknowledge": False},
            "keeper": {"anchor_interval": "1s", "case_cap": 500}})
        for kind in ("regimes", "playbooks"):
            shutil.copytree(TOP / "etc" / kind, daemon.folder / kind)
        daemon.sections["clocks"] = {"time_zone": "Europe/Vienna", "hours": "Mon-Sun 00:00-24:00", "regimes": daemon.folder / "regimes",
                                     "playbooks": daemon.folder / "playbooks"}
        daemon.write_conf()
        self.daemon, self.count = daemon, 0
        daemon.start()
        daemon.add_sensor()
        self.furnish()

    def furnish(self):
        """Who is served, who works here, and a partner whose word is secret."""
        org = lambda name, kind, sector, prefix, domain, *more: self.daemon.cirt(
            "org", "new", name, "--kind", kind, "--sector", sector, "--prefix", prefix, "--domain", domain, *more)
        org("Wombat Bank", "bank", "finance", "198.51.100.0/27", "wombat.example", "--brand", "wombat")
        org("Quoll Hospital", "hospital", "health", "198.51.100.64/27", "quoll.example", "--criticality", "critical")
        org("Ministry of Rain", "government", "government", "198.51.100.128/26", "rain.example")
        for name, role in (("anna", "analyst"), ("ben", "analyst"), ("lea", "lead")):
            self.daemon.cirt("operator", "new", name, "--role", role, "--certificate", self.pairs[name][2])
        self.daemon.cirt("contact", "new", "Wombat Bank", "--role", "security", "--name", "SOC", "--email", "soc@wombat.example")
        self.theirs.make("it@quoll.example", expire="2d", clock="20260101T000000!")
        self.theirs.make("duty@rain.example")
        for key in (self.theirs.public("it@quoll.example"), self.theirs.public("duty@rain.example"), self.theirs.secret(OURS)):
            self.daemon.cirt_text("key", "import", "-", stdin=key.decode(), check=False)
        self.daemon.cirt_text("key", "unlock", stdin=keyring.PASSPHRASE + "\n")
        self.daemon.cirt("contact", "new", "Ministry of Rain", "--role", "security", "--name", "Duty", "--email", "duty@rain.example",
                         "--policy", "required", "--pgp", self.theirs.fingerprint("duty@rain.example"))
        self.daemon.cirt("contact", "new", "Quoll Hospital", "--role", "security", "--name", "IT", "--email", "it@quoll.example", "--phone", "+99 555 0101",
                         "--policy", "required", "--pgp", self.theirs.fingerprint("it@quoll.example"))
        self.daemon.cirt("source", "add", "partner", "--kind", "mailbox", "--match", "partner@cirt.example", "--tlp", "red", "--trust", 90,
                         "--ask-before-notice", "--contact", "duty@partner.example")
        self.daemon.cirt("source", "add", "strict", "--kind", "desk", "--tlp", "amber+strict", "--ask-before-notice", "--contact", "duty@partner.example")
        wait_for(lambda: self.daemon.cirt("regime", "list")["items"], 60, "the regimes")
        wait_for(lambda: "partner" in self.sql("SELECT name FROM source"), 30, "the sources")

    def close(self):
        self.daemon.remove()
        self.server.close()
        self.theirs.remove()
        self.ports.release()

    def run(self, who, *arguments, stdin=None):
        """cirt as this operator, from elsewhere; the finished process."""
        pair = self.pairs[who]
        return subprocess.run([str(self.daemon.programs.cirt), "--server", f"localhost:{self.port}", "--certificate", str(pair[2]), "--key", str(pair[3]),
                               "--ca", str(self.certificates.ca[2]), *map(str, arguments)], capture_output=True, text=True, timeout=90, check=False,
                              input=stdin, env=dict(self.daemon.environment(), XDG_STATE_HOME=f"{self.daemon.folder}/state-{who}"))

    def ask(self, who, *arguments, stdin=None):
        done = self.run(who, "--json", *arguments, stdin=stdin)
        assert done.returncode == 0, (who, arguments, done.stdout, done.stderr)
        return json.loads(done.stdout)

    def at_once(self, **acts):
        """Each operator's act, begun at the same time; what each came to."""
        came, gate = {}, threading.Barrier(len(acts))

        def play(who, act):
            gate.wait(60)
            try:
                came[who] = act()
            except BaseException as error:  # the test's thread shall see it  # noqa: BLE001
                came[who] = error

        threads = [threading.Thread(target=play, args=pair) for pair in acts.items()]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join(300)
        for error in came.values():
            if isinstance(error, BaseException):
                raise error
        return came

    def write_in(self, subject, sender, ident, text, recipients=("report@cirt.example",), **fields):
        """Somebody's mail, which must be found again at the end of the day."""
        self.sent_ids.append(ident)
        self.daemon.send_mail(letter(subject, sender, ident, text=text, **fields), list(recipients), sender=sender)

    def opened(self, message):
        """Its parts as the recipient reads them: what was sealed to somebody of the day is opened with his key."""
        for part in message.walk():
            if part.is_multipart():
                continue
            data = part.get_payload(decode=True) or b""
            if b"BEGIN PGP MESSAGE" in data:
                yield from self.opened(email.message_from_bytes(self.theirs.gpg("--decrypt", stdin=data), policy=email.policy.default))
            else:
                yield data.decode("utf-8", "replace")

    def out(self):
        """Every byte that left, as sent, and as its recipient reads it: pairs of recipient and text."""
        self.hurry()
        wait_for(lambda: self.sql("SELECT count(*) FROM outbox WHERE state = 'queued'") == "0", 90, "all mails to be sent")
        parts = []
        for _, recipient, data, _ in self.server.mails:
            parts.append((recipient, data.decode("utf-8", "replace")))
            parts += [(recipient, text) for text in self.opened(email.message_from_bytes(data, policy=email.policy.default))]
        return parts
