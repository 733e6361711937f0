"""Old evidence under the rules of today: what came before a rule was written is found by it, once, and nothing else changes."""
import base64
import contextlib
import datetime
import hashlib
import io
import json
import os
import pathlib
import signal
import subprocess
import tempfile
import zipfile

import pytest

import keyring
from harness import Daemon, native, wait_for

TOTALS = "SELECT (SELECT count(*) FROM report), (SELECT sum(count) FROM sighting), (SELECT count(*) FROM verdict), (SELECT count(*) FROM ledger), (SELECT count(*) FROM item)"


def letter(number, words, file=None, name="a.zip"):
    head = (f"From: citizen{number}@rescan.example\r\nTo: report@cirt.example\r\nSubject: rescan letter {number}\r\n"
            f"Message-ID: <rescan-{number}@rescan.example>\r\nDate: Sun, 22 Nov 2026 08:00:00 +0000\r\nMIME-Version: 1.0\r\n")
    if file is None:
        return f"{head}Content-Type: text/plain\r\n\r\n{words} 203.0.113.{number}\r\n"
    coded = base64.encodebytes(file).decode().replace("\n", "\r\n")
    return (f"{head}Content-Type: multipart/mixed; boundary=cut\r\n\r\n--cut\r\nContent-Type: text/plain\r\n\r\n{words}\r\n"
            f"--cut\r\nContent-Type: application/octet-stream\r\nContent-Transfer-Encoding: base64\r\n"
            f"Content-Disposition: attachment; filename=\"{name}\"\r\n\r\n{coded}--cut--\r\n")


def zipped(name, data):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr(name, data)
    return out.getvalue()


def digest(data):
    return hashlib.sha256(data).hexdigest()


@pytest.fixture(scope="module")
def desk(programs, certificates):
    daemon = Daemon(programs, certificates, sections={"triage": {"cpu": "1s", "wall": "20s"}})
    daemon.start()
    daemon.add_sensor()
    yield daemon
    daemon.remove()


@pytest.fixture
def folder():
    with tempfile.TemporaryDirectory(prefix="cirtd-r-") as path:
        yield pathlib.Path(path)


def add_rules(desk, *names, scope="text, file", text=None):
    """Each matches NAME-marker."""
    for name in names:
        (desk.rules / f"{name}.yar").write_text(
            f'rule {name} {{ meta: scope = "{scope}" strings: $a = "{text or name}-marker" condition: $a }}\n')
    desk.cirt("rules", "reload")


def as_grave(desk, name, severity):
    path = desk.rules / f"{name}.yar"
    path.write_text(path.read_text().replace("meta:", f'meta: severity = "{severity}" malware = "{name}"'))
    desk.cirt("rules", "reload")


def found(result):
    return sorted((one["rule"].split("/")[1], one["part"]) for one in result["matches"])


def by_subject(desk, number):
    return desk.psql(f"SELECT report_number(id) FROM report WHERE title = 'rescan letter {number}'")[0][0]


def now_of(desk):
    return desk.psql("SELECT to_char(now() AT TIME ZONE 'UTC', 'YYYY-MM-DD\"T\"HH24:MI:SS.US\"Z\"')")[0][0]


