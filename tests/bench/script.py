#!/usr/bin/python3
"""The forty-line script that cirtd is measured beside: JSON, batches of 1,000, ON CONFLICT. No TLS, no spool, no ledger."""
import hashlib
import json
import sys

import psycopg2
from psycopg2.extras import execute_values

SCHEMA = """
CREATE TABLE IF NOT EXISTS script_event (
    fingerprint bytea PRIMARY KEY, type text, ip inet, identifier text, doc text,
    first_seen timestamptz, last_seen timestamptz, count bigint);
CREATE INDEX IF NOT EXISTS script_ip ON script_event (ip);
CREATE INDEX IF NOT EXISTS script_identifier ON script_event (identifier);
"""
MERGE = """
INSERT INTO script_event VALUES %s ON CONFLICT (fingerprint) DO UPDATE
SET last_seen = greatest(script_event.last_seen, excluded.last_seen), count = script_event.count + excluded.count
"""


def rows(lines):
    found = {}
    for line in lines:
        event = json.loads(line)
        key = "|".join((event["type"], event.get("identifier", ""), event["source"]["ip"]))
        digest = hashlib.sha256(key.encode()).digest()[:16]
        if digest in found:
            found[digest][-1] += 1
        else:
            found[digest] = [digest, event["type"], event["source"]["ip"], event.get("identifier"), line, event["time"], event["time"], 1]
    return list(found.values())


def main():
    connection = psycopg2.connect("")
    cursor = connection.cursor()
    cursor.execute(SCHEMA)
    with open(sys.argv[1], encoding="utf-8") as file:
        lines = file.read().splitlines()
    for start in range(0, len(lines), 1000):
        execute_values(cursor, MERGE, rows(lines[start:start + 1000]), page_size=1000)
        connection.commit()


main()
