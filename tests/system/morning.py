"""A national CIRT's morning, made from a seed: who is served, who is to be told, what the feeds bring; and an oracle of its own,
which says from the same facts, without a look at the daemon, who has to be told what, in which form, and who must not."""
import dataclasses
import datetime
import ipaddress
import random

# Shadowserver's reports, and after how many days what they tell is said again: shorter where a machine is in strange hands.
TYPES = {
    "scan_rdp": 30, "scan_smb": 30, "scan_telnet": 30, "scan_vnc": 30, "scan_mongodb": 30, "scan_redis": 30, "scan_mysql": 30,
    "scan_postgres": 30, "scan_elasticsearch": 30, "scan_docker": 30, "scan_ftp": 30, "scan_mqtt": 30, "scan_ntp": 30, "scan_snmp": 30,
    "scan_dns": 30, "scan_ssdp": 30, "scan_memcached": 30, "scan_ldap_udp": 30, "scan_portmapper": 30, "scan_netbios": 30, "scan_mdns": 30,
    "scan_ipmi": 30, "scan_exchange": 30, "scan_http_vulnerable": 30, "scan_isakmp": 30, "scan_cwmp": 30, "scan_ssl_poodle": 30,
    "scan_ssl_freak": 30, "scan_tftp": 30, "scan_xdmcp": 30, "population_http_proxy": 30, "event4_ip_spoofer": 30,
    "event4_honeypot_brute_force": 30, "event4_honeypot_rdp_scan": 30, "compromised_website": 7, "compromised_iot": 7,
    "event4_sinkhole": 7, "event4_sinkhole_http": 7, "event4_ddos_participant": 7, "event4_microsoft_sinkhole": 7}
SUPPRESSED = "scan_ntp"

# Rules besides those that are there: what `cirt rule new` is told. expect() says the same in its own words.
PILOTS = ("Organisation 02", "Organisation 03")
RULES = (
    ("clocks", "--identifier", "ntp-version", "--suppress"),
    ("press", "--group", "media-houses", "--to", "security", "--repeat", "3d"),
    ("en-route", "--org", "Organisation 05", "--to", "security", "--language", "fr"),
    ("pilots-telnet", "--group", "pilots", "--identifier", "open-telnet", "--suppress", "--before", "press"))
SPEAKS = {"soc@org5.example": "fr"}  # by a rule, and not as the contact would have it

# What becomes of mails to them: their server finds nobody, or has no room that day, or says no at once.
UNKNOWN, FULL, REFUSED = "soc@org7.example", "soc@org10.example", "soc@org15.example"
NO_KEY = "soc@org18.example"

# Sources: name, TLP, PAP, whether those affected may be told. Names are canaries: no mail says who told it to us.
SOURCES = {
    "list-clear-zebra": ("clear", "clear", True), "list-green-okapi": ("green", "green", True), "list-amber-tapir": ("amber", "amber", True),
    "list-strict-dingo": ("amber+strict", "amber", True), "list-red-quokka": ("red", "red", True),
    "list-asks-numbat": ("green", "green", False)}
KINDS = ("government", "bank", "isp", "hospital", "utility", "education", "media", "business")
LANGUAGES = ("en", "fr", "es")
FORMATS = ("csv", "xarf", "inline")
HEADER = "timestamp,severity,ip,protocol,port,hostname,tag,asn,geo,region,city,naics,sector,http_agent"


@dataclasses.dataclass
class Contact:
    email: str
    language: str
    format: str
    policy: str = "preferred"
    key: str = ""  # "pgp", "smime", ""
    role: str = "security"


@dataclasses.dataclass
class Organisation:
    name: str
    kind: str
    sector: str
    contacts: list
    prefixes: tuple = ()
    asn: int = 0
    domain: str = ""
    country: str = ""