def test_what_came_before_the_rule_is_found_once(desk, folder):
    """A mail's words, a file in an archive that it brought, a sensor's line, a file added by hand; and nothing beside them."""
    archive = zipped("inner.bin", b"MZ\x00 quetzal-marker \x00")
    desk.send_mail(letter(1, "it says ocelot-marker here"))
    desk.send_mail(letter(2, "the file is attached", archive))
    desk.send_mail(letter(3, "nothing of the kind"))
    desk.send_lines([native(1, title="a line with tapir-marker"), native(2, title="another line")])
    desk.settle()
    desk.psql("INSERT INTO cases (title) VALUES ('rescan by hand')")
    number = desk.psql("SELECT number FROM cases WHERE title = 'rescan by hand'")[0][0]
    (folder / "disk image.bin").write_bytes(b"\x00\x01 quetzal-marker")
    desk.cirt("evidence", "add", number, folder / "disk image.bin")
    before = desk.psql(TOTALS)
    assert desk.cirt("rules", "rescan", "--since", "1h")["found"] == 0
    add_rules(desk, "ocelot", "quetzal", "tapir", scope="event, text, file")
    as_grave(desk, "tapir", "critical")
    dry = desk.cirt("rules", "rescan", "--since", "1h", "--dry-run")
    assert dry["total"] >= 6 and dry["gone"] == 0
    done = desk.cirt("rules", "rescan", "--since", "1h")
    assert done["state"] == "done" and done["pieces"] == done["total"] == dry["total"]
    assert found(done) == [("ocelot", "text"), ("quetzal", "a.zip/inner.bin"), ("quetzal", "disk image.bin"), ("tapir", "doc")]
    assert {(one["rule"].split("/")[1], one["report"]) for one in done["matches"] if one["report"] and one["rule"].endswith(("ocelot", "quetzal"))} \
        == {("ocelot", by_subject(desk, 1)), ("quetzal", by_subject(desk, 2))}
    again = desk.cirt("rules", "rescan", "--since", "1h")
    assert again["found"] == 0 and again["pieces"] == done["pieces"]
    assert desk.psql(TOTALS) == before
    # Where people look.
    shown = desk.cirt("evidence", "show", digest(archive))
    assert [(one["rule"].split("/")[1], one["part"]) for one in shown["later"]] == [("quetzal", "a.zip/inner.bin")] and shown["later"][0]["rules"] == done["rules"]
    assert desk.cirt("evidence", "show", digest(b"\x00\x01 quetzal-marker"))["later"][0]["case"] == number
    assert [one["part"] for one in desk.cirt("report", "show", by_subject(desk, 1))["later"]] == ["text"]
    lines = {one["suggested"]["why"] for one in desk.cirt("inbox", "--limit", "200")["items"]}
    assert any("a later rule matches: tapir.yar/tapir, by which it would be critical" in why for why in lines), lines
    tapir = next(one["report"] for one in done["matches"] if one["rule"].endswith("tapir"))
    assert desk.cirt("report", "show", tapir)["later"][0]["would"] == "critical" and "WOULD BE" in desk.cirt_text("report", "show", tapir).stdout
    assert desk.cirt("report", "show", tapir)["severity"] != "critical", "that is for a person to do"
    assert "would" not in {key for key, value in desk.cirt("report", "show", by_subject(desk, 1))["later"][0].items() if value}
    assert any("2 pieces of old evidence match rule" in one["text"] and "quetzal" in one["text"] for one in desk.cirt("alarm", "list")["items"])
    assert "old evidence matched" in desk.cirt_text("case", "show", number).stdout
    assert [one["action"] for one in desk.cirt("journal", f"rescan/{done['rescan']}")["items"]] == ["done", "asked"]
    text = desk.cirt_text("rules", "show", done["rescan"]).stdout
    assert "quetzal" in text and "disk image.bin" in text
    assert [one["rescan"] for one in desk.cirt("rules", "show")["items"]][:2] == [again["rescan"], done["rescan"]]
    desk.settle()


def test_what_is_asked_wrongly_is_said(desk):
    def refused(code, *arguments):
        done = desk.cirt("rules", "rescan", *arguments, check=False)
        assert done.returncode == code, done.stderr
        return done.stderr

    later = (datetime.datetime.now(datetime.timezone.utc) + datetime.timedelta(days=1)).strftime("%Y-%m-%dT%H:%M:%SZ")
    assert "since" in refused(2)
    assert "a time: 2h" in refused(2, "--since", "when the moon is full")
    assert "a time that has been" in refused(2, "--since", later)
    assert "not ahead of now" in refused(2, "--since", "1h", "--until", later)
    assert "after since" in refused(2, "--since", "1h", "--until", "2h")
    assert 'no rule "nobody" is loaded' in refused(3, "--since", "1h", "--rule", "nobody")
    assert "there is no rescan 4711" in desk.cirt("rules", "show", "4711", check=False).stderr
    assert "number of a rescan" in desk.cirt("rules", "show", "x", check=False).stderr
    assert "ended already" in desk.cirt("rules", "stop", desk.cirt("rules", "rescan", "--since", "1m")["rescan"], check=False).stderr


