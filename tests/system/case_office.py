"""A desk whose mail goes to a server of the test: cases by mail, what operators write in them, what comes back."""
import email
import email.policy
import email.utils

from harness import Daemon, wait_for
from outbox import Outbox, literal
from smtp_server import SmtpServer
from test_people_mail import letter


class CaseOffice(Outbox):
    def __init__(self, programs, certificates, **mail_out):
        self.server = SmtpServer()
        daemon = Daemon(programs, certificates, sections={
            "mail_out": {"server": f"smtp://127.0.0.1:{self.server.port}", "tls": "off", "from": "cirt@cirt.example", "name": "CIRT Exampleland", **mail_out},
            "spam": {"trusted_hops": ["mx.cirt.example", "127.0.0.1"]}, "notices": {"mass": 3}, "reply": {"tag": "CIRT-XX", "acknowledge": False}})
        super().__init__(daemon)
        daemon.start()
        daemon.add_sensor()

    def close(self):
        self.daemon.remove()
        self.server.close()

    def case(self, subject, sender, text="What is this?", **party):
        """A mail of somebody opens a case; its number. party: whom else it concerns."""
        self.daemon.send_mail(letter(subject, sender, f"{sender.replace('@', '.')}.first@x.example", text=text))
        number = wait_for(lambda: self.sql("SELECT c.number FROM cases c JOIN case_report r ON r.case_id = c.id JOIN report p ON p.id = r.report "
                                           f"WHERE p.title = {literal(subject)}"), 30, "the case")
        if party:
            self.party(number, **party)
        return number

    def party(self, number, role, contact="", organisation=None, name=""):
        self.daemon.psql("INSERT INTO party (case_id, role, organisation, name, contact) SELECT c.id, "
                         f"{literal(role)}, (SELECT id FROM organisation WHERE name = {literal(organisation)}), {literal(name)}, {literal(contact)} "
                         f"FROM cases c WHERE c.number = {literal(number)}")

    def write(self, *arguments, text="", check=True):
        """`cirt reply …` or `cirt mail …` with this text; what the desk says."""
        return self.daemon.cirt(*arguments, "--text", "-", stdin=text, check=check)

    def hurry(self):
        """What waits for its minute goes now."""
        self.daemon.psql("UPDATE outbox SET next_try = now() WHERE state = 'queued' AND bytes IS NULL")

    def sent(self, number):
        """The mail with this number as the other side gets it, and where it went."""
        self.hurry()
        state = lambda: self.sql(f"SELECT state FROM outbox WHERE number = {literal(number)}")  # noqa: E731
        wait_for(lambda: state() in ("sent", "held", "failed", "cancelled"), 60, f"{number} to be sent")
        assert state() == "sent", self.sql(f"SELECT why FROM outbox WHERE number = {literal(number)}")
        ident = self.sql(f"SELECT message_id FROM outbox WHERE number = {literal(number)}")
        found = [one for one in self.server.mails if ident.encode() in one[2]]
        assert len(found) == 1
        return email.message_from_bytes(found[0][2], policy=email.policy.default)

    def answer(self, message, text, sender=None, ident=None, subject=None):
        """Somebody presses "reply": to Reply-To, with References."""
        sender = sender or email.utils.parseaddr(message["To"])[1]
        ident = ident or f"answer-{abs(hash((message['Message-ID'], text))) % 10 ** 12}@{sender.split('@')[1]}"
        self.daemon.send_mail(letter(subject or f"Re: {message['Subject']}", sender, ident, text=text, In_Reply_To=message["Message-ID"],
                                     References=message["Message-ID"]), [email.utils.parseaddr(message["Reply-To"])[1]], sender=sender)
        return ident

    def refused(self, *arguments, text=""):
        """What cirt says where it does nothing, behind its exit code."""
        done = self.daemon.cirt_text(*arguments, stdin=text, check=False)
        assert done.returncode != 0, done.stdout
        return f"{done.returncode} {done.stderr}"
