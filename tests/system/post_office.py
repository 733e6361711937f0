"""The mail servers of everybody else: a real Postfix where there can be one, else one of our own that plays it. Both give mailboxes,
refuse and return what they are told to, and hand over to the desk what others write."""
import os
import pathlib
import smtplib

from postfix import Postfix, why_not
from smtp_server import SmtpServer

OUR_DOMAIN = "cirt.example"
MAIN = """
mynetworks = 127.0.0.0/8
smtpd_recipient_restrictions = check_recipient_access texthash:{folder}/etc/refused, permit_mynetworks, reject
smtpd_reject_unlisted_recipient = no
relay_domains = cirt.example
transport_maps = texthash:{folder}/etc/transport
virtual_mailbox_domains = {folder}/etc/domains
virtual_mailbox_base = {folder}/mail
virtual_mailbox_maps = texthash:{folder}/etc/mailboxes
virtual_uid_maps = static:65534
virtual_gid_maps = static:65534
virtual_mailbox_limit = 0
mailbox_size_limit = 0
message_size_limit = 52428800
"""
# What delivery writes above a mail.
TRACES = (b"return-path:", b"x-original-to:", b"delivered-to:", b"received:", b" ", b"\t")


class PostfixOffice:
    """unknown: their server takes what is for them and finds nobody. full: their boxes are. refused: told so at once."""

    def __init__(self, folder, daemon, addresses, unknown, full, refused):
        self.mails = []
        self._seen = set()
        self.boxes = folder / "mail"
        self.boxes.mkdir()
        os.chown(self.boxes, 65534, 65534)
        self.over_quota = set(full)
        known = set(addresses) - set(unknown)
        self.postfix = Postfix(folder, daemon, MAIN.format(folder=folder), files={
            "domains": "\n".join(sorted({one.split("@")[1] for one in addresses})) + "\n",
            "mailboxes": "".join(f"{one} {one}/\n" for one in sorted(known)),
            "refused": "".join(f"{one} 550 5.1.1 no such user here\n" for one in refused),
            "transport": self._transport(daemon)})
        self.port = self.postfix.port
        self.daemon = daemon

    def _transport(self, daemon):
        return f"{OUR_DOMAIN} lmtp:inet:127.0.0.1:{daemon.lmtp_port}\n" + "".join(
            f"{one} error:5.2.2 mailbox full\n" for one in sorted(self.over_quota))

    def arrived(self):
        """[(sender of the envelope, recipient, bytes)] of all mailboxes, in the order in which they were found there."""
        fresh = [path for path in self.boxes.glob("*/new/*") if path not in self._seen]
        for path in sorted(fresh, key=lambda one: one.name):
            self._seen.add(path)
            self.mails.append(self._read(path))
        return self.mails

    @staticmethod
    def _read(path):
        lines = path.read_bytes().split(b"\n")
        sender = next(line.split(b"<")[1].split(b">")[0].decode() for line in lines if line.lower().startswith(b"return-path:"))
        first = next(n for n, line in enumerate(lines) if not line.lower().startswith(TRACES))
        return sender, path.parent.parent.name, b"\r\n".join(lines[first:])

    def empty_box(self, address):
        self.over_quota.discard(address)
        self.postfix.write("transport", self._transport(self.daemon))
        self.postfix.reload()

    def send(self, message, to, sender):
        with smtplib.SMTP("127.0.0.1", self.port, timeout=60) as door:
            door.sendmail(sender, [to], message)

    def returned(self):
        """Postfix sends back by itself what it could not deliver."""

    def close(self):
        self.postfix.stop()


class PlayedOffice:
    """As above without Postfix: what comes back is made here (RFC 3464)."""

    def __init__(self, _, daemon, __, unknown, full, refused):
        self.server = SmtpServer()
        self.server.refused = set(refused)
        self.port, self.daemon = self.server.port, daemon
        self.unknown, self.over_quota = set(unknown), set(full)
        self.mails = []
        self._read = 0
        self._back = []

    def arrived(self):
        taken = self.server.taken()
        for sender, recipient, data, _ in taken[self._read:]:
            status = "5.1.1 no such user" if recipient in self.unknown else "5.2.2 mailbox full" if recipient in self.over_quota else ""
            if status:
                self._back.append((sender, recipient, data, status))
            else:
                self.mails.append((sender, recipient, data))
        self._read = len(taken)
        return self.mails

    def empty_box(self, address):
        self.over_quota.discard(address)

    def send(self, message, to, sender):
        self.daemon.send_mail(message, [to], sender=sender)

    def returned(self):
        self.arrived()
        for n, (sender, recipient, data, status) in enumerate(self._back):
            ident = next(line for line in data.split(b"\r\n") if line.lower().startswith(b"message-id:")).decode()
            code, words = status.split(" ", 1)
            self.daemon.send_mail(
                f"From: MAILER-DAEMON@mx.example\r\nTo: {sender}\r\nSubject: Undelivered Mail Returned to Sender\r\n"
                f"Message-ID: <returned-{n}@mx.example>\r\nDate: Tue, 24 Nov 2026 07:10:00 +0000\r\nMIME-Version: 1.0\r\n"
                'Auto-Submitted: auto-replied\r\nContent-Type: multipart/report; report-type=delivery-status; boundary="b"\r\n\r\n'
                f"--b\r\nContent-Type: text/plain\r\n\r\nI am sorry.\r\n--b\r\nContent-Type: message/delivery-status\r\n\r\n"
                f"Reporting-MTA: dns; mx.example\r\n\r\nFinal-Recipient: rfc822; {recipient}\r\nAction: failed\r\nStatus: {code}\r\n"
                f"Diagnostic-Code: smtp; 550 {code} {words}\r\n\r\n--b\r\nContent-Type: text/rfc822-headers\r\n\r\n{ident}\r\n\r\n--b--\r\n",
                [sender], sender="")
        self._back = []

    def close(self):
        self.server.close()


def post_office(folder, daemon, addresses, unknown=(), full=(), refused=()):
    kind = PlayedOffice if why_not() or "CIRTD_NO_POSTFIX" in os.environ else PostfixOffice
    return kind(pathlib.Path(folder), daemon, addresses, unknown, full, refused)
