#!/usr/bin/python3
"""Sensor lines, TLS socket to committed, as ratios to \\copy of the same finished rows and beside a 40-line script, from one run.

    make bench [BENCH_LINES=200000]      in a build without sanitizers
"""
import argparse
import collections
import contextlib
import json
import os
import pathlib
import select
import shutil
import signal
import ssl
import subprocess
import sys
import tempfile
import time

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "system"))

from harness import Certificates, Daemon, Programs  # noqa: E402

HERE = pathlib.Path(__file__).resolve().parent
TABLES = ("report", "fingerprint", "sighting")


def make_lines(start, count):
    return [json.dumps({
        "v": 1, "id": f"bench-{number}", "type": "infected-system", "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
        "title": "Host talks to a known command and control server", "malware": "mirai", "identifier": f"sinkhole-{number // 65536}",
        "source": {"ip": f"10.{number >> 16 & 255}.{number >> 8 & 255}.{number & 255}", "port": 40000 + number % 20000},
        "target": {"ip": f"198.51.100.{number % 250}", "port": 443}, "severity": 60, "confidence": 80, "tlp": "green",
        "extra": {"sensor": "bench", "packets": number % 977, "note": "x" * 120}}, separators=(",", ":")).encode()
        for number in range(start, start + count)]


class Database:
    """One psql that stays, so that asking costs what is measured next to nothing."""

    def __init__(self, daemon):
        self.process = subprocess.Popen(daemon.command("psql", "-X", "-q", "-A", "-t"), stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        text=True, env=daemon.environment())

    def landed(self):
        """Items that the ledger has."""
        self.process.stdin.write("SELECT coalesce(sum(found), 0) FROM cirt.ledger_day;\n")
        self.process.stdin.flush()
        return int(self.process.stdout.readline() or stop("psql ended"))

    def close(self):
        self.process.stdin.close()
        self.process.wait()


def through_the_door(daemon, database, lines):
    """Seconds from the first byte to the last line's commit, and to its acknowledgement."""
    before = database.landed()
    blob = memoryview(b"".join(line + b"\n" for line in lines))
    start = time.monotonic()
    with daemon.sensor(timeout=300) as sensor:
        send_and_read(sensor.socket, blob, len(lines))
        acknowledged = time.monotonic() - start
    while database.landed() < before + len(lines):
        time.sleep(0.02)
    return time.monotonic() - start, acknowledged


def cpu(daemon):
    """CPU seconds that each room and PostgreSQL have used up to now."""
    tick = os.sysconf("SC_CLK_TCK")
    used = collections.Counter()

    def add(name, pid, children=False):
        with contextlib.suppress(OSError, ValueError):
            fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
            used[name] += sum(map(int, fields[11:15 if children else 13])) / tick

    for name, _, pid in daemon.rooms():
        add(name, pid)
    postmaster = daemon.postmaster()
    add("postgres", postmaster, children=True)
    for thread in pathlib.Path(f"/proc/{postmaster}/task").glob("*/children"):
        for pid in thread.read_text().split():
            add("postgres", pid)
    return used


def send_and_read(door, blob, count):
    """Send all of blob while reading acknowledgements up to count; by one thread, as a TLS connection wants it."""
    door.setblocking(False)
    sent, acked, rest = 0, 0, b""
    while acked < count:
        try:
            sent += door.send(blob[sent:sent + 65536]) if sent < len(blob) else 0
            blocked = sent == len(blob)
        except (ssl.SSLWantWriteError, ssl.SSLWantReadError):
            blocked = True
        try:
            rest += door.recv(65536) or stop("the door closed")
            *whole, rest = rest.split(b"\n")
            acked = max([acked, *(json.loads(line)["ack"] for line in whole)])
        except ssl.SSLWantReadError:
            if blocked:
                select.select([door], [door] if sent < len(blob) else [], [], 60)


