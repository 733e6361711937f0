"""cirt submit: two at once, maildirs as they are, files with something in front, what is too long."""
import base64
import hashlib
import json
import os
import selectors
import signal
import socket
import subprocess
import time

import pytest

from harness import Daemon, native, wait_for

FROM = "From a@archive.example Mon Nov 23 08:00:00 2026\n"


@pytest.fixture(scope="module")
def desk(programs, certificates):
    daemon = Daemon(programs, certificates).start()
    yield daemon
    daemon.remove()


def letter(name, number):
    return (f"From: {name}{number}@archive.example\nMessage-ID: <{number}@{name}.example>\nSubject: {name} {number}\n\n"
            f"Seen: 10.{len(name)}.{number >> 8 & 255}.{number & 255}\n")


def mbox(name, count):
    return "".join(FROM + letter(name, number) + "\n" for number in range(count))


def started(desk, *arguments):
    return subprocess.Popen([str(desk.programs.cirt), "--socket", str(desk.socket), "submit", *map(str, arguments)],
                            env=desk.environment(), stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)


def titles(desk, name):
    return [row[0] for row in desk.psql(f"SELECT title FROM cirt.report WHERE title LIKE '{name} %'")]


def test_trap_01_two_who_submit_one_file_double_nothing(desk, open_folder):
    """Whoever is second is told who is first, waits, and has nothing left to do; a third goes on where a killed first stopped."""
    path = open_folder / "both.mbox"
    path.write_text(mbox("both", 400))
    before = desk.settle()["entries"]["received"]
    spool = desk.room_pid("spool")
    os.kill(spool, signal.SIGSTOP)
    try:
        clients = [started(desk, path) for _ in range(3)]
        readers = selectors.DefaultSelector()
        for client in clients:
            readers.register(client.stderr, selectors.EVENT_READ, client)
        waiting = set()
        while len(waiting) < 2:
            told = readers.select(30)
            assert told, "nobody was told"
            for key, _ in told:
                line = key.fileobj.readline()
                assert "is being taken in by" in line and "waits" in line, line
                waiting.add(key.data)
                readers.unregister(key.fileobj)
    finally:
        os.kill(spool, signal.SIGCONT)
    first = next(client for client in clients if client not in waiting)
    second, third = waiting
    wait_for(lambda: first.poll() is not None or desk.cirt("ledger")["entries"]["received"] > before, 60, "the first mails", every=0.01)
    first.kill()
    ended = [client.communicate(timeout=120) + (client.returncode,) for client in (second, third)]
    assert [code for _, _, code in ended] == [0, 0], ended
    first.communicate()
    assert any("taken in before" in out for out, _, _ in ended), ended
    assert desk.settle()["entries"]["received"] == before + 400
    assert len(titles(desk, "both")) == len(set(titles(desk, "both"))) == 400


def break_off(desk, name, data, first):
    """Submit as far as `first`, have that taken in, and go away in the middle of the rest."""
    digest = hashlib.sha256(data).hexdigest()
    with socket.socket(socket.AF_UNIX) as client:
        client.connect(str(desk.socket))
        client.settimeout(30)
        reader = client.makefile("rb")

        def say(method, params, **more):
            client.sendall(json.dumps({"jsonrpc": "2.0", "method": method, "params": params, **more}).encode() + b"\n")

        say("submit", {"name": name, "size": len(data), "digest": digest}, id=7)
        assert json.loads(reader.readline())["method"] == "submit.ready"
        say("submit.data", {"submit": 7, "data": base64.b64encode(data[:first]).decode()})
        say("submit.piece", {"submit": 7, "offset": first})
        told = json.loads(reader.readline())
        assert told["method"] == "submit.progress" and told["params"]["offset"] == first, told
        say("submit.data", {"submit": 7, "data": base64.b64encode(data[first:first + 50]).decode()})
        reader.close()
    return digest


