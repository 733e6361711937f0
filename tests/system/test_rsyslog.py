"""A real rsyslogd sends to the sensor door, with the configuration that contrib/rsyslog documents."""
import json
import pathlib
import shutil
import subprocess

import pytest

from harness import native, wait_for

SNIPPET = pathlib.Path(__file__).resolve().parents[2] / "contrib" / "rsyslog" / "cirtd.conf"
RSYSLOGD = shutil.which("rsyslogd", path="/usr/sbin:/sbin:/usr/bin")

pytestmark = pytest.mark.skipif(not RSYSLOGD, reason="rsyslogd is not installed (packaging/install-packages test)")


class Rsyslog:
    """rsyslogd with a folder of its own, the shipped snippet and nothing else."""

    def __init__(self, daemon, pair, folder):
        self.file = folder / "eve.json"
        self.file.touch()
        text = SNIPPET.read_text()
        for mark, value in (("/etc/cirt-sensor/CA.pem", daemon.certificates.ca[2]), ("/etc/cirt-sensor/SENSOR.pem", pair[2]),
                            ("/etc/cirt-sensor/SENSOR.key", pair[3]), ("/var/log/suricata/EVE.json", self.file),
                            ("CIRT.EXAMPLE", "localhost"), ('"6514"', f'"{daemon.sensor_port}"')):
            assert mark in text, mark
            text = text.replace(mark, str(value))
        (folder / "work").mkdir()
        (folder / "rsyslog.conf").write_text(f'global(workDirectory="{folder}/work")\n{text}')
        self.log = open(folder / "log", "wb")
        self.process = subprocess.Popen([RSYSLOGD, "-n", "-f", str(folder / "rsyslog.conf"), "-i", str(folder / "pid")],
                                        stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)

    def write(self, lines):
        with open(self.file, "ab") as out:
            out.write(b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines))

    def close(self):
        self.process.terminate()
        self.process.wait(30)
        self.log.close()


@pytest.fixture
def rsyslog(daemon, certificates, tmp_path):
    sender = Rsyslog(daemon, certificates.sensor, tmp_path)
    yield sender
    sender.close()


def alert(number):
    return {"timestamp": "2026-11-22T10:00:00.123456+0100", "flow_id": 2**63 + number, "event_type": "alert",
            "src_ip": f"198.51.{number >> 8}.{number & 255}", "src_port": 4711, "dest_ip": "203.0.113.1", "dest_port": 22,
            "proto": "TCP", "alert": {"action": "allowed", "gid": 1, "signature_id": 2001219, "rev": 1,
                                      "signature": "LAB \"SCAN\" \\ of many", "category": "Attempted Information Leak", "severity": 2}}


def landed(daemon, received):
    ledger = daemon.cirt("ledger")
    return ledger["items"]["found"] >= received and ledger


def test_rsyslog_sends_over_rfc_5425(daemon, rsyslog):
    """Alerts, native lines, one of 20 kB and one that is nothing: all arrive, whole, and each becomes what it is."""
    before = daemon.settle()["items"]
    lines = [alert(number) for number in range(300)] + [native(number) for number in range(50)]
    lines += [native(99, text="x" * 20000, title="a long one"), b"not a line of JSON at all"]
    rsyslog.write(lines)
    wait_for(lambda: landed(daemon, before["found"] + len(lines)), 60, "what rsyslog sends")
    after = daemon.settle()["items"]
    found = {name: after[name] - before[name] for name in after}
    assert found["found"] == len(lines)
    assert found["reports"] == 351 and found["quarantined"] == 1, found
    titles = {report["title"] for report in daemon.reports("--source", "sensor-1")}
    assert 'LAB "SCAN" \\ of many' in titles and "a long one" in titles
    quarantined = daemon.cirt("quarantine", "list", "--limit", 1)["items"][0]
    assert quarantined["reason"] == "expected a JSON object"


def test_trap_30_nothing_is_written_to_a_syslog_sender(daemon, rsyslog):
    """Acknowledgements would fill the socket of a sender that never reads: none is said to rsyslog, whatever it sends."""
    def counters():
        return next(room for room in daemon.cirt("status")["rooms"] if room["name"] == "intake")["counters"]

    before = counters()
    rsyslog.write([native(5000 + number) for number in range(20)])
    wait_for(lambda: counters()["lines"] >= before["lines"] + 20, 60, "what rsyslog sends")
    assert counters()["acks"] == before["acks"]
