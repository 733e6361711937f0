#!/usr/bin/python3
"""Sensor lines, TLS socket to committed, as ratios to \\copy of the same finished rows and beside a 40-line script, from one run.

    make bench [BENCH_LINES=200000]      in a build without sanitizers
"""
import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import threading
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


def landed(daemon):
    """Items that the ledger has."""
    return int(daemon.psql("SELECT coalesce(sum(found), 0) FROM cirt.ledger_day")[0][0])


def through_the_door(daemon, lines):
    """Seconds from the first byte to the last line's commit."""
    before = landed(daemon)
    blob = b"".join(line + b"\n" for line in lines)
    start = time.monotonic()
    with daemon.sensor(timeout=300) as sensor:
        sender = threading.Thread(target=sensor.socket.sendall, args=(blob,))
        sender.start()
        sensor.wait_ack(len(lines))
        acknowledged = time.monotonic() - start
        sender.join()
    while landed(daemon) < before + len(lines):
        time.sleep(0.05)
    return time.monotonic() - start, acknowledged


def copy_back(daemon, folder):
    """Seconds of psql's \\copy of the finished rows into empty tables with the same indexes."""
    for table in TABLES:
        daemon.psql(f"\\copy (SELECT * FROM cirt.{table}) TO '{folder}/{table}.copy'")
        daemon.psql(f"DROP TABLE IF EXISTS bench_{table}; CREATE TABLE bench_{table} (LIKE cirt.{table} INCLUDING ALL)")
    daemon.psql("CHECKPOINT")
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
        rate = {}
        ack = {}
        for name, lines in (("new", new), ("seen", new), ("half", half)):
            seconds, acknowledged = through_the_door(daemon, lines)
            rate[name], ack[name] = len(lines) / seconds, len(lines) / acknowledged
            if name == "new":
                rate["copy"] = count / copy_back(daemon, folder)
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
    finally:
        daemon.remove()
        programs.remove()
        subprocess.run(["rm", "-rf", str(folder)], check=False)


main()
