"""What the supervisor owns: users, the lock, its checks, migrations, the managed PostgreSQL."""
import contextlib
import json
import os
import pathlib
import pwd
import re
import shutil
import signal
import socket
import subprocess
import threading

import pytest
from cryptography.hazmat.primitives import hashes

from harness import native, wait_for

TOP = pathlib.Path(__file__).resolve().parents[2]
as_root = pytest.mark.skipif(os.getuid() != 0, reason="needs root to change users")


@pytest.fixture
def room_users():
    """The rooms' users; made where they are missing, and then left, as a package leaves them."""
    subprocess.run([TOP / "packaging" / "create-users"], check=True)


@as_root
def test_as_root_every_room_has_a_user_of_its_own(make_daemon, room_users):
    daemon = make_daemon(as_root=True).start()
    daemon.add_sensor()
    daemon.send_lines([native(1)])
    daemon.settle()
    for name, _, pid in daemon.rooms():
        with open(f"/proc/{pid}/status", encoding="ascii") as file:
            status = dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)
        assert set(status["Uid"].split()) == {str(pwd.getpwnam("cirtd-" + name).pw_uid)}, name
        assert status["Groups"].split() == [], name
        assert int(status["CapEff"], 16) == 0, name
    owner = os.stat(f"/proc/{daemon.postmaster()}").st_uid
    assert owner == pwd.getpwnam("cirtd-db").pw_uid
    assert oct(os.stat(daemon.folder / "state" / "secrets").st_mode & 0o777) == "0o700"
    assert daemon.stop() == 0


@as_root
def test_as_root_without_users_it_says_what_to_do(make_daemon):
    daemon = make_daemon(as_root=True, conf='user = "no-such-room-"\n')
    done = subprocess.run(daemon.command(), capture_output=True, text=True, check=False, env=daemon.environment(), timeout=60)
    assert done.returncode == 1
    assert "create-users" in done.stderr


def test_trap_20_one_supervisor_per_state_folder(daemon):
    done = subprocess.run(daemon.command(), capture_output=True, text=True, check=False, env=daemon.environment(), timeout=60)
    assert done.returncode == 1
    assert "another cirtd" in done.stderr and str(daemon.process.pid) in done.stderr
    daemon.settle()


@pytest.mark.parametrize("extra,line,expected", [
    ("spool { size = lots }\n", 1, "size"),
    ('\nmail { certificate = "/nonexistent/door.pem" }\n', 2, "mail.key"),
    ('mail {\n    certificate = "/nonexistent/door.pem"\n    key = "/nonexistent/door.key"\n}\n', 2, "certificate"),
    ('mail {\n    certificate = "/nonexistent/door.pem"\n    key = "/nonexistent/door.key"\n}\n', 3, "key"),
    ("triage {\n    wrokers = 3\n}\n", 2, "wrokers"),
    ('exchange { ca = "/nonexistent/ca.pem" }\n', 1, "ca: a file that can be read"),
    ('exchange {\n    feed_interval = 5m\n}\nexchange { feed_interval = 6m\n    ca = "/nonexistent/ca.pem" }\n', 5, "ca: a file"),
    ('exchange {\n    ca = "/nonexistent/first.pem"\n}\nexchange { ca = "/nonexistent/second.pem" }\n', 4, "second.pem"),
    ("spool { nonsense = 3 }\n", 1, 'unknown option "nonsense" in section spool: one of these was expected: size, keep, commit_delay'),
])
def test_check_names_file_and_line(make_daemon, extra, line, expected):
    daemon = make_daemon()
    path = daemon.folder / "cirtd.conf"
    lines = len(path.read_text().splitlines())
    with open(path, "a", encoding="utf-8") as file:
        file.write(extra)
    done = subprocess.run(daemon.command("-t"), capture_output=True, text=True, check=False, env=daemon.environment(), timeout=60)
    assert done.returncode == 2
    assert f"{path}:{lines + line}:" in done.stderr and expected in done.stderr, done.stderr


