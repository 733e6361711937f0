"""Rows of the outbox, put there as the keeper puts them, and what became of them."""
import json

from harness import native, wait_for


def literal(text):
    return "NULL" if text is None else "'" + str(text).replace("'", "''") + "'"


class Outbox:
    """Organisation, contact and mails of a daemon."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.count = 0

    def sql(self, sql):
        """What psql prints: the first column, a line for each row."""
        return "\n".join(row[0] for row in self.daemon.psql(sql) if row).strip()

    def one(self, sql):
        return self.sql(sql).splitlines()[-1]

    def contact(self, name="SOC", organisation="City Hospital", email="soc@hospital.example", **columns):
        found = self.sql(f"SELECT id FROM organisation WHERE name = {literal(organisation)}").strip()
        if not found:
            self.daemon.psql(f"INSERT INTO organisation (name) VALUES ({literal(organisation)})")
            found = self.sql(f"SELECT id FROM organisation WHERE name = {literal(organisation)}").strip()
        columns = {"role": "security", "policy": "preferred", **columns, "organisation": found, "name": name, "email": email}
        self.daemon.psql("INSERT INTO contact (%s) VALUES (%s)" % (", ".join(columns), ", ".join(map(literal, columns.values()))))
        return int(self.one("SELECT max(id) FROM contact"))

    def reports(self, count=1, **changes):
        """Ids of new reports about addresses of their own."""
        self.count += 1
        tag = f"told-{self.count}"
        lines = [dict(native(0), id=f"{tag}-{number}", identifier=tag, source={"ip": f"203.0.113.{number + 1}", "port": 1024 + number}, **changes)
                 for number in range(count)]
        self.daemon.send_lines(lines)
        wait_for(lambda: int(self.one(f"SELECT count(*) FROM report WHERE identifier = {literal(tag)}")) == count, 60, "reports")
        return [int(line) for line in self.sql(f"SELECT id FROM report WHERE identifier = {literal(tag)} ORDER BY id").split()]

    def mail(self, contact=None, address="soc@hospital.example", reports=(), kind="notice", state="queued", **columns):
        """Its id. Rows first, then it is let go: the gate takes rows only before."""
        self.count += 1
        columns = {"recipient": "affected", **columns, "kind": kind, "state": "ready", "address": address,
                   "message_id": f"<test-{self.count}@cirt.example>"}
        if "fields" in columns:
            columns["fields"] = json.dumps(columns["fields"])
        if contact is not None:
            columns["contact"] = contact
            columns["organisation"] = self.one(f"SELECT organisation FROM contact WHERE id = {contact}")
        self.daemon.psql("INSERT INTO outbox (%s) VALUES (%s)" % (", ".join(columns), ", ".join(map(literal, columns.values()))))
        mail = int(self.one("SELECT max(id) FROM outbox"))
        if reports:
            wanted = ",".join(map(str, reports))
            self.daemon.psql(f"""INSERT INTO disclosure (report, outbox, cause, recipient, form, tlp, version, content)
                SELECT id, {mail}, 'new', 'affected', 'full', 'amber', now(), '{{}}' FROM unnest('{{{wanted}}}'::bigint[]) AS id""")
        self.daemon.psql(f"UPDATE outbox SET state = '{state}' WHERE id = {mail}")
        return mail

    def row(self, mail):
        return json.loads(self.one(f"SELECT to_jsonb(o) - 'bytes' || jsonb_build_object('digest', encode(sha256(bytes), 'hex')) "
                                   f"FROM outbox o WHERE id = {mail}"))

    def wait(self, mail, state, seconds=30):
        wait_for(lambda: self.row(mail)["state"] == state, seconds, f"mail {mail} to be {state}: {self.row(mail)}")
        return self.row(mail)

    def alarms(self, kind):
        return self.sql(f"SELECT subject || ': ' || text FROM alarm WHERE kind = '{kind}' AND ended IS NULL").strip()