def test_rules_that_do_not_compile_are_named_and_the_others_look(desk):
    desk.send_mail(letter(10, "margay-marker"))
    desk.settle()
    (desk.rules / "unfinished.yar").write_text("rule unfinished { condition: maybe }\n")
    add_rules(desk, "margay")
    try:
        done = desk.cirt("rules", "rescan", "--since", "1h", "--rule", "unfinished", check=False)
        assert done.returncode == 3 and "refused: unfinished.yar" in done.stderr
        done = desk.cirt_text("--json", "rules", "rescan", "--since", "1h", "--rule", "margay.yar/margay")
        assert "unfinished.yar" in done.stderr and json.loads(done.stdout)["found"] == 1
    finally:
        (desk.rules / "unfinished.yar").unlink()


def test_only_the_rule_and_the_time_that_were_asked_for(desk):
    desk.send_mail(letter(20, "serval-marker caracal-marker"))
    desk.settle()
    since = now_of(desk)
    desk.send_mail(letter(21, "serval-marker caracal-marker"))
    desk.settle()
    add_rules(desk, "serval", "caracal")
    one = desk.cirt("rules", "rescan", "--since", since, "--rule", "serval")
    assert found(one) == [("serval", "text")] and one["matches"][0]["report"] == by_subject(desk, 21) and one["pieces"] == 1
    both = desk.cirt("rules", "rescan", "--since", since)
    assert found(both) == [("caracal", "text")]
    rest = desk.cirt("rules", "rescan", "--since", "1h", "--until", since)
    assert found(rest) == [("caracal", "text"), ("serval", "text")], rest
    assert {m["report"] for m in rest["matches"]} == {by_subject(desk, 20)}


def test_what_is_gone_is_counted(desk):
    desk.send_mail(letter(30, "ounce-marker"))
    desk.send_mail(letter(31, "ounce-marker, too"))
    desk.settle()
    desk.psql(f"DELETE FROM evidence WHERE digest = '\\x{digest(letter(30, 'ounce-marker').encode())}'"
              " OR digest IN (SELECT a.digest FROM attachment a JOIN report r ON r.id = a.report WHERE r.title = 'rescan letter 30')")
    add_rules(desk, "ounce")
    done = desk.cirt("rules", "rescan", "--since", "1h", "--rule", "ounce")
    assert done["gone"] == 1 and [one["report"] for one in done["matches"]] == [by_subject(desk, 31)]
    assert "1 files are gone" in desk.cirt_text("rules", "show", done["rescan"]).stdout


def test_what_folded_is_found_with_its_report(desk):
    """The mail came again in the time asked for; its report is of before."""
    desk.send_mail(letter(40, "kodkod-marker"))
    desk.settle()
    since = now_of(desk)
    desk.send_mail(letter(40, "kodkod-marker"))
    desk.settle()
    assert desk.psql("SELECT count(*) FROM report WHERE title = 'rescan letter 40'") == [["1"]]
    before = desk.psql(TOTALS)
    add_rules(desk, "kodkod")
    done = desk.cirt("rules", "rescan", "--since", since)
    assert done["pieces"] == 1 and [one["report"] for one in done["matches"]] == [by_subject(desk, 40)]
    assert desk.psql(TOTALS) == before