@pytest.mark.parametrize("triage,line,expected", [
    ('triage { plugins = {netinfo}\n    rules = "/nonexistent/rules.d"\n}', 2, "rules: a folder that can be read was expected"),
    ('triage {\n    plugins = {netinfo, no-such}\n}', 2, 'not "no-such"'),
    ('triage { plugins = {netinfo} }\nplugin netinfo { database = "/nonexistent/netinfo.csv" }', 2, "a file or folder that can be read was expected"),
    ('triage { plugins = {netinfo} }\nplugin netinfo {\n    databse = "x"\n}', 3, 'it has no option "databse" (it has: database'),
])
def test_check_tells_what_triage_would_go_without(make_daemon, triage, line, expected):
    daemon = make_daemon()
    path = daemon.folder / "cirtd.conf"
    triage = triage.replace("triage {", f'triage {{ plugin_dir = "{daemon.programs.plugins}"', 1)
    path.write_text(f'state = "{daemon.folder}/state"\nrun = "/run/cirtd"\n{triage}\n')
    done = subprocess.run(daemon.command("-t"), capture_output=True, text=True, check=False, env=daemon.environment(), timeout=60)
    assert done.returncode == 2
    assert done.stderr.startswith(f"{path}:{line + 2}: ") and expected in done.stderr, done.stderr
    assert len(done.stderr.splitlines()) == 1, done.stderr


def test_check_takes_files_of_plugins_that_are_not_loaded(make_daemon):
    daemon = make_daemon()
    with open(daemon.folder / "cirtd.conf", "a", encoding="utf-8") as file:
        file.write('plugin spare { names = "/nonexistent/names.csv" }\n')
    done = subprocess.run(daemon.command("-t"), capture_output=True, text=True, check=False, env=daemon.environment(), timeout=60)
    assert (done.returncode, done.stderr) == (0, "")


def test_check_finds_a_key_of_another_certificate(make_daemon, certificates):
    daemon = make_daemon(sections={"sensor": {"key": certificates.sensor[3]}})
    done = subprocess.run(daemon.command("-t"), capture_output=True, text=True, check=False, env=daemon.environment(), timeout=60)
    assert done.returncode == 2
    assert "private key" in done.stderr


def test_trap_09_a_worker_that_stands_still_keeps_nothing(make_daemon, tmp_path):
    """It has credit and entries, and says nothing: the watchdog ends it, and what it had in hand lands once, by others."""
    daemon = make_daemon(sections={"triage": {"workers": 2}}).start()
    path = tmp_path / "many.mbox"
    path.write_text("".join(f"From a@b.example Mon Nov 23 08:00:00 2026\nFrom: a{number}@b.example\nSubject: still {number}\n\n"
                            f"See 10.8.0.{number}\n\n" for number in range(200)))
    before = daemon.settle()["items"]["found"]
    stopped = daemon.room_pid("triage", 0)
    os.kill(stopped, signal.SIGSTOP)
    daemon.cirt("submit", path)
    wait_for(lambda: stopped not in {pid for _, _, pid in daemon.rooms()}, 120, "the watchdog to end it", every=0.5)
    items = daemon.settle(120)["items"]
    assert items["found"] - before == 200 and items["quarantined"] == 0, items
    assert daemon.psql("SELECT count(*), count(DISTINCT title) FROM cirt.report WHERE title LIKE 'still %'") == [["200", "200"]]


def test_trap_21_another_major_version_is_refused(make_daemon):
    daemon = make_daemon()
    folder = daemon.folder / "state" / "postgres"
    daemon.start()
    assert daemon.stop() == 0
    (folder / "PG_VERSION").write_text("9\n")
    daemon.start(wait=False)
    wait_for(lambda: "db-upgrade" in daemon.log_text(), 30, "the refusal")
    wait_for(lambda: daemon.accepts(daemon.sensor_port), 30, "the sensor door")
    assert daemon.stop() == 0
    (folder / "PG_VERSION").write_text("15\n")


def test_trap_21_roles_want_passwords_on_the_socket_too(daemon):
    done = subprocess.run(["psql", "-w", "-h", str(daemon.folder / "run" / "postgres"), "-U", "cirt_owner", "-d", "cirt", "-c", "SELECT 1"],
                          capture_output=True, text=True, check=False, timeout=60)
    assert done.returncode != 0 and "password" in done.stderr
    done = subprocess.run(daemon.command("psql", "-Atc", "SELECT current_user"), capture_output=True, text=True, check=True,
                          env=daemon.environment(), timeout=60)
    assert done.stdout.strip() == "cirt_owner"