def test_what_was_broken_off_is_told(desk, open_folder):
    """Counted, in the log, and in the journal: how much of which file was taken in, and from whom."""
    path = open_folder / "half.mbox"
    data = mbox("half", 3).encode()
    path.write_bytes(data)
    first = data.index(b"\nFrom a@", 1) + 1
    digest = break_off(desk, "half.mbox", data, first)
    rows = wait_for(lambda: [one for one in desk.cirt("journal", f"submission/{digest}")["items"] if one["action"] == "broken off"], 30, "the row")
    said = json.loads(desk.psql(f"SELECT after FROM cirt.journal WHERE object = 'submission/{digest}'")[0][0])
    assert len(rows) == 1 and rows[0]["actor"] == desk.cirt("whoami")["operator"] and (said["taken"], said["bytes"], said["entries"]) == (first, len(data), 1)
    assert f"a submission was broken off: {first} of {len(data)} bytes" in desk.log_text()
    # It goes on where it stopped, and then all of it is there.
    assert desk.cirt_text("submit", path).returncode == 0
    desk.settle()
    assert sorted(titles(desk, "half")) == ["half 0", "half 1", "half 2"]
    assert [one["action"] for one in desk.cirt("journal", f"submission/{digest}")["items"]] == ["submit", "broken off"]


def test_what_was_broken_off_and_cannot_be_told_is_logged(desk):
    """The journal does not take it: the desk says so in its log, and goes on."""
    data, was = mbox("gone", 3).encode(), desk.room_pid("desk")
    desk.psql("ALTER TABLE cirt.journal ADD CONSTRAINT deaf CHECK (action <> 'broken off') NOT VALID")
    try:
        break_off(desk, "gone.mbox", data, data.index(b"\nFrom a@", 1) + 1)
        wait_for(lambda: "the journal was not told" in desk.log_text(), 30, "the line in the log")
    finally:
        desk.psql("ALTER TABLE cirt.journal DROP CONSTRAINT deaf")
    assert desk.cirt("whoami")["operator"] and desk.room_pid("desk") == was


def test_half_a_line_and_half_a_mail_are_counted(desk):
    """Nothing of them is taken in, which whoever sent them knows; that they came, operators know."""
    desk.add_sensor()

    def counted(name):
        return sum(room["counters"].get(name, 0) for room in desk.cirt("status")["rooms"])
    with desk.sensor() as sensor:
        sensor.send([native(1, identifier="whole-line")])
        sensor.wait_ack(1)
        sensor.socket.sendall(b'{"v":1,"type":"half')
        time.sleep(0.2)
    with socket.create_connection(("127.0.0.1", desk.lmtp_port), timeout=30) as half:
        half.recv(1000)
        for words in (b"LHLO x\r\n", b"MAIL FROM:<a@b.example>\r\n", b"RCPT TO:<report@cirt.example>\r\n", b"DATA\r\n"):
            half.sendall(words)
            half.recv(1000)
        half.sendall(b"Subject: half of it\r\n")
    wait_for(lambda: counted("lines_broken") == 1 and counted("mails_broken") == 1, 30, "the counters")
    assert "a connection ended with what is not whole behind 1 lines: 19 bytes are not taken in" in desk.log_text()
    assert "connection lost with a mail on its way" in desk.log_text()


def test_trap_01_two_who_submit_one_maildir_double_nothing(desk, open_folder):
    box = open_folder / "twice"
    for part in ("new", "cur", "tmp"):
        (box / part).mkdir(parents=True)
    for number in range(60):
        (box / "new" / f"{1795000000 + number}.M1.host").write_text(letter("folder", number))
    before = desk.settle()["entries"]["received"]
    clients = [started(desk, box), started(desk, box)]
    ended = [client.communicate(timeout=120) + (client.returncode,) for client in clients]
    assert [code for _, _, code in ended] == [0, 0], ended
    assert desk.settle()["entries"]["received"] == before + 60


