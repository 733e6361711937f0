"""The sensor client: files that grow and rotate, doors that are killed, each line exactly once."""
import json
import os
import pathlib
import random
import re
import shutil
import signal
import subprocess
import threading
import time

import pytest

from harness import native, wait_for

TOP = pathlib.Path(__file__).resolve().parents[2]


def command(daemon, file, *options, pair=None):
    pair = pair or daemon.certificates.sensor
    return [str(daemon.programs.cirt_sensor), "--certificate", str(pair[2]), "--key", str(pair[3]), "--ca", str(daemon.certificates.ca[2]),
            "--retry", "1", *options, f"localhost:{daemon.sensor_port}", str(file)]


class Client:
    """cirt-sensor at work."""

    def __init__(self, daemon, file, *options):
        self.line = command(daemon, file, *options)
        self.environment = daemon.environment()
        self.log = open(f"{file}.log", "ab")
        self.process = None

    def start(self):
        self.process = subprocess.Popen(self.line, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log, env=self.environment)
        return self

    def end(self, number=signal.SIGTERM):
        self.process.send_signal(number)
        return self.process.wait(30)

    def __enter__(self):
        return self.start()

    def __exit__(self, *_):
        if self.process.poll() is None:
            self.end()
        self.log.close()


def once(daemon, file, *options, pair=None):
    return subprocess.run(command(daemon, file, "--once", *options, pair=pair), capture_output=True, text=True, timeout=120,
                          env=daemon.environment())


def line(number):
    return json.dumps(native(number, id=f"n-{number}", identifier=f"n-{number}")).encode() + b"\n"


def items(daemon):
    return daemon.settle()["items"]


def gained(daemon, before):
    return {name: count - before[name] for name, count in items(daemon).items()}


def found(daemon):
    return daemon.cirt("ledger")["items"]["found"]


@pytest.fixture
def file(tmp_path):
    return tmp_path / "eve.json"


def test_once_sends_all_and_ends(daemon, file):
    """Twice the same file is once; what is added is sent; a last line without its end too."""
    before = items(daemon)
    file.write_bytes(b"".join(map(line, range(3000))) + line(3000).rstrip())
    assert once(daemon, file).returncode == 0
    assert gained(daemon, before)["reports"] == 3001
    assert once(daemon, file).returncode == 0
    with open(file, "ab") as out:
        out.write(b"\n" + line(3001))
    assert once(daemon, file).returncode == 0
    got = gained(daemon, before)
    assert got["reports"] == 3002 and got["found"] == 3002, got


def test_no_door_and_no_right(daemon, file, certificates):
    """Who is not let in is told why, gives up after its time, and has lost nothing."""
    file.write_bytes(line(10000))
    refused = once(daemon, file, "--timeout", "2", pair=certificates.unmapped)
    assert refused.returncode == 1 and "given up" in refused.stderr
    wrong = once(daemon, file, "--timeout", "2", "--name", "other.example")
    assert wrong.returncode == 1 and "hostname mismatch" in wrong.stderr.lower()
    before = items(daemon)
    assert once(daemon, file).returncode == 0
    assert gained(daemon, before)["found"] == 1


@pytest.mark.parametrize("address,name,options,code,told", [
    ("localhost:99999", "there", [], 2, "a port of 1 to 65535"),
    ("localhost:0", "there", [], 2, "a port of 1 to 65535"),
    ("localhost:-1", "there", ["--timeout", "1"], 1, "-1"),
    ("localhost:", "there", [], 2, "HOST:PORT"),
    ("localhost", "there", [], 2, "HOST:PORT"),
    (":6514", "there", [], 2, "HOST:PORT"),
    ("::1:6514", "there", [], 2, "[ADDRESS]:PORT"),
    ("localhost:1", "there", ["--timeout", "x"], 2, "whole number of seconds"),
    ("localhost:1", "there", ["--retry", "0"], 2, "whole number of seconds"),
    ("localhost:1", "there", ["--nonsense"], 2, "nonsense"),
    ("localhost:1", "there", ["--certificate", "/nonexistent.pem"], 1, "certificate /nonexistent.pem"),
    ("localhost:1", "there", ["--timeout", "1"], 1, "Connection refused"),
    ("localhost:1", "missing", [], 1, "No such file"),
    ("localhost:1", ".", [], 1, "expected a file"),
    ("localhost:1", "there/below", [], 1, "Not a directory")])
def test_what_cannot_be_is_told(daemon, tmp_path, address, name, options, code, told):
    """With a line that says what was expected, and an exit code: 2 for what was typed, 1 for what is not there."""
    (tmp_path / "there").write_bytes(line(11000))
    done = subprocess.run([*command(daemon, tmp_path / name, "--once", *options)[:-2], address, str(tmp_path / name)], capture_output=True,
                          text=True, timeout=60, env=daemon.environment())
    assert done.returncode == code and told in done.stderr, (done.returncode, done.stderr)


def test_a_file_that_comes_later_is_told_and_waited_for(daemon, file):
    before = items(daemon)
    with Client(daemon, file):
        wait_for(lambda: "does not exist yet" in pathlib.Path(f"{file}.log").read_text(), 20, "the word that it is missing")
        file.write_bytes(line(12000))
        wait_for(lambda: found(daemon) - before["found"] >= 1, 60, "its line")


