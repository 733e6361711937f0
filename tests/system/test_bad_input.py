"""What bad input gets: a clear reason, its neighbours unharmed, nothing lost."""
import contextlib
import json
import os
import signal
import smtplib
import socket
import ssl
import subprocess
import time

import pytest
from cryptography.hazmat.primitives import hashes

from harness import mail, native, wait_for


@pytest.mark.parametrize("name,line,reason", [
    ("not-json", b"hello there", "JSON"),
    ("not-utf8", b'{"type":"scanner","source":{"ip":"203.0.113.9"},"title":"\xff\xfe"}', "UTF-8"),
    ("nul", b'{"type":"scanner","title":"a\x00b","source":{"ip":"203.0.113.9"}}', ""),
    ("unknown-type", b'{"type":"phising","source":{"ip":"203.0.113.9"}}', "phishing"),
    ("unknown-key", b'{"type":"scanner","source":{"ip":"203.0.113.9"},"colour":"red"}', "colour"),
    ("bad-address", b'{"type":"scanner","source":{"ip":"203.0.113.900"}}', "203.0.113.900"),
    ("bad-time", b'{"type":"scanner","time":"yesterday","source":{"ip":"203.0.113.9"}}', "3339"),
])
def test_bad_line_alone_is_quarantined(daemon, name, line, reason):
    """The line goes to quarantine with what was expected; the lines around it land."""
    before = daemon.settle()
    daemon.send_lines([native(1, identifier=f"before-{name}"), line, native(2, identifier=f"after-{name}")])
    after = daemon.settle()
    assert after["items"]["quarantined"] == before["items"]["quarantined"] + 1
    assert after["items"]["reports"] == before["items"]["reports"] + 2
    newest = daemon.cirt("quarantine", "list", "--limit", 1)["items"][0]
    assert reason in newest["reason"]


def test_too_long_line_is_quarantined_and_the_connection_lives(daemon):
    before = daemon.settle()
    with daemon.sensor() as sensor:
        sensor.send([native(3, identifier="short-1")])
        sensor.send([b'{"type":"scanner","text":"' + b"x" * 3_000_000 + b'"}'])
        sensor.send([native(4, identifier="short-2")])
        assert sensor.wait_ack(3) == 3
    after = daemon.settle()
    assert after["items"]["quarantined"] == before["items"]["quarantined"] + 1
    assert after["items"]["reports"] == before["items"]["reports"] + 2


def test_trap_28_endless_objects_hold_up_nobody(daemon, open_folder):
    """Millions of objects of a byte each: one item in quarantine behind the first ones, and no worker lost over it."""
    before = daemon.settle()
    path = open_folder / "zeros.json"
    path.write_bytes(b'{"type":"bundle","objects":[' + b"0," * 4_000_000 + b"0]}")
    daemon.cirt("submit", path)
    after = daemon.settle()
    assert 0 < after["items"]["quarantined"] - before["items"]["quarantined"] < 20_000
    assert all(room["restarts"] == 0 for room in daemon.cirt("status")["rooms"] if room["name"] == "triage")


def test_trap_26_silent_smtp_clients_do_not_shut_out_the_mail_server(daemon):
    """However many hold SMTP open and say nothing, from however many addresses: mail by LMTP gets through."""
    before = daemon.settle()
    silent = []
    try:
        # One address gets a part of the sessions, SMTP as a whole another.
        for count, host in ((100, 2), (50, 3), (50, 4), (50, 5)):
            for _ in range(count):
                silent.append(socket.create_connection(("127.0.0.1", daemon.smtp_port), timeout=10, source_address=(f"127.0.0.{host}", 0)))
        greetings = [one.recv(3) for one in silent]
        assert greetings[:100].count(b"220") == 50 and greetings[:100].count(b"421") == 50
        assert greetings.count(b"220") == 150 and greetings.count(b"421") == 100
        daemon.send_mail(mail(subject="past the silent ones"))
    finally:
        for one in silent:
            one.close()
    after = daemon.settle()
    assert after["items"]["found"] == before["items"]["found"] + 1

    def by_smtp():
        with contextlib.suppress(smtplib.SMTPConnectError):
            return daemon.send_mail(mail(subject="and by SMTP again"), smtp=True)
        return None

    wait_for(by_smtp, 30, "SMTP to have room again")


