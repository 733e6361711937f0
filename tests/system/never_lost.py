"""Feed all doors while everything is killed; then count. Used by test_never_lost.py (short) and `make soak` (long)."""
import contextlib
import json
import os
import random
import signal
import smtplib
import socket
import ssl
import threading
import time
import urllib.parse
import uuid

from harness import FeedServer, mail, wait_for

GONE = (OSError, ssl.SSLError, ConnectionError, smtplib.SMTPException, ValueError, EOFError)


class SensorSender(threading.Thread):
    """Sends lines in sessions, is cut mid-line, resumes from what the door says is durable."""

    def __init__(self, daemon, name, pair, seed, stop):
        super().__init__(daemon=True)
        self.server, self.label, self.pair, self.random, self.stop_event = daemon, name, pair, random.Random(seed), stop
        self.sessions = []  # [session, lines, acknowledged]
        self.made = 0

    def line(self):
        """Mostly a new thing; every tenth is one seen before, so that folding is counted too."""
        if self.made > 20 and self.random.random() < 0.1:
            number = self.random.randrange(20)
        else:
            number = self.made
            self.made += 1
        return json.dumps({"v": 1, "type": "infected-system", "identifier": f"{self.label}-{number}",
                           "source": {"ip": f"198.51.{100 + number % 50}.{number % 250}"}}).encode()

    def run(self):
        while not self.stop_event.is_set():
            self.sessions.append([str(uuid.uuid4()), [], 0])
            self.fill(self.sessions[-1])
            while not self.finish(self.sessions[-1]):
                time.sleep(0.1)

    def fill(self, session):
        session[1] = [self.line() for _ in range(self.random.randrange(50, 400))]

    def finish(self, session):
        """One connection; True when the whole session is acknowledged."""
        try:
            with self.server.sensor(self.pair, session[0], timeout=10) as door:
                if door.acked < session[2]:
                    raise AssertionError(f"{self.label}: acknowledged {session[2]}, after resuming only {door.acked}")
                session[2] = at = door.acked
                while at < len(session[1]):
                    size = self.random.randrange(1, 60)
                    data = b"".join(line + b"\n" for line in session[1][at:at + size])
                    if self.random.random() < 0.03:  # the cable is pulled in the middle of a line
                        door.socket.sendall(data[:max(1, len(data) - self.random.randrange(1, 40))])
                        return False
                    door.socket.sendall(data)
                    at = min(at + size, len(session[1]))
                    time.sleep(self.random.random() * 0.1)
                session[2] = door.wait_ack(len(session[1]))
                return True
        except GONE:
            return False

    def expected(self):
        """identifier → how often acknowledged"""
        counts = {}
        for _, lines, acknowledged in self.sessions:
            for line in lines[:acknowledged]:
                name = json.loads(line)["identifier"]
                counts[name] = counts.get(name, 0) + 1
        return counts


class MailSender(threading.Thread):
    """Sends each mail until it has its 250, as an MTA does."""

    def __init__(self, daemon, seed, stop):
        super().__init__(daemon=True)
        self.server, self.random, self.stop_event = daemon, random.Random(seed), stop
        self.sent = {}  # subject → attempts that may have got in
        self.acknowledged = set()

    def run(self):
        number = 0
        while not self.stop_event.is_set():
            number += 1
            word = "".join(self.random.choice("abcdefghijklmnop") for _ in range(12))
            subject = f"phish {word}"
            message = mail(subject, f"See hxxp://{word}[.]example/login on 198.51.100.{number % 250}\n" + "padding " * self.random.randrange(5000),
                           number=number)
            while subject not in self.acknowledged:
                self.sent[subject] = self.sent.get(subject, 0) + 1
                try:
                    self.server.send_mail(message)
                    self.acknowledged.add(subject)
                except (ConnectionRefusedError, smtplib.SMTPConnectError, smtplib.SMTPResponseException):
                    self.sent[subject] -= 1  # said no, or never asked: it is not in
                    time.sleep(0.1)
                except GONE:
                    time.sleep(0.1)
            time.sleep(self.random.random() * 0.2)


