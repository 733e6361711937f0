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


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--lines", type=int, default=200000)
    count = parser.parse_args().lines
    programs = Programs(os.environ["CIRTD_BUILD"])
    folder = pathlib.Path(tempfile.mkdtemp(prefix="cirtd-bench-"))
    folder.chmod(0o777)
    (folder / "script.py").write_text((HERE / "script.py").read_text())
    daemon = Daemon(programs, Certificates(folder / "certs"))
    try:
        daemon.start()
        daemon.add_sensor()
        new = make_lines(0, count)
        half = [line for pair in zip(new[:count // 2], make_lines(count, count // 2)) for line in pair]
        database = Database(daemon)
        rate = {}
        ack = {}
        spent = {}
        for name, lines in (("new", new), ("seen", new), ("half", half)):
            before = cpu(daemon)
            seconds, acknowledged = through_the_door(daemon, database, lines)
            spent[name] = cpu(daemon) - before
            rate[name], ack[name] = len(lines) / seconds, len(lines) / acknowledged
            if name == "new":
                before = cpu(daemon)
                rate["copy"] = count / copy_back(daemon, folder)
                spent["copy"] = cpu(daemon) - before
        database.close()
        daemon.settle(120)
        rate["script new"] = count / the_script(daemon, folder, new)
        rate["script half"] = len(half) / the_script(daemon, folder, half)
        print(f"{count} lines a run; lines a second, and ratios in this one run")
        print(f"  \\copy of the finished rows   {rate['copy']:9.0f}")
        print(f"  script, all new              {rate['script new']:9.0f}")
        print(f"  script, half seen            {rate['script half']:9.0f}")
        for name, text in (("new", "all new"), ("seen", "all seen before"), ("half", "half and half")):
            beside = rate["script new"] if name == "new" else rate["script half"]
            print(f"  cirtd, {text:16}      {rate[name]:9.0f}   {rate[name] / rate['copy']:5.2f} x copy   {rate[name] / beside:5.2f} x script"
                  f"   (acknowledged at {ack[name]:.0f}/s)")
        print("CPU a line, in microseconds")
        print(f"  \\copy, with writing it out    postgres {spent['copy']['postgres'] * 1e6 / count:.1f}")
        for name, text in (("new", "all new"), ("seen", "all seen before"), ("half", "half and half")):
            shares = "  ".join(f"{room} {seconds * 1e6 / count:.1f}" for room, seconds in spent[name].most_common(6))
            print(f"  cirtd, {text:16}      {shares}")
    finally:
        daemon.remove()
        programs.remove()
        subprocess.run(["rm", "-rf", str(folder)], check=False)


main()