def test_half_a_line_is_not_acknowledged_and_not_landed(daemon):
    before = daemon.settle()
    with daemon.sensor() as sensor:
        sensor.send([native(5, identifier="whole")])
        assert sensor.wait_ack(1) == 1
        sensor.socket.sendall(b'{"type":"scanner","sour')
    after = daemon.settle()
    assert after["items"]["found"] == before["items"]["found"] + 1


def test_truncated_mail_is_parsed_as_far_as_it_goes(daemon):
    whole = (b"From: a@mail.example\r\nTo: report@cirt.example\r\nSubject: cut short\r\nMIME-Version: 1.0\r\n"
             b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nSee 203.0.113.77\r\n'
             b"--b\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n\r\nAAAA")
    daemon.send_mail(whole)
    daemon.settle()
    assert [one for one in daemon.reports("--source", "report") if one["title"] == "cut short"]


def test_trap_28_group_address_of_600_kb_kills_nothing(daemon):
    """A To: header of 600 KB overflows the stack of a MIME library that is not fenced."""
    restarts = {room["instance"]: room["restarts"] for room in daemon.cirt("status")["rooms"] if room["name"] == "triage"}
    daemon.send_mail(b"From: a@mail.example\r\nTo: g:" + b"a@b," * 150_000 + b"c@d;\r\nSubject: group\r\n\r\nSee 203.0.113.78\r\n")
    daemon.settle()
    assert restarts == {room["instance"]: room["restarts"] for room in daemon.cirt("status")["rooms"] if room["name"] == "triage"}


def is_refused(daemon, context):
    with pytest.raises(OSError):
        raw = socket.create_connection(("127.0.0.1", daemon.sensor_port), timeout=20)
        with context.wrap_socket(raw, server_hostname="localhost") as door:
            door.sendall(b'{"type":"scanner","source":{"ip":"203.0.113.1"}}\n')
            if door.recv(100) == b"":
                raise ConnectionError


@pytest.mark.parametrize("kind", ["none", "wrong", "expired", "unmapped"])
def test_bad_client_certificate_is_refused_logged_and_counted(daemon, certificates, kind):
    pair = None if kind == "none" else getattr(certificates, kind)

    def count():
        intake = [room for room in daemon.cirt("status")["rooms"] if room["name"] == "intake"][0]
        return sum(value for name, value in intake["counters"].items() if "refused" in name)

    before = count()
    is_refused(daemon, certificates.client_context(pair))
    wait_for(lambda: count() > before, 15, "the refusal to be counted", every=0.3)
    if kind in ("wrong", "expired", "unmapped"):
        fingerprint = pair[0].fingerprint(hashes.SHA256()).hex()
        wait_for(lambda: fingerprint in daemon.log_text(), 10, f"the fingerprint of the {kind} certificate in the log")


def test_disabled_source_is_cut_off(daemon, certificates):
    daemon.cirt("source", "add", "sensor-2", "--kind", "sensor", "--match", "san:sensor-2.test")
    with daemon.sensor(certificates.sensor2) as sensor:
        sensor.send([native(1)])
        sensor.wait_ack(1)
        daemon.cirt("source", "disable", "sensor-2")
        with pytest.raises((OSError, ConnectionError)):
            for _ in range(100):
                sensor.send([native(2)])
                sensor.read_ack()
                time.sleep(0.1)


def test_unknown_recipient_is_refused(daemon):
    with pytest.raises(smtplib.SMTPResponseException) as refusal:
        daemon.send_mail(mail(), recipients=["nobody-here@other.example"])
    assert refusal.value.smtp_code == 550


def test_smtp_takes_mail_too(daemon):
    daemon.send_mail(mail("By SMTP", number=77), smtp=True)
    daemon.settle()
    assert [one for one in daemon.reports("--source", "report") if one["title"] == "By SMTP"]