class TaxiiCollection:
    """A TAXII 2.1 collection that grows, paged by added_after and next."""

    PATH = "/api/collections/11111111-1111-4111-8111-111111111111/"

    def __init__(self, certificates):
        self.objects = []
        self.lock = threading.Lock()
        self.server = FeedServer(certificates, {self.PATH + "objects/": self.answer})
        self.url = self.server.url(self.PATH)

    def grow(self):
        with self.lock:
            number = len(self.objects)
            added = f"2026-11-22T{number // 3600 % 24:02d}:{number // 60 % 60:02d}:{number % 60:02d}.{number % 1000000:06d}Z"
            self.objects.append((added, {
                "type": "indicator", "spec_version": "2.1", "id": f"indicator--{uuid.uuid4()}", "created": "2026-11-20T10:00:00.000Z",
                "modified": "2026-11-20T10:00:00.000Z", "name": f"taxii {number}", "valid_from": "2026-11-20T10:00:00Z",
                "pattern": f"[domain-name:value = 'n{number}.taxii.example']", "pattern_type": "stix",
                "indicator_types": ["malicious-activity"]}))

    def answer(self, request):
        if random.random() < 0.05:
            return 503, {"Retry-After": "1"}, b""
        query = urllib.parse.parse_qs(urllib.parse.urlsplit(request.path).query)
        limit = min(int(query.get("limit", ["20"])[0]), 20)
        with self.lock:
            rows = [row for row in self.objects if row[0] > query.get("added_after", [""])[0]]
        start = int(query.get("next", ["0"])[0])
        page, more = rows[start:start + limit], len(rows) > start + limit
        headers = {"Content-Type": "application/taxii+json;version=2.1"}
        if not page:
            return 200, headers, b"{}"
        headers["X-TAXII-Date-Added-First"], headers["X-TAXII-Date-Added-Last"] = page[0][0], page[-1][0]
        body = {"more": more, "objects": [row[1] for row in page]}
        if more:
            body["next"] = str(start + limit)
        return 200, headers, json.dumps(body).encode()


class Chaos:
    """Kills rooms, PostgreSQL and the whole daemon, in an order that the seed decides."""

    ROOMS = ["intake", "spool", "triage", "store", "keeper", "desk", "exchange", "courier"]

    def __init__(self, daemon, seed):
        self.daemon, self.random, self.done = daemon, random.Random(seed), {}

    def strike(self):
        kind = self.random.choices(["room", "postgres-kill", "postgres-fast", "daemon"], [12, 1, 1, 1])[0]
        if kind == "room":
            kind = self.random.choice(self.ROOMS)
            pids = [pid for name, _, pid in self.daemon.rooms() if name == kind]
            if not pids:
                return
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.random.choice(pids), signal.SIGKILL)
        elif kind == "daemon":
            self.daemon.kill()
            wait_for(lambda: not self.daemon.rooms(), 20, "rooms to end with their supervisor")
            self.daemon.start(wait=False)
        else:
            postmaster = self.daemon.postmaster()
            if not postmaster:
                return
            with contextlib.suppress(ProcessLookupError):
                os.kill(postmaster, signal.SIGKILL if kind == "postgres-kill" else signal.SIGINT)
        self.done[kind] = self.done.get(kind, 0) + 1


def run(daemon, certificates, seed, seconds):
    """The whole test; returns what it did, for the log."""
    collection = TaxiiCollection(certificates)
    daemon.add_sensor("sensor-1", "sensor-1.test")
    daemon.add_sensor("sensor-2", "sensor-2.test")
    daemon.cirt("source", "add", "taxii-1", "--kind", "taxii", "--match", collection.url, "--tlp", "green", "--interval", 1)
    stop = threading.Event()
    sensors = [SensorSender(daemon, "one", certificates.sensor, seed, stop),
               SensorSender(daemon, "two", certificates.sensor2, seed + 1, stop)]
    mails = MailSender(daemon, seed + 2, stop)
    chaos = Chaos(daemon, seed + 3)
    for sender in (*sensors, mails):
        sender.start()
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        time.sleep(chaos.random.uniform(0.2, 1.0))
        for _ in range(5):
            collection.grow()
        chaos.strike()
    stop.set()
    for sender in (*sensors, mails):
        sender.join(180)
        assert not sender.is_alive(), f"{sender} does not get its last acknowledgement"
    daemon.wait_up()
    wanted = len(collection.objects)
    wait_for(lambda: len(daemon.reports("--source", "taxii-1")) >= wanted, 120, f"{wanted} objects of the collection", every=1)
    collection.server.close()
    ledger = daemon.settle(120)
    check(daemon, sensors, mails, wanted)
    return {"seed": seed, "struck": chaos.done, "mails": len(mails.acknowledged), "taxii": wanted,
            "lines": sum(session[2] for sensor in sensors for session in sensor.sessions), "ledger": ledger}


def check(daemon, sensors, mails, wanted):
    """Everything acknowledged is there exactly once."""
    for number, sensor in enumerate(sensors, 1):
        expected = sensor.expected()
        found = {}
        for report in daemon.reports("--source", f"sensor-{number}"):
            found[report["identifier"]] = found.get(report["identifier"], 0) + report["count"]
        wrong = {name: (count, found.get(name, 0)) for name, count in expected.items() if found.get(name, 0) != count}
        assert not wrong, f"sensor-{number}: {len(wrong)} of {len(expected)} differ (acknowledged, found): {dict(list(wrong.items())[:5])}"
    found = {}
    for report in daemon.reports("--source", "report"):
        found[report["title"]] = found.get(report["title"], 0) + report["count"]
    for subject in mails.acknowledged:
        assert 1 <= found.get(subject, 0) <= mails.sent[subject], f"mail {subject}: {found.get(subject, 0)} of {mails.sent[subject]} attempts"
    counts = [report["count"] for report in daemon.reports("--source", "taxii-1")]
    assert len(counts) == wanted and set(counts) == {1}, f"taxii: {len(counts)} reports of {wanted}, counts {sorted(set(counts))}"