def stop(why):
    raise SystemExit(f"bench: {why}")


def copy_back(daemon, folder):
    """Seconds of psql's \\copy of the finished rows into empty tables with the same indexes."""
    for table in TABLES:
        daemon.psql(f"\\copy (SELECT * FROM cirt.{table}) TO '{folder}/{table}.copy'")
        daemon.psql(f"DROP TABLE IF EXISTS bench_{table}; CREATE TABLE bench_{table} (LIKE cirt.{table} INCLUDING ALL)")
    script = folder / "copy.sql"
    script.write_text("BEGIN;\n" + "".join(f"\\copy bench_{table} FROM '{folder}/{table}.copy'\n" for table in TABLES) + "COMMIT;\n")
    start = time.monotonic()
    daemon.psql_file(script)
    seconds = time.monotonic() - start
    for table in TABLES:
        daemon.psql(f"DROP TABLE bench_{table}")
    return seconds


def the_script(daemon, folder, lines):
    path = folder / "lines.jsonl"
    path.write_bytes(b"".join(line + b"\n" for line in lines))
    commands = folder / "script.sql"
    commands.write_text("\\setenv PGHOST :HOST\n\\setenv PGPORT :PORT\n\\setenv PGUSER :USER\n\\setenv PGDATABASE :DBNAME\n"
                        f"\\! /usr/bin/python3 {folder}/script.py {path}\n")
    start = time.monotonic()
    daemon.psql_file(commands)
    return time.monotonic() - start


def make_rules(programs, folder, count):
    """The shipped rules and `count` simple ones."""
    rules = folder / "rules.d"
    shutil.copytree(programs.rules, rules)
    (rules / "many.yar").write_text("".join(
        f'rule many_{number} {{ strings: $a = "marker {number:x} of a family" $b = {{ {number >> 8:02x} 4d 5a {number & 255:02x} 90 00 }} '
        "condition: any of them }\n" for number in range(count)))
    subprocess.run(["chmod", "-R", "a+rX", rules], check=True)
    return rules


def memory(daemon):
    """Megabytes of the supervisor and of each room, shared pages by their share."""
    used = collections.Counter()
    for name, pid in [("supervisor", daemon.process.pid), *((name, pid) for name, _, pid in daemon.rooms())]:
        with contextlib.suppress(OSError):
            lines = pathlib.Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
            kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in lines}
            of_file = kilobytes["Pss_File"] if name == "spool" else 0
            used["pages of the spool's file"] += of_file / 1024
            used[name] += (kilobytes["Pss"] - of_file) / 1024
    return used


