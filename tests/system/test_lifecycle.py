"""Start, kill, reload, drain: what the supervisor promises."""
import json
import os
import signal
import socket
import ssl
import subprocess
import time

import pytest

from harness import mail, native, wait_for

ROOMS = ["intake", "spool", "triage", "store", "keeper", "desk", "exchange", "courier"]


def proc_status(pid):
    with open(f"/proc/{pid}/status", encoding="ascii") as file:
        return dict(line.rstrip("\n").split(":\t", 1) for line in file if ":\t" in line)


def test_every_room_is_sandboxed(daemon):
    """no_new_privs and a seccomp filter in every room; status says what is enforced."""
    for name, _, pid in daemon.rooms():
        status = proc_status(pid)
        assert status["NoNewPrivs"] == "1", name
        assert status["Seccomp"] == "2", name
    for room in daemon.cirt("status")["rooms"]:
        assert room["enforced"], room["name"]


def test_rooms_inherit_no_descriptor_of_others(daemon):
    """Only sockets, pipes, memory files and what the room itself opened: no room but the spool holds LMDB, none but the supervisor the configuration."""
    for name, _, pid in daemon.rooms():
        for link in os.listdir(f"/proc/{pid}/fd"):
            try:
                target = os.readlink(f"/proc/{pid}/fd/{link}")
            except OSError:
                continue
            if "data.mdb" in target or "lock.mdb" in target:
                assert name == "spool"
            assert not target.endswith("cirtd.conf")


@pytest.mark.parametrize("name", ROOMS)
def test_killed_room_comes_back_and_work_goes_on(daemon, name):
    before = daemon.settle()
    pid = daemon.room_pid(name)
    os.kill(pid, signal.SIGKILL)
    wait_for(lambda: daemon.room_pid(name) not in (None, pid), 20, f"{name} to be started again")
    daemon.wait_up()
    daemon.send_lines([native(1, identifier=f"after-{name}")])
    daemon.send_mail(mail(f"after {name}", f"http://after-{name}.example/\n"))
    after = daemon.settle()
    assert after["entries"]["received"] == before["entries"]["received"] + 2
    assert sum(room["restarts"] for room in daemon.cirt("status")["rooms"] if room["name"] == name) >= 1


def test_trap_20_kill_of_the_supervisor_ends_its_rooms_and_postgres_is_adopted(make_daemon):
    daemon = make_daemon().start()
    daemon.add_sensor()
    daemon.send_lines([native(number, identifier="before") for number in range(50)])
    pids = [pid for _, _, pid in daemon.rooms()]
    postmaster = daemon.postmaster()
    daemon.kill()
    wait_for(lambda: not any(os.path.exists(f"/proc/{pid}") and proc_status(pid)["State"][0] != "Z" for pid in pids), 20, "rooms to end")
    daemon.start()
    assert daemon.postmaster() == postmaster
    daemon.settle()
    assert len([one for one in daemon.reports("--source", "sensor-1") if one["identifier"] == "before"]) == 50


def test_sigterm_drains(make_daemon):
    """What was acknowledged before SIGTERM is in the database or the spool; exit 0, nothing left running."""
    daemon = make_daemon().start()
    daemon.add_sensor()
    daemon.send_lines([native(number, identifier="drain") for number in range(500)])
    pids = [pid for _, _, pid in daemon.rooms()] + [daemon.postmaster()]
    assert daemon.stop() == 0
    assert not [pid for pid in pids if os.path.exists(f"/proc/{pid}")]
    daemon.start()
    daemon.settle()
    assert len([one for one in daemon.reports("--source", "sensor-1") if one["identifier"] == "drain"]) == 500


def test_reload_takes_certificates_and_keeps_connections(make_daemon, certificates):
    daemon = make_daemon()
    folder = daemon.folder / "tls"
    folder.mkdir()
    chain, key = folder / "door.pem", folder / "door.key"
    chain.write_bytes(certificates.door[2].read_bytes())
    key.write_bytes(certificates.door[3].read_bytes())
    daemon.sections["sensor"].update(certificate=chain, key=key)
    daemon.write_conf()
    subprocess.run(["chmod", "-R", "a+rX", folder], check=True)
    daemon.start()
    daemon.add_sensor()
    renewed = certificates.issue(f"door-{time.time_ns()}", "localhost", server=True)

    def served():
        raw = socket.create_connection(("127.0.0.1", daemon.sensor_port), timeout=10)
        with certificates.client_context(certificates.sensor).wrap_socket(raw, server_hostname="localhost") as door:
            return ssl.DER_cert_to_PEM_cert(door.getpeercert(True)).encode()

    with daemon.sensor() as old:
        assert served().strip() == certificates.door[2].read_bytes().strip()
        chain.write_bytes(renewed[2].read_bytes())
        key.write_bytes(renewed[3].read_bytes())
        daemon.process.send_signal(signal.SIGHUP)
        wait_for(lambda: served().strip() == renewed[2].read_bytes().strip(), 30, "the new certificate", every=0.3)
        old.send([native(1)])
        assert old.wait_ack(1) == 1