@pytest.mark.parametrize("kind,text", [("crash", "CIRTD-TEST-CRASH"), ("hang", "CIRTD-TEST-HANG")])
def test_trap_09_poison_costs_its_own_item(make_daemon, kind, text):
    """A plugin that crashes or hangs: that line alone is quarantined, with the plugin's name; its neighbours land."""
    daemon = make_daemon(plugins=("netinfo", kind), sections={"triage": {"cpu": "2s", "wall": "4s"}}).start()
    daemon.add_sensor()
    lines = [native(number, identifier=f"near-{number}") for number in range(10)]
    lines[4] = native(4, identifier="poison", title=f"a title with {text} in it", text=text)
    daemon.send_lines(lines)
    ledger = daemon.settle(120)
    landed = {report["identifier"] for report in daemon.reports("--source", "sensor-1")}
    assert {f"near-{number}" for number in range(10) if number != 4} <= landed
    rows = daemon.cirt("quarantine", "list")["items"]
    if "poison" in landed:  # landed with the plugin left out, and says so
        report = [one for one in daemon.reports("--source", "sensor-1") if one["identifier"] == "poison"][0]
        assert kind in json.dumps(daemon.cirt("report", "show", report["id"]))
    else:
        assert ledger["items"]["quarantined"] == 1 and kind in json.dumps(rows)


def test_rule_that_does_not_compile_is_refused_with_file_and_line(daemon):
    (daemon.rules / "broken.yar").write_text('rule broken {\n  strings:\n    $a = "x\n  condition: $a\n}\n')
    checked = daemon.cirt_text("--json", "rules", "check", check=False)
    assert "broken.yar" in checked.stdout and "3" in checked.stdout
    daemon.cirt_text("--json", "rules", "reload", check=False)
    wait_for(lambda: "broken.yar" in daemon.log_text(), 60, "the refusal in the log", every=0.3)
    daemon.send_lines([native(6, identifier="after-broken-rule")])
    daemon.settle()
    (daemon.rules / "broken.yar").unlink()


@pytest.mark.parametrize("text,line,expected", [
    ("spool { size = lots }", 2, "size"),
    ("triage { workers = 0 }", 2, "workers"),
    ("lmpt { listen = {} }", 2, "lmtp"),
    ("sandbox = loose", 2, "strict"),
])
def test_configuration_mistake_names_file_line_and_what_was_expected(programs, tmp_path, text, line, expected):
    path = tmp_path / "cirtd.conf"
    path.write_text(f"# a mistake below\n{text}\n")
    done = subprocess.run([str(programs.cirtd), "-c", str(path), "-t"], capture_output=True, text=True, check=False)
    assert done.returncode == 2
    assert f"cirtd.conf:{line}:" in done.stderr + done.stdout and expected in done.stderr + done.stdout


def test_no_database_doors_stay_open(make_daemon):
    """PostgreSQL is stopped: mail and lines are taken, status says so, and all lands when it is back."""
    daemon = make_daemon().start()
    daemon.add_sensor()
    daemon.settle()
    postmaster = daemon.postmaster()
    os.kill(postmaster, signal.SIGSTOP)
    try:
        daemon.send_lines([native(number, identifier=f"away-{number}") for number in range(20)])
        daemon.send_mail(mail("While it was away", number=5))
    finally:
        os.kill(postmaster, signal.SIGCONT)
    os.kill(postmaster, signal.SIGKILL)
    wait_for(lambda: not daemon.cirt("status")["database"]["up"] or daemon.postmaster() != postmaster, 30, "status to say so", every=0.1)
    daemon.send_lines([native(number, identifier=f"away-{number}") for number in range(20, 40)])
    wait_for(lambda: daemon.cirt("status")["database"]["up"], 60, "the database to come back", every=0.3)
    daemon.settle(90)
    names = {report["identifier"] for report in daemon.reports("--source", "sensor-1")}
    assert {f"away-{number}" for number in range(40)} <= names


def postgres_processes(daemon):
    """The postmaster and its children: those that serve a connection go on when only it is stopped."""
    postmaster = daemon.postmaster()
    children = subprocess.run(["ps", "-o", "pid=", "--ppid", str(postmaster)], capture_output=True, text=True, check=True)
    return [postmaster] + [int(pid) for pid in children.stdout.split()]