@dataclasses.dataclass
class Row:
    key: str  # the address or name that it is about: no two rows have the same
    type: str
    source: str
    owner: object  # Organisation, or None
    country: str
    canary: str
    asn: int = 0

    def line(self, at):
        address, name = (self.key, "") if not self.key.endswith(".example") else ("", self.key)
        return f"{at:%Y-%m-%d %H:%M:%S},high,{address},tcp,{1000 + len(self.key)},{name},,{self.asn or ''},{self.country},,,0,,{self.canary}"


class World:
    def __init__(self, seed=20261124, rows=3000):
        self.random = random.Random(seed)
        self.organisations = [self._organisation(n) for n in range(60)]
        self.cirt = Organisation("CERT-NL", "national-cirt", "", [Contact("desk@cert-nl.example", "en", "csv")], country="NL")
        self.abuse = {"DE": "abuse@hoster.example"}
        self.rows = self._rows(rows)

    def _organisation(self, n):
        policy, key = (("required", "pgp"), ("preferred", "pgp"), ("never", ""), ("preferred", ""), ("required", "smime"),
                       ("preferred", ""))[n % 6]
        first = Contact(f"soc@org{n}.example", LANGUAGES[n % 3], FORMATS[(n // 3) % 3], policy, key)
        contacts = [first]
        if n in (12, 18):  # wants it encrypted, and has no key: another of theirs has one, or nobody has
            first.key = ""
            contacts += [Contact(f"it@org{n}.example", first.language, first.format, "preferred", "pgp", "technical")] if n == 12 else []
        if n in (20, 26):
            contacts = []
        holds = {"prefixes": (f"198.18.{n}.0/24", f"2001:db8:{n:x}::/48")} if n < 45 else {"asn": 64600 + n} if n < 52 else {"domain": f"org{n}.example"}
        if n == 44:
            holds["prefixes"] += ("198.18.3.64/26",)  # inside what organisation 3 holds
        return Organisation(f"Organisation {n:02}", KINDS[n % len(KINDS)], ("health", "energy", "finance", "state")[n % 4], contacts, **holds)

    def _places(self):
        """Whom a row is about: (key, owner, country, asn), without end, none twice."""
        seen = set()
        while True:
            n, dice = self.random.randrange(60), self.random.random()
            owner, asn, country = self.organisations[n], 0, "EX"
            if dice < 0.05:
                country = self.random.choice(("NL", "DE", "FR"))
                owner, key = None, f"198.19.{ {'NL': 200, 'DE': 201, 'FR': 202}[country]}.{self.random.randrange(1, 255)}"
            elif owner.asn:
                asn, key = owner.asn, f"198.19.{self.random.randrange(100)}.{self.random.randrange(1, 255)}"
            elif owner.domain:
                key = f"h{self.random.randrange(1000)}.{owner.domain}"
            elif dice < 0.15:
                key = str(ipaddress.ip_address(f"2001:db8:{n:x}::{self.random.randrange(1, 65536):x}"))
            else:
                key = f"198.18.{n}.{self.random.randrange(1, 255)}"
                if ipaddress.ip_address(key) in ipaddress.ip_network("198.18.3.64/26"):
                    owner = self.organisations[44]
            if key not in seen:
                seen.add(key)
                yield key, owner, country, asn

    def _rows(self, count):
        places = self._places()
        found = []
        for n in range(count):
            type_ = list(TYPES)[n % len(TYPES)]
            source = list(SOURCES)[(n // len(TYPES)) % len(SOURCES)]
            key, owner, country, asn = next(places)
            found.append(Row(key, type_, source, owner, country, f"canary{n:05}{SOURCES[source][0].replace('+', '')}", asn))
        return found

    def register(self, fingerprints):
        """Lines of JSON, as `cirt org import` reads them. fingerprints: of the contacts' keys, by address."""
        yield {"group": "media-houses", "title": "All that print and broadcast", "kind": "media"}
        yield {"group": "pilots"}
        for one in [*self.organisations, self.cirt]:
            yield {"name": one.name, "kind": one.kind, "sector": one.sector, "country": one.country, "prefixes": list(one.prefixes),
                   "asns": [str(one.asn)] if one.asn else [], "domains": [one.domain] if one.domain else [],
                   "groups": ["pilots"] if one.name in PILOTS else [],
                   "contacts": [{"role": contact.role, "email": contact.email, "language": contact.language, "format": contact.format,
                                 "policy": contact.policy, **({contact.key: fingerprints[contact.email]} if contact.key else {})}
                                for contact in one.contacts]}

    def files(self, rows, at=None):
        """{(source, file name): bytes} as Shadowserver names them: one a type and source."""
        at = at or datetime.datetime.utcnow() - datetime.timedelta(minutes=5)
        found = {}
        for row in rows:
            name = f"{at:%Y-%m-%d}-{row.type}-exampleland-asn.csv"
            found.setdefault((row.source, name), [HEADER]).append(row.line(at))
        return {where: ("\n".join(lines) + "\n").encode() for where, lines in found.items()}

    # The oracle.

    @staticmethod
    def contact(organisation):
        """Who is told of what belongs to an organisation; None: nobody is known."""
        if not organisation or not organisation.contacts:
            return None
        first = organisation.contacts[0]
        if first.policy == "required" and not first.key:
            return next((other for other in organisation.contacts if other.key), first)
        return first

    def whom(self, row):
        """(address, what it is to the row, contact or None); (None, outcome, None) where there is nobody."""
        if row.owner:
            contact = self.contact(row.owner)
            return (contact.email, "affected", contact) if contact else (None, "no-contact", None)
        if row.country == self.cirt.country:
            return self.cirt.contacts[0].email, "foreign", self.cirt.contacts[0]
        if row.country in self.abuse:
            return self.abuse[row.country], "provider", None
        return None, "not-ours", None

    @staticmethod
    def suppressed(row):
        return row.type == SUPPRESSED or (row.type == "scan_telnet" and row.owner is not None and row.owner.name in PILOTS)

    @staticmethod
    def repeat(row):
        """After how many days it is said again."""
        return 3 if row.owner is not None and row.owner.kind == "media" else TYPES[row.type]

    @staticmethod
    def verdict(source, recipient):
        tlp, pap, may = SOURCES[source]
        if recipient == "provider" and pap == "red":
            return "held"
        if not may:
            return "asks-permission"
        if tlp in ("red", "amber+strict"):
            return "sanitised" if recipient == "affected" else "asks-permission"
        if recipient == "provider":
            return {"clear": "full", "green": "sanitised", "amber": "approve"}[tlp]
        return "approve" if recipient == "foreign" and tlp == "amber" else "full"

    def expect(self, rows):
        """({(address, form, approvals): {rows' keys}}, {outcome: {rows' keys}})."""
        mails, not_told = {}, {}
        for row in rows:
            address, recipient, _ = self.whom(row)
            verdict = "suppressed" if self.suppressed(row) else recipient if not address else self.verdict(row.source, recipient)
            if verdict in ("full", "sanitised", "approve"):
                form = "sanitised" if verdict == "sanitised" else "full"
                mails.setdefault((address, form, 2 if verdict == "approve" else 0), set()).add(row.key)
            else:
                not_told.setdefault(verdict, set()).add(row.key)
        return mails, not_told

    def told_in_full(self, rows):
        """Which canaries each address may see: {address: {canary}}."""
        found = {}
        for row in rows:
            address, recipient, _ = self.whom(row)
            if address and not self.suppressed(row) and self.verdict(row.source, recipient) in ("full", "approve"):
                found.setdefault(address, set()).add(row.canary)
        return found

    def contacts(self):
        """(organisation, contact) of all."""
        return [(organisation, contact) for organisation in [*self.organisations, self.cirt] for contact in organisation.contacts]