def test_binary_and_very_long_lines(daemon, file):
    """Each is a line of its own: what the door cannot read is set aside, the lines around it land; a shorter file in its place begins anew."""
    before = items(daemon)
    file.write_bytes(line(13000) + b"\0\0\0 not text\xff\n" + b"x" * (2 << 20) + b"\n" + line(13001))
    assert once(daemon, file).returncode == 0
    got = gained(daemon, before)
    assert got["reports"] == 2 and got["quarantined"] == 2 and got["found"] == 4, got
    other = file.with_suffix(".new")
    other.write_bytes(line(13002))
    other.rename(file)
    done = once(daemon, file)
    assert done.returncode == 0, done.stderr
    got = gained(daemon, before)
    assert got["reports"] == 3 and got["folded"] == 0, got


def test_one_at_a_time(daemon, file):
    file.write_bytes(b"")
    with Client(daemon, file):
        wait_for(lambda: pathlib.Path(f"{file}.cirt-sensor").exists(), 20, "the position")
        second = once(daemon, file)
        assert second.returncode == 1 and "another cirt-sensor" in second.stderr


def test_follows_rotation(daemon, file):
    """Renamed, and copied and truncated, while it is followed; half a line waits for its end."""
    before = items(daemon)
    sent = 0

    def append(count):
        nonlocal sent
        with open(file, "ab") as out:
            for _ in range(count):
                out.write(line(20000 + sent))
                sent += 1

    def arrived():
        wait_for(lambda: found(daemon) - before["found"] >= sent, 60, f"{sent} lines")

    append(50)
    with Client(daemon, file):
        arrived()
        with open(file, "ab") as out:
            half = line(20000 + sent)
            out.write(half[:20])
            out.flush()
            time.sleep(0.5)
            out.write(half[20:])
            sent += 1
        file.rename(f"{file}.1")
        append(50)
        arrived()
        for _ in range(3):
            append(30)
            shutil.copy(file, f"{file}.1")
            os.truncate(file, 0)
            append(20)
            arrived()
    got = gained(daemon, before)
    assert got["found"] == sent and got["reports"] == sent and got["quarantined"] == 0, got


class Writer(threading.Thread):
    """What writes the log: lines at random, in pieces, and a rotation now and then. The folder keeps all of it."""

    def __init__(self, file, seed):
        super().__init__(daemon=True)
        self.file, self.random, self.stopping, self.count, self.rotations = file, random.Random(seed), threading.Event(), 0, 0

    def run(self):
        out = open(self.file, "ab", buffering=0)
        while not self.stopping.is_set():
            data = b"".join(line(100000 + self.count + i) for i in range(self.random.randrange(1, 60)))
            self.count += data.count(b"\n")
            cut = self.random.randrange(len(data))
            out.write(data[:cut])
            time.sleep(self.random.random() * 0.02)
            out.write(data[cut:])
            if self.random.random() < 0.01:
                out.close()
                self.rotations += 1
                for number in range(self.rotations, 0, -1):
                    older = pathlib.Path(f"{self.file}.{number}")
                    if older.exists():
                        older.rename(f"{self.file}.{number + 1}")
                self.file.rename(f"{self.file}.1")
                out = open(self.file, "ab", buffering=0)
            time.sleep(self.random.random() * 0.02)
        out.close()


def test_trap_01_kill_9_of_both_ends_loses_and_doubles_nothing(make_daemon, tmp_path, request):
    """Client, intake, spool, store and the whole daemon die at any moment: each line lands exactly once."""
    seed = int(os.environ.get("CIRTD_SEED", time.time_ns() % 1000000))
    print("seed", seed)
    chance = random.Random(seed)
    daemon = make_daemon().start()
    daemon.add_sensor()
    before = items(daemon)
    file = tmp_path / "eve.json"
    writer = Writer(file, seed)
    writer.start()
    client = Client(daemon, file).start()
    request.addfinalizer(client.__exit__)
    end = time.monotonic() + float(os.environ.get("CIRTD_SENSOR_KILLS", "20"))
    while time.monotonic() < end:
        time.sleep(chance.random() * 1.2)
        victim = chance.choice(["client", "client", "intake", "spool", "store", "daemon"])
        if victim == "client":
            client.end(signal.SIGKILL)
            client.start()
        elif victim == "daemon":
            daemon.kill()
            wait_for(lambda: not daemon.rooms(), 30, "the rooms to end")
            daemon.start()
        else:
            pid = daemon.room_pid(victim)
            if pid:
                os.kill(pid, signal.SIGKILL)
    writer.stopping.set()
    writer.join()
    daemon.wait_up()
    wait_for(lambda: found(daemon) - before["found"] >= writer.count, 120, f"{writer.count} lines")
    got = gained(daemon, before)
    print(writer.count, "lines", writer.rotations, "rotations", got)
    assert got["found"] == got["reports"] == writer.count and got["folded"] == got["quarantined"] == 0, got


def test_manual_names_every_option(daemon):
    shown = subprocess.run([str(daemon.programs.cirt_sensor), "--help"], capture_output=True, text=True, check=True).stdout
    manual = (TOP / "doc" / "cirt-sensor.1").read_text().replace("\\-", "-")
    options = re.findall(r"^  (-.), (--[a-z-]+)(?: ([A-Z]+))?", shown, re.M)
    assert len(options) > 10
    for letter, name, argument in options:
        wanted = rf'^\.BR {letter} ", " {name}' + (rf' " \\fI{argument}\\fR"' if argument else "") + "$"
        assert re.search(wanted, manual, re.M), name