def test_killed_postmaster_comes_back(daemon):
    os.kill(daemon.postmaster(), signal.SIGKILL)
    daemon.send_lines([native(1, identifier="while-away")])
    daemon.wait_up()
    daemon.settle()
    assert [one for one in daemon.reports("--source", "sensor-1") if one["identifier"] == "while-away"]


def test_migrate_refuses_an_edited_file(daemon, open_folder):
    edited = open_folder / "sql"
    subprocess.run(["cp", "-r", str(daemon.programs.sql), str(edited)], check=True)
    command = daemon.command("migrate")
    command[command.index("-S") + 1] = str(edited)
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=daemon.environment(), timeout=60)
    assert done.returncode == 0, done.stderr
    first = sorted(edited.glob("[0-9]*.sql"))[0]
    first.write_text(first.read_text() + "-- edited\n")
    done = subprocess.run(command, capture_output=True, text=True, check=False, env=daemon.environment(), timeout=60)
    assert done.returncode == 1
    assert first.name in done.stderr and "never edited" in done.stderr


def test_watchdog_ends_a_room_that_does_not_answer(daemon):
    """A stopped process takes no SIGABRT; it is killed in the end, and started again."""
    pid = daemon.room_pid("exchange")
    os.kill(pid, signal.SIGSTOP)
    wait_for(lambda: daemon.room_pid("exchange") not in (None, pid), 120, "the room to be started again", every=0.5)
    assert daemon.log_contains("ended by the watchdog")
    daemon.wait_up()


def test_forbidden_calls_are_counted_and_none_is_made(daemon):
    """What the sandbox refuses shows in status; in all that the rooms do there is no such call (trap 25)."""
    daemon.send_lines([native(number) for number in range(20)])
    daemon.settle()
    wait_for(lambda: all("sandbox_refused" in room["counters"] for room in daemon.cirt("status")["rooms"]), 30, "counters")
    assert [room["name"] for room in daemon.cirt("status")["rooms"] if room["counters"]["sandbox_refused"]] == []


@pytest.mark.parametrize("unit,most", [("cirtd.service", 1.5), ("cirtd-root.service", 2.5)])
def test_trap_25_units_expose_little(unit, most):
    if not shutil.which("systemd-analyze"):
        pytest.skip("needs systemd-analyze")
    done = subprocess.run(["systemd-analyze", "security", "--offline=yes", "--threshold=100", str(TOP / "packaging" / "systemd" / unit)],
                          capture_output=True, text=True, check=False, timeout=60)
    assert float(re.search(r"exposure level for .*: ([0-9.]+)", done.stdout).group(1)) <= most


def test_systemd_is_told(make_daemon, monkeypatch, open_folder):
    path = str(open_folder / "notify")
    heard = []
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as listener:
        listener.bind(path)
        os.chmod(path, 0o777)
        listener.settimeout(0.2)
        monkeypatch.setenv("NOTIFY_SOCKET", path)

        def told(text):
            with contextlib.suppress(TimeoutError):
                while True:
                    heard.append(listener.recv(4096).decode())
            return any(text in one for one in heard)

        daemon = make_daemon().start()
        wait_for(lambda: told("READY=1"), 30, "READY")
        heard.clear()
        daemon.process.send_signal(signal.SIGHUP)
        wait_for(lambda: told("RELOADING=1") and told("READY=1"), 60, "RELOADING and READY")
        assert daemon.stop() == 0
        assert told("STOPPING=1")


def second_node(make_daemon, daemon):
    """Another cirtd on the database of `daemon`: not managed, with conninfo and password_file."""
    other = make_daemon(fresh=True)
    passwords = other.folder / "passwords"
    passwords.write_text((daemon.folder / "state" / "secrets" / "database").read_text())
    passwords.chmod(0o644)
    other.sections["database"] = {"managed": False, "conninfo": f"host={daemon.folder}/run/postgres dbname=cirt",
                                  "password_file": str(passwords)}
    other.extra = 'node = "second"\n'
    other.write_conf()
    other.start()
    return other