@pytest.mark.skipif(not pathlib.Path("/usr/bin/gpg").exists(), reason="GnuPG is not installed")
def test_what_was_encrypted_is_found_without_its_key(desk):
    """What was opened when it came was kept: it is looked at though the keyring is locked; with the key nothing is missing."""
    ring = keyring.Keyring()
    try:
        ring.make("CIRT <report@cirt.example>")
        desk.cirt_text("key", "import", "-", stdin=ring.secret("report@cirt.example").decode())
        desk.cirt_text("key", "unlock", stdin=keyring.PASSPHRASE + "\n")
        inside = (b"Content-Type: multipart/mixed; boundary=in\r\n\r\n--in\r\nContent-Type: text/plain\r\n\r\ntigrina-marker\r\n"
                  b"--in\r\nContent-Type: application/octet-stream\r\nContent-Disposition: attachment; filename=\"sealed.bin\"\r\n\r\n"
                  b"MZ oncilla-marker\r\n--in--\r\n")
        since = now_of(desk)
        desk.send_mail(keyring.encrypted("rescan letter 60", ring.encrypt(inside, "CIRT <report@cirt.example>")))
        desk.settle()
        desk.cirt_text("key", "lock")
        add_rules(desk, "tigrina", "oncilla")
        done = desk.cirt("rules", "rescan", "--since", since, "--rule", "tigrina")
        assert done["sealed"] == 1 and found(done) == [("tigrina", "text")]
        desk.cirt_text("key", "unlock", stdin=keyring.PASSPHRASE + "\n")
        done = desk.cirt("rules", "rescan", "--since", since, "--rule", "oncilla")
        assert done["sealed"] == 0 and found(done) == [("oncilla", "sealed.bin")]
        assert desk.cirt("rules", "rescan", "--since", since, "--rule", "tigrina")["found"] == 0
    finally:
        ring.remove()


def test_trap_09_a_piece_that_ends_workers_is_left_out(desk):
    """libyara's own limit does not hold: the kernel ends three workers, the piece is counted, the others are looked at."""
    desk.send_mail(letter(50, "a file of one letter", b"a" * 65536, "same.bin"))
    desk.send_mail(letter(51, "jaguar-marker"))
    desk.settle()
    (desk.rules / "slow.yar").write_text('rule slow { meta: scope = "file" strings: $a = /aaaa.{0,300}aaa.{0,300}b/ condition: $a }\n')
    add_rules(desk, "jaguar")
    try:
        done = desk.cirt("rules", "rescan", "--since", "1h", "--rule", "jaguar", timeout=120)
    finally:
        (desk.rules / "slow.yar").unlink()
    assert done["failed"] + done["unfinished"] >= 1
    assert by_subject(desk, 51) in {one["report"] for one in done["matches"]}
    assert desk.cirt("quarantine", "list")["items"] == []
    desk.settle()


@pytest.mark.skipif(os.getuid() != 0, reason="only root becomes somebody else")
def test_a_viewer_sees_what_was_found_and_asks_for_nothing(desk):
    desk.psql("INSERT INTO operator (name, role, uid) VALUES ('rescan-viewer', 'viewer', 41237)")

    def viewer(*arguments):
        return subprocess.run(["setpriv", "--reuid", "41237", "--regid", "nogroup", "--clear-groups", str(desk.programs.cirt), "--socket",
                               str(desk.socket), *arguments], capture_output=True, text=True, timeout=60, check=False, env=desk.environment())

    wait_for(lambda: viewer("rules", "show").returncode == 0, what="the viewer to be let in", every=0.5)
    for verb in (["rescan", "--since", "1h"], ["stop", "1"]):
        refused = viewer("rules", *verb)
        assert refused.returncode == 4 and "analyst" in refused.stderr


def send_many(desk, name, count):
    """Sensor lines, each a report of its own, in which the rule NAME matches."""
    for first in range(0, count, 400):
        desk.send_lines([native(number, title=f"{name}-marker {number}", identifier=f"{name}-{number}") for number in range(first, first + 400)])
    desk.settle()
    return count