def test_reload_of_a_broken_configuration_changes_nothing(daemon):
    path = daemon.folder / "cirtd.conf"
    good = path.read_text()
    path.write_text(good + "nonsense = 1\n")
    daemon.process.send_signal(signal.SIGHUP)
    wait_for(lambda: "nonsense" in daemon.log_text(), 20, "the complaint in the log")
    path.write_text(good)
    daemon.send_lines([native(2, identifier="still-here")])
    daemon.settle()


def test_trap_30_no_session_is_resumed(daemon, certificates):
    """A resumed TLS session would skip the check of a client certificate."""
    context = certificates.client_context(certificates.sensor)
    session = None
    for _ in range(2):
        raw = socket.create_connection(("127.0.0.1", daemon.sensor_port), timeout=10)
        with context.wrap_socket(raw, server_hostname="localhost", session=session) as door:
            door.sendall(json.dumps(native(3)).encode() + b"\n")
            assert b"ack" in door.recv(100)
            assert not door.session_reused
            session = door.session


def test_trap_01_session_resumes_where_the_spool_is_durable(daemon):
    """A sensor that is cut off resends from what the door says, and nothing doubles."""
    session = "0f0e0d0c-0b0a-4908-8706-050403020100"
    lines = [native(number, identifier=f"session-{number}") for number in range(30)]
    with daemon.sensor(session=session) as sensor:
        sensor.send(lines[:20])
        sensor.wait_ack(20)
    os.kill(daemon.room_pid("spool"), signal.SIGKILL)
    daemon.wait_up()
    with daemon.sensor(session=session) as sensor:
        assert sensor.acked == 20
        sensor.send(lines[20:])
        sensor.wait_ack(30)
    daemon.settle()
    counts = {one["identifier"]: one["count"] for one in daemon.reports("--source", "sensor-1") if (one["identifier"] or "").startswith("session-")}
    assert counts == {f"session-{number}": 1 for number in range(30)}


def test_trap_19_doors_open_without_the_database(make_daemon):
    """With PostgreSQL unable to start, the sources of last time are known and both doors take."""
    daemon = make_daemon().start()
    daemon.add_sensor()
    daemon.settle()
    assert daemon.stop() == 0
    conf = daemon.folder / "state" / "postgres" / "postgresql.conf"
    good = conf.read_text()
    conf.write_text(good + "\nnonsense_option = 1\n")
    daemon.start(wait=False)
    wait_for(lambda: daemon.accepts(daemon.sensor_port), 30, "the sensor door")

    def taken():
        try:
            daemon.send_lines([native(1, identifier="no-database")])
            return True
        except OSError:
            return False

    wait_for(taken, 30, "the line to be acknowledged", every=0.3)
    daemon.send_mail(mail("No database", "http://no-database.example/\n"))
    assert daemon.cirt("status")["database"]["up"] is False
    conf.write_text(good)
    daemon.wait_up(90)
    daemon.settle()
    assert [one for one in daemon.reports("--source", "sensor-1") if one["identifier"] == "no-database"]


def test_poison_of_the_store_is_quarantined_alone(daemon):
    """What PostgreSQL would refuse is made storable or set apart; its neighbours land (trap 4)."""
    before = daemon.settle()
    lines = [native(number, identifier=f"t4-{number}") for number in range(5)]
    lines[2]["extra"] = {"a": "x\u0000y"}
    daemon.send_lines(lines)
    after = daemon.settle()
    assert after["items"]["found"] == before["items"]["found"] + 5
    assert after["items"]["reports"] >= before["items"]["reports"] + 4


def test_trap_16_anchor_is_written_outside_the_database(make_daemon):
    daemon = make_daemon(sections={"keeper": {"anchor_interval": "1s"}}, fresh=True).start()
    daemon.add_sensor()
    anchors = lambda: [path for path in (daemon.folder / "state" / "anchors").glob("*") if path.stat().st_size > 0]  # noqa: E731
    wait_for(anchors, 30, "an anchor", every=0.3)
    verified = daemon.cirt("audit", "verify")
    assert verified["ok"] is True


def test_trap_12_old_reports_go_by_the_keeper(make_daemon):
    daemon = make_daemon(sections={"keeper": {"retain": "180d"}}).start()
    daemon.add_sensor()
    daemon.send_lines([native(number, identifier=f"now-{number}") for number in range(3)])
    daemon.settle()
    daemon.psql("SELECT cirt.partition_month(202001)")
    daemon.psql("""INSERT INTO cirt.report SELECT 2020010000000000 + n, '2020-01-05', '2020-01-05', n, NULL, 0, gen_random_uuid(),
        gen_random_uuid(), 1, 0, 0, NULL, 0, 'spam', 'amber', 'amber', 1, 1, 1, 1, '', '', '', '', '', '', 'old', '', '', '{}', '{}',
        '{}', '{}' FROM generate_series(1, 5) n""")
    os.kill(daemon.room_pid("keeper"), signal.SIGKILL)
    wait_for(lambda: "202001|5" in str(daemon.psql("SELECT month || '|' || reports FROM cirt.retired")), 60, "the old month to go")
    assert {report["title"] for report in daemon.reports()} & {"old"} == set()
    assert len(daemon.reports()) == 3
    assert daemon.settle()["balanced"] is True
    assert daemon.cirt("audit", "verify")["ok"] is True