def test_maildir_links_are_not_followed_and_inner_folders_are_told(desk, open_folder):
    secret = open_folder / "secret.eml"
    secret.write_text(letter("secret", 1))
    box = open_folder / "plusplus"
    for folder in (box, box / ".Sent", box / ".INBOX.cases", open_folder / "elsewhere"):
        for part in ("new", "cur", "tmp"):
            (folder / part).mkdir(parents=True)
    (box / ".index").mkdir()
    (box / "new/1795000001.M1.host").write_text(letter("plus", 1))
    (box / ".Sent/cur/1795000000.M1.host:2,S").write_text(letter("plus", 0))
    (box / ".INBOX.cases/new/1795000002.M1.host").write_text(letter("plus", 2))
    (box / "new/1795000003.M1.host").symlink_to(secret)
    (open_folder / "elsewhere/new/1795000004.M1.host").write_text(letter("secret", 2))
    (box / ".Linked").symlink_to(open_folder / "elsewhere")
    shown = desk.cirt_text("submit", box, check=False)
    assert shown.returncode == 1 and "1795000003.M1.host: is a link: not followed" in shown.stderr
    assert "folders in it are left out: .INBOX.cases, .Sent; --folders takes them in too" in shown.stderr
    assert "links are not followed:" in shown.stderr and ".Linked" in shown.stderr
    assert "1 mails taken in, 0 were taken in before, 1 failed" in shown.stdout
    desk.settle()
    assert titles(desk, "plus") == ["plus 1"]
    shown = desk.cirt_text("submit", box, "--folders", check=False)
    assert "2 mails taken in, 1 were taken in before, 1 failed" in shown.stdout and "left out" not in shown.stderr
    desk.settle()
    assert sorted(titles(desk, "plus")) == ["plus 0", "plus 1", "plus 2"] and titles(desk, "secret") == []
    assert desk.cirt("submit", secret)["items"][0]["entries"]


@pytest.mark.parametrize("name,lead", [("mark", "\ufeff"), ("blank", "\n\n"), ("crlf", "\ufeff\r\n")])
def test_what_stands_in_front_of_a_file(desk, open_folder, name, lead):
    """A byte order mark and empty lines in front of an mbox; mails in it without an empty line between them."""
    path = open_folder / f"{name}.mbox"
    path.write_text(lead + mbox(name, 2) + (FROM + letter(name, 2)).rstrip("\n") + "\n" + FROM + letter(name, 3))
    assert len(desk.cirt("submit", path)["items"][0]["entries"]) == 4
    desk.settle()
    assert sorted(titles(desk, name)) == [f"{name} {number}" for number in range(4)]


def test_a_mail_with_a_byte_order_mark(desk, open_folder):
    path = open_folder / "one.eml"
    path.write_text("\ufeff" + letter("bom", 1))
    before = desk.settle()["items"]
    desk.cirt("submit", path)
    assert desk.settle()["items"]["quarantined"] == before["quarantined"]
    assert titles(desk, "bom") == ["bom 1"]


def test_what_is_too_long_is_told_and_left_out(desk, open_folder):
    """The mails around one that no entry can hold are taken in; so is nothing of a file that is too long as a whole."""
    path = open_folder / "long.mbox"
    with open(path, "w") as out:
        out.write(mbox("long", 1) + FROM + letter("long", 1))
        for _ in range(257):
            out.write(("x" * 1023 + "\n") * 1024)
        out.write("\n" + FROM + letter("long", 2))
    shown = desk.cirt_text("--json", "submit", path, check=False, timeout=300)
    assert shown.returncode == 1 and "at most 268435456: left out" in shown.stderr, shown.stderr
    assert '"left_out":1' in shown.stdout.replace(" ", "")
    desk.settle()
    assert sorted(titles(desk, "long")) == ["long 0", "long 2"]
    again = desk.cirt_text("submit", path, check=False, timeout=300)
    assert "taken in before" in again.stdout and again.returncode == 0