def test_trap_06_full_spool_says_452_and_recovers(make_daemon):
    """Spool full while the database is away: 452 for mail, the sensor is not read, nothing is lost, and it empties again."""
    daemon = make_daemon(sections={"spool": {"size": "16M"}}).start()
    daemon.add_sensor()
    daemon.settle()
    postgres = postgres_processes(daemon)
    for pid in postgres:
        os.kill(pid, signal.SIGSTOP)
    accepted = 0
    try:
        with pytest.raises(smtplib.SMTPResponseException) as refusal:
            for number in range(200):
                daemon.send_mail(mail(f"filler {number}", "y" * 200_000, number=number))
                accepted += 1
        assert refusal.value.smtp_code == 452
        sensor = daemon.sensor()
        sensor.send([native(1, identifier="waits")])
        sensor.socket.settimeout(2)
        with pytest.raises((socket.timeout, ssl.SSLError)):
            sensor.read_ack()
    finally:
        for pid in postgres:
            os.kill(pid, signal.SIGCONT)
    assert 40 < accepted < 90
    sensor.socket.settimeout(60)
    assert sensor.wait_ack(1) == 1
    ledger = daemon.settle(120)
    assert ledger["entries"]["received"] == accepted + 1
    daemon.send_mail(mail("After the flood", number=999))
    daemon.settle()


def test_second_daemon_on_one_state_folder_is_refused(make_daemon):
    daemon = make_daemon().start()
    done = subprocess.run(daemon.command(), capture_output=True, text=True, timeout=30, check=False, env=daemon.environment())
    assert done.returncode != 0 and "another" in done.stderr + done.stdout


def test_rooms_have_users_of_their_own_when_started_as_root(make_daemon):
    """As root no room and no PostgreSQL runs as root, and each room has its own user."""
    if os.getuid() != 0:
        pytest.skip("needs root")
    daemon = make_daemon(as_root=True).start()
    users = {}
    for name, _, pid in daemon.rooms():
        users.setdefault(name, set()).add(os.stat(f"/proc/{pid}").st_uid)
    assert len(users) >= 7
    assert all(0 not in owners for owners in users.values())
    assert len(set().union(*users.values())) == len(users)
    assert os.stat(f"/proc/{daemon.postmaster()}").st_uid not in (0, *set().union(*users.values()))
    daemon.add_sensor()
    daemon.send_lines([native(1)])
    daemon.settle()


SMUGGLING = [b"\n.\n", b"\n.\r\n", b"\r.\r\n", b"\r\n.\n", b"\r\n.\r", b"\r\n\0.\r\n", b"\r\n.\0\r\n", b"\r.\r", b"\n.\r"]


@pytest.mark.parametrize("form", SMUGGLING, ids=repr)
@pytest.mark.parametrize("lmtp", [True, False], ids=["lmtp", "smtp"])
def test_smuggled_mail_is_refused(daemon, lmtp, form):
    """A dot between odd line ends, and pipelined commands behind it: 554 at the real end, no second mail, and the next one is taken."""
    before = daemon.settle()
    envelope = b"MAIL FROM:<a@mail.example>\r\nRCPT TO:<report@cirt.example>\r\nDATA\r\n"
    with socket.create_connection(("127.0.0.1", daemon.lmtp_port if lmtp else daemon.smtp_port), timeout=60) as door:
        door.sendall((b"LHLO" if lmtp else b"EHLO") + b" a.example\r\n" + envelope + b"Subject: one\r\n\r\ntext" + form +
                     envelope + b"Subject: smuggled\r\n\r\ntext\r\n.\r\n" +
                     envelope + b"Subject: next\r\n\r\ntext\r\n.\r\nQUIT\r\n")
        replies = b"".join(iter(lambda: door.recv(65536), b"")).decode().splitlines()
    codes = [line[:3] for line in replies if line[3:4] == " "]
    assert codes == ["220", "250", "250", "250", "354", "554", "250", "250", "354", "250", "221"]
    after = daemon.settle()
    assert after["entries"]["received"] == before["entries"]["received"] + 1