def slowest(times):
    """Of a hundred the slowest but one."""
    return sorted(times)[len(times) * 99 // 100]


def wait_for_ack(daemon, folder, lines):
    """p99 of a line's way to its acknowledgement, and of an append with fdatasync; by turns, so that both meet the same disk."""
    acks, appends = [], []
    with daemon.sensor(timeout=60) as sensor, open(folder / "append", "ab", buffering=0) as file:
        for line in lines:
            start = time.monotonic()
            sensor.send([line])
            sensor.wait_ack(sensor.sent)
            acks.append(time.monotonic() - start)
            start = time.monotonic()
            file.write(line)
            os.fdatasync(file.fileno())
            appends.append(time.monotonic() - start)
    return slowest(acks), slowest(appends)


CASES = (("new", "all new"), ("seen", "all seen before"), ("half", "half and half"))


class Measures:
    """Lines a second, CPU seconds, and what else was seen of one run."""

    def __init__(self, count):
        self.count = count
        self.rate, self.acknowledged, self.spent = {}, {}, {}
        self.megabytes = collections.Counter()
        self.ack, self.append = 0.0, 1.0

    def door(self, name, daemon, database, lines):
        before = cpu(daemon)
        seconds, acknowledged = through_the_door(daemon, database, lines)
        self.spent[name] = cpu(daemon) - before
        self.rate[name], self.acknowledged[name] = len(lines) / seconds, len(lines) / acknowledged
        self.megabytes = max(self.megabytes, memory(daemon), key=collections.Counter.total)

    def run(self, daemon, folder):
        count, rate = self.count, self.rate
        new = make_lines(0, count)
        half = [line for pair in zip(new[:count // 2], make_lines(count, count // 2)) for line in pair]
        database = Database(daemon)
        self.door("new", daemon, database, new)
        before = cpu(daemon)
        rate["copy"] = count / copy_back(daemon, folder)
        self.spent["copy"] = cpu(daemon) - before
        self.door("seen", daemon, database, new)
        self.door("half", daemon, database, half)
        database.close()
        daemon.settle(120)
        rate["script new"] = count / the_script(daemon, folder, new)
        rate["script half"] = len(half) / the_script(daemon, folder, half)
        self.ack, self.append = wait_for_ack(daemon, folder, new[:400])

    def show(self, rules):
        rate, count = self.rate, self.count
        print(f"""
Sensor lines over mutual TLS until committed, folded and scanned, with {rules} more rules than are shipped; {count} lines each.
Lines a second belong to this machine and hour; the ratios are what counts. \\copy: psql copies the finished rows into empty tables with
the same indexes. Script: tests/bench/script.py on a file of the same lines; "seen" is set beside its half-seen run.

                              lines/s   x \\copy   x script   acknowledged/s""")
        for name, text in (("copy", "\\copy of the finished rows"), ("script new", "script, all new"), ("script half", "script, half seen")):
            print(f"  {text:26}{rate[name]:9.0f}")
        for name, text in CASES:
            beside = rate["script new" if name == "new" else "script half"]
            print(f"  cirtd, {text:19}{rate[name]:9.0f}{rate[name] / rate['copy']:10.2f}{rate[name] / beside:11.2f}{self.acknowledged[name]:17.0f}")
        print("\nCPU a line, in microseconds: holds also where the machine does other things")
        print(f"  \\copy, and writing it out  postgres {self.spent['copy']['postgres'] * 1e6 / count:.1f}")
        for name, text in CASES:
            shares = "  ".join(f"{room} {seconds * 1e6 / count:.1f}" for room, seconds in self.spent[name].most_common(6))
            print(f"  cirtd, {text:19} {shares}")
        shares = "  ".join(f"{room} {size:.0f}" for room, size in self.megabytes.most_common(6))
        print(f"\nMemory of all rooms, as PSS, at the end of a run: {self.megabytes.total():.0f} MB  ({shares})")
        print(f"One line at a time, p99 until acknowledged: {self.ack / self.append:.1f} x an append with fdatasync")


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=200000)
    parser.add_argument("--rules", type=int, default=3000, help="how many rules beside the shipped ones")
    options = parser.parse_args()
    signal.signal(signal.SIGTERM, lambda *_: stop("ended"))
    programs = Programs(os.environ["CIRTD_BUILD"])
    folder = pathlib.Path(tempfile.mkdtemp(prefix="cirtd-bench-"))
    daemon = None
    try:
        folder.chmod(0o777)
        (folder / "script.py").write_text((HERE / "script.py").read_text())
        if b"__asan_init" in programs.cirtd.read_bytes():
            print("This build has sanitizers: its figures mean nothing. Configure without --with-sanitizer.")
        print(f"A daemon of its own is being started; {options.lines} lines go in three times. This takes a minute or two.", flush=True)
        daemon = Daemon(programs, Certificates(folder / "certs"), rules=make_rules(programs, folder, options.rules))
        daemon.start()
        daemon.add_sensor()
        measures = Measures(options.lines)
        measures.run(daemon, folder)
        measures.show(options.rules)
    finally:
        if daemon:
            daemon.remove()
        programs.remove()
        shutil.rmtree(folder, ignore_errors=True)


main()