def lots(desk, asked):
    return int(desk.psql(f"SELECT step FROM rescan WHERE id = {asked['rescan']}")[0][0])


@contextlib.contextmanager
def standing(desk, room):
    """The processes of a room stand still: it goes no further than it is."""
    pids = [pid for name, _, pid in desk.rooms() if name == room]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def test_it_is_stopped_and_keeps_what_it_found(desk):
    """With a lot under way, of which nothing is kept: the next one looks at it again."""
    count = send_many(desk, "puma", 800)
    add_rules(desk, "puma", scope="event")
    asked = desk.cirt("rules", "rescan", "--since", "1h", "--rule", "puma", "--background")
    wait_for(lambda: lots(desk, asked) > 0, what="a first lot", every=0.005)
    with standing(desk, "triage"):
        stopped = desk.cirt("rules", "stop", asked["rescan"])
    assert stopped["state"] == "stopped" and 0 < stopped["found"]
    assert [one["action"] for one in desk.cirt("journal", f"rescan/{asked['rescan']}")["items"]] == ["stopped", "asked"]
    assert any("puma" in one["text"] for one in desk.cirt("alarm", "list", "--limit", "500")["items"])
    assert desk.cirt("rules", "rescan", "--since", "1h", "--rule", "puma")["found"] + stopped["found"] == count


def test_what_is_stopped_as_the_store_takes_it_up_stays_stopped(desk):
    """The store waits for the row that is being stopped, and does not find it as it was before."""
    desk.send_mail(letter(70, "manul-marker"))
    desk.settle()
    add_rules(desk, "manul")
    stopping = desk.owner.connect()
    stopping.autocommit = False
    with standing(desk, "store"):
        asked = desk.cirt("rules", "rescan", "--since", "1h", "--rule", "manul", "--background")
        stopping.cursor().execute("SELECT rescan_stop(%s)", (asked["rescan"],))
    backend = stopping.get_backend_pid()
    wait_for(lambda: desk.psql(f"SELECT 1 FROM pg_locks WHERE NOT granted AND {backend} = ANY (pg_blocking_pids(pid))") != [], what="the store to wait")
    stopping.commit()
    stopping.close()
    assert desk.cirt("rules", "rescan", "--since", "2h", "--rule", "manul")["found"] == 1
    shown = desk.cirt("rules", "show", asked["rescan"])
    assert (shown["state"], shown["pieces"], shown["found"]) == ("stopped", 0, 0)
    assert [one["action"] for one in desk.cirt("journal", f"rescan/{asked['rescan']}")["items"]] == ["stopped", "asked"]


def test_kill_9_in_the_middle_loses_and_doubles_nothing(desk):
    """A worker, the store, then all of it; what was asked for goes on from where it was."""
    count = send_many(desk, "lynx", 1200)
    before = desk.psql(TOTALS)
    add_rules(desk, "lynx", scope="event")
    asked = desk.cirt("rules", "rescan", "--since", "1h", "--rule", "lynx", "--background")

    def step():
        return lots(desk, asked)

    for room in ("triage", "store"):
        now = step()
        wait_for(lambda: step() > now, what="the next lot")
        os.kill(next(pid for name, _, pid in desk.rooms() if name == room), signal.SIGKILL)
    now = step()
    wait_for(lambda: step() > now, what="the lot after that")
    desk.kill()
    desk.start()
    done = wait_for(lambda: (lambda r: r if r["state"] == "done" else None)(desk.cirt("rules", "show", asked["rescan"])), 90, "its end", every=0.3)
    assert (done["found"], done["pieces"], done["failed"]) == (count, done["total"], 0)
    assert desk.psql(f"SELECT count(*), count(DISTINCT report) FROM rescan_match WHERE rescan = {asked['rescan']}") == [[str(count)] * 2]
    assert desk.cirt("rules", "rescan", "--since", "1h", "--rule", "lynx")["found"] == 0
    desk.settle()
    assert desk.psql(TOTALS) == before
