"""Limits of the sensor door: rates, sessions, and that no source takes what is another's."""
import os
import signal
import socket
import ssl

from harness import native, wait_for

GONE = (ConnectionError, ssl.SSLError, socket.timeout)


def line(label, number):
    return native(number, identifier=f"{label}-{number}")


def test_trap_26_a_backlog_of_one_starves_nobody(make_daemon, certificates):
    """What a quiet sensor says lands before the backlog that a loud one left, though it came behind it."""
    daemon = make_daemon().start()
    daemon.add_sensor()
    daemon.add_sensor("sensor-2", "sensor-2.test")
    daemon.settle()
    workers = [pid for name, _, pid in daemon.rooms() if name == "triage"]
    for pid in workers:
        os.kill(pid, signal.SIGSTOP)
    try:
        with daemon.sensor() as loud:
            for batch in range(400):
                loud.send([line("loud", batch * 40 + i) for i in range(40)])
                loud.wait_ack(loud.sent)
        with daemon.sensor(certificates.sensor2) as quiet:
            quiet.send([line("quiet", 0)])
            quiet.wait_ack(1)
    finally:
        for pid in workers:
            os.kill(pid, signal.SIGCONT)
    daemon.settle(180)
    rows = daemon.psql("SELECT identifier FROM cirt.report ORDER BY id")
    landed = [row[0] for row in rows]
    assert len(landed) == 16001
    assert landed.index("quiet-0") < 8000, landed.index("quiet-0")


def test_over_its_rate_a_sensor_waits_and_loses_nothing(make_daemon, certificates):
    """A source of 5 lines a second that sends 200 at once is read slowly, another is served meanwhile; a new rate holds at once."""
    daemon = make_daemon().start()
    daemon.add_sensor("sensor-1", "sensor-1.test", "--max-lines", 5)
    daemon.add_sensor("sensor-2", "sensor-2.test")
    with daemon.sensor() as slow, daemon.sensor(certificates.sensor2) as free:
        slow.send([line("slow", number) for number in range(200)])
        for number in range(10):
            free.send([line("free", number)])
            free.wait_ack(number + 1)
        before = 0
        while before < 15:
            ack = slow.read_ack()
            assert 0 < ack - before <= 5, (before, ack)
            before = ack
        assert daemon.cirt("ledger")["items"]["found"] < 210
        daemon.psql("UPDATE cirt.source SET max_lines = 0 WHERE name = 'sensor-1'")
        slow.wait_ack(200)
    ledger = daemon.settle()
    assert ledger["items"]["reports"] == ledger["items"]["found"] == 210


def test_bytes_are_limited_too(make_daemon):
    """One line larger than the rate passes; what comes behind it waits, and lands."""
    daemon = make_daemon().start()
    daemon.add_sensor("sensor-1", "sensor-1.test", "--max-bytes", 20000)
    with daemon.sensor() as sensor:
        sensor.send([native(1, text="x" * 50000, identifier="large"), *(line("small", number) for number in range(20))])
        sensor.wait_ack(21)
    assert daemon.settle()["items"]["reports"] == 21


def intake(daemon):
    return next(room for room in daemon.cirt("status")["rooms"] if room["name"] == "intake")["counters"]


def is_served(daemon, pair, number):
    """A new session that sends a line; False where the door does not take it."""
    try:
        with daemon.sensor(pair, timeout=10) as sensor:
            sensor.send([line("served", number)])
            return sensor.wait_ack(1) == 1
    except GONE:
        return False


def test_one_source_does_not_take_all_sessions(make_daemon, certificates):
    daemon = make_daemon(sections={"sensor": {"max_sessions": 8, "max_per_source": 3}}).start()
    daemon.add_sensor()
    daemon.add_sensor("sensor-2", "sensor-2.test")
    held = [daemon.sensor() for _ in range(3)]
    for number, sensor in enumerate(held):
        sensor.send([line("held", number)])
        sensor.wait_ack(1)
    assert not is_served(daemon, certificates.sensor, 1)
    assert is_served(daemon, certificates.sensor2, 2)
    wait_for(lambda: intake(daemon)["refused_crowded"] >= 1, 20, "the counter")
    held.pop().close()
    wait_for(lambda: is_served(daemon, certificates.sensor, 3), 20, "the place that was left")
    for sensor in held:
        sensor.send([line("still", 1)])
        sensor.wait_ack(2)
        sensor.close()


def test_one_address_does_not_take_all_sessions(make_daemon, certificates):
    """Connections that never shake hands count as well, and leave the door to others."""
    daemon = make_daemon(sections={"sensor": {"max_sessions": 50, "max_per_address": 4}}).start()
    daemon.add_sensor()
    wait_for(lambda: intake(daemon)["sensor_sessions_open"] == 0, 20, "the door to be empty")
    silent = [socket.create_connection(("127.0.0.1", daemon.sensor_port), timeout=10) for _ in range(4)]
    wait_for(lambda: intake(daemon)["sensor_sessions_open"] == 4, 20, "four of them")
    assert not is_served(daemon, certificates.sensor, 1)
    for one in silent:
        one.close()
    wait_for(lambda: is_served(daemon, certificates.sensor, 2), 20, "the places that were left")


def test_smtp_is_bound_by_address_and_lmtp_is_not(make_daemon):
    daemon = make_daemon(sections={"mail": {"max_per_address": 2}}).start()
    held = [socket.create_connection(("127.0.0.1", daemon.smtp_port), timeout=20) for _ in range(2)]
    for one in held:
        assert one.recv(4) == b"220 "
    with socket.create_connection(("127.0.0.1", daemon.smtp_port), timeout=20) as third:
        assert third.recv(4) == b"421 "
    lmtp = [socket.create_connection(("127.0.0.1", daemon.lmtp_port), timeout=20) for _ in range(4)]
    for one in lmtp:
        assert one.recv(4) == b"220 "
        one.close()
    for one in held:
        one.close()