def test_a_server_of_ones_own(make_daemon):
    daemon = make_daemon().start()
    daemon.add_sensor()
    other = second_node(make_daemon, daemon)
    assert other.postmaster() is None
    wait_for(lambda: "sensor-1" in json.dumps(other.cirt("source", "list")), 30, "the sources of the other node")
    other.send_lines([native(7, identifier="by-the-second-node")])
    other.settle()
    assert [one for one in daemon.reports("--source", "sensor-1") if one["identifier"] == "by-the-second-node"]
    assert other.stop() == 0


def test_trap_18_books_of_two_nodes_balance_on_both(make_daemon):
    """A node knows the other's spool by its books in the database, which come a moment later than what they count."""
    daemon = make_daemon().start()
    daemon.add_sensor()
    other = second_node(make_daemon, daemon)
    wait_for(lambda: "sensor-1" in json.dumps(other.cirt("source", "list")), 30, "the sources of the other node")
    other.send_lines([native(1)])
    other.settle()
    ledger = wait_for(lambda: (found := daemon.settle())["entries"]["received"] and found, 30, "the books of the other node")
    assert ledger["entries"] == {"received": 1, "processed": 1, "quarantined": 0, "discarded": 0, "pending": 0}
    daemon.psql("DELETE FROM cirt.books")  # as before they are said for the first time
    assert daemon.settle()["entries"]["processed"] == 0
    daemon.send_lines([native(2)])
    other.send_lines([native(3), native(4)])
    for node in (daemon, other):
        ledger = wait_for(lambda at=node: (found := at.settle())["entries"]["received"] == 3 and found, 30, "both nodes' books")
        assert ledger["entries"]["processed"] == 3 and ledger["items"]["reports"] == 4
    assert other.stop() == 0


@as_root
def test_rooms_speak_to_the_journal(make_daemon, certificates, tmp_path, request):
    """Where stderr is the journal's, each room sends it fields of its own, also out of its sandbox. A socket of ours stands for it."""
    subprocess.run(["chmod", "a+rx", tmp_path, tmp_path.parent, tmp_path.parent.parent], check=True)
    if subprocess.run(["unshare", "-m", "true"], capture_output=True, check=False).returncode != 0:
        pytest.skip("needs a mount namespace")
    heard, ended = [], threading.Event()
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as journal:
        journal.bind(str(tmp_path / "socket"))
        (tmp_path / "socket").chmod(0o777)
        journal.settimeout(0.2)

        def read():  # all the time: who sends to a journal that does not read waits
            while not ended.is_set():
                with contextlib.suppress(TimeoutError):
                    heard.append(journal.recv(1 << 18).decode())

        def told(room, *texts):
            return any(f"CIRTD_ROOM={room}\n" in one and all(text in one for text in texts) for one in list(heard))

        reader = threading.Thread(target=read)
        reader.start()
        request.addfinalizer(lambda: (ended.set(), reader.join()))
        daemon = make_daemon()
        daemon.log.touch()
        stderr = os.stat(daemon.log)
        plain, environment = daemon.command, daemon.environment()
        daemon.command = lambda *arguments: [
            "unshare", "-m", "sh", "-c", "mount -t tmpfs none /run && mkdir -p /run/systemd/journal && mount --bind \"$1\" "
            "/run/systemd/journal && shift && exec \"$@\"", "sh", str(tmp_path), *plain(*arguments)]
        daemon.environment = lambda: dict(environment, JOURNAL_STREAM=f"{stderr.st_dev}:{stderr.st_ino}")
        daemon.start(wait=False)
        daemon.command, daemon.environment = plain, lambda: environment
        daemon.wait_up()
        context = certificates.client_context(certificates.unmapped)
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", daemon.sensor_port), timeout=20) as raw:
            with context.wrap_socket(raw, server_hostname="localhost") as door:
                door.recv(1)
        fingerprint = certificates.unmapped[0].fingerprint(hashes.SHA256()).hex()
        wait_for(lambda: told("intake", "MESSAGE=", "PRIORITY=4\n", "SYSLOG_IDENTIFIER=cirtd\n", fingerprint), 30, "the refusal")
        wait_for(lambda: all(told(room, "MESSAGE=") for room in ("supervisor", "spool", "triage 0", "store", "keeper", "desk")), 30,
                 "all rooms")
        assert daemon.stop() == 0
        ended.set()
        reader.join()
    assert "intake[" not in daemon.log_text()
