"""What system tests use: start a real cirtd, speak with its doors, look into its database."""
import contextlib
import datetime
import fcntl
import http.server
import ipaddress
import json
import os
import pathlib
import pwd
import shutil
import signal
import smtplib
import socket
import ssl
import subprocess
import tempfile
import threading
import time

import psycopg2
import psycopg2.extensions
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import ExtendedKeyUsageOID, NameOID

TOP = pathlib.Path(__file__).resolve().parents[2]
PLAIN_USER = "nobody"  # who runs daemons when the tests are run by root


def wait_for(condition, timeout=30, what="the condition", every=0.05):
    """Poll until condition() is true and return its value; fail with `what` after the time-out."""
    deadline = time.monotonic() + timeout
    while True:
        value = condition()
        if value:
            return value
        if time.monotonic() > deadline:
            raise AssertionError(f"waited {timeout} s for {what}")
        time.sleep(every)


class Ports:
    """Free loopback ports; a lock file keeps test processes that run side by side apart."""

    def __init__(self):
        self.locks = []

    def take(self):
        folder = pathlib.Path(tempfile.gettempdir()) / f"cirtd-ports-{os.getuid()}"
        folder.mkdir(exist_ok=True)
        while True:
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                port = probe.getsockname()[1]
                lock = open(folder / str(port), "w")
                try:
                    fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                except BlockingIOError:
                    lock.close()
                    continue
                self.locks.append(lock)
                return port

    def release(self):
        for lock in self.locks:
            lock.close()
        self.locks = []


class Programs:
    """A copy of what was built, readable for everybody."""

    def __init__(self, build):
        build = pathlib.Path(build)
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="cirtd-prog-"))
        self.folder.chmod(0o755)
        for name in ("cirtd", "cirt", "cirt-sensor"):
            shutil.copy(build / name, self.folder / name)
        self.cirtd = self.folder / "cirtd"
        self.cirt = self.folder / "cirt"
        self.cirt_sensor = self.folder / "cirt-sensor"
        self.plugins = self.folder / "plugins"
        self.plugins.mkdir()
        for module in build.glob("plugins/**/.libs/*.so"):
            shutil.copy(module, self.plugins / module.name)
        self.sql = self.folder / "sql"
        shutil.copytree(TOP / "sql", self.sql)
        self.rules = self.folder / "rules.d"
        shutil.copytree(TOP / "etc" / "rules.d", self.rules)
        self.templates = self.folder / "templates"
        shutil.copytree(TOP / "etc" / "templates", self.templates)
        subprocess.run(["chmod", "-R", "a+rX", self.folder], check=True)
        self.state = None
        self.leftover = []

    def first_state(self, certificates):
        """The state folder of a daemon that has been started once and ended: what most tests begin with, at a quarter of the time."""
        if not self.state:
            daemon = Daemon(self, certificates, fresh=True)
            try:
                daemon.start()
                assert daemon.stop() == 0
                (daemon.folder / "state").rename(self.folder / "state")
            finally:
                daemon.remove()
            self.state = self.folder / "state"
        return self.state

    def discard(self, folder):
        """Remove it without waiting: a database is some thousand files."""
        self.leftover.append(subprocess.Popen(["rm", "-rf", "--", str(folder)], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL))

    def remove(self):
        for process in self.leftover:
            process.wait(300)
        shutil.rmtree(self.folder, ignore_errors=True)


class Certificates:
    """An authority, the door's certificate, and good and bad sensor certificates."""

    def __init__(self, folder):
        self.folder = folder
        folder.mkdir()
        self.ca = self._authority("ca", "Test authority")
        self.other_ca = self._authority("other-ca", "Another authority")
        self.door = self.issue("door", "localhost", server=True)
        self.sensor = self.issue("sensor", "sensor-1.test")
        self.sensor2 = self.issue("sensor2", "sensor-2.test")
        self.unmapped = self.issue("unmapped", "nobody.test")
        self.expired = self.issue("expired", "sensor-1.test", days=-1)
        self.wrong = self.issue("wrong", "sensor-1.test", authority=self.other_ca)
        subprocess.run(["chmod", "-R", "a+rX", folder], check=True)

    def _write(self, name, certificate, key):
        pem = self.folder / f"{name}.pem"
        pem.write_bytes(certificate.public_bytes(serialization.Encoding.PEM))
        key_file = self.folder / f"{name}.key"
        key_file.write_bytes(key.private_bytes(
            serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
        key_file.chmod(0o644)
        return certificate, key, pem, key_file

    def _authority(self, name, title):
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, title)])
        certificate = self._builder(subject, subject, key, 3650).add_extension(
            x509.BasicConstraints(ca=True, path_length=None), critical=True).add_extension(
            x509.KeyUsage(False, False, False, False, False, True, True, False, False), critical=True).sign(key, hashes.SHA256())
        return self._write(name, certificate, key)

    @staticmethod
    def _builder(subject, issuer, key, days):
        now = datetime.datetime.utcnow()
        start = now - datetime.timedelta(days=30)
        return x509.CertificateBuilder().subject_name(subject).issuer_name(issuer).public_key(key.public_key()).serial_number(
            x509.random_serial_number()).not_valid_before(start).not_valid_after(now + datetime.timedelta(days=days))

    def issue(self, name, dns, server=False, days=365, authority=None):
        ca_certificate, ca_key, _, _ = authority or self.ca
        key = ec.generate_private_key(ec.SECP256R1())
        subject = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, name)])
        names = [x509.DNSName(dns)]
        if server:
            names.append(x509.IPAddress(ipaddress.ip_address("127.0.0.1")))
        usage = ExtendedKeyUsageOID.SERVER_AUTH if server else ExtendedKeyUsageOID.CLIENT_AUTH
        certificate = self._builder(subject, ca_certificate.subject, key, days).add_extension(
            x509.SubjectAlternativeName(names), critical=False).add_extension(
            x509.ExtendedKeyUsage([usage]), critical=False).sign(ca_key, hashes.SHA256())
        return self._write(name, certificate, key)

    def client_context(self, pair):
        context = ssl.create_default_context(cafile=str(self.ca[2]))
        if pair:
            context.load_cert_chain(str(pair[2]), str(pair[3]))
        return context


class Owner:
    """Connections as the database's owner that outlive a question: a psql for each costs tests more than what they ask."""

    def __init__(self, daemon):
        self.daemon = daemon
        self.idle = []

    def connect(self):
        passwords = (self.daemon.folder / "state" / "secrets" / "database").read_text()
        password = next(line.split(":", 1)[1] for line in passwords.splitlines() if line.startswith("cirt_owner:"))
        connection = psycopg2.connect(host=f"{self.daemon.folder}/run/postgres", dbname="cirt", user="cirt_owner", password=password,
                                      options="-c search_path=cirt,public", connect_timeout=30)
        connection.autocommit = True
        as_text = psycopg2.extensions.new_type(tuple(psycopg2.extensions.string_types), "AS_TEXT", lambda value, _: value)
        psycopg2.extensions.register_type(as_text, connection)
        return connection

    def take(self):
        """A session of this thread alone, in which nothing was set."""
        while self.idle:
            connection = self.idle.pop()
            with contextlib.suppress(psycopg2.OperationalError, psycopg2.InterfaceError):
                connection.cursor().execute("DISCARD ALL")
                return connection
        return self.connect()

    def ask(self, sql):
        try:
            connection = self.take()
            cursor = connection.cursor()
            cursor.execute(sql)
            rows = [["" if cell is None else cell for cell in row] for row in cursor.fetchall()] if cursor.description else []
        except (psycopg2.Error, OSError) as error:
            raise AssertionError(f"psql: {getattr(error, 'pgerror', None) or error}") from None
        self.idle.append(connection)
        return rows

    def close(self):
        while self.idle:
            self.idle.pop().close()


class Daemon:
    """A cirtd of its own. `conf` is extra configuration text; `as_root` keeps a user per room; `fresh` starts from nothing, others where
    one that was started once has ended."""

    def __init__(self, programs, certificates, conf="", as_root=False, plugins=("netinfo",), rules=None, sections=None, fresh=False):
        self.programs = programs
        self.certificates = certificates
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="cirtd-t-"))
        self.user = None if as_root or os.getuid() != 0 else PLAIN_USER
        self.fresh = fresh or as_root or "database" in (sections or {})
        self.folder.chmod(0o755)
        self.ports = Ports()
        self.lmtp_port = self.ports.take()
        self.smtp_port = self.ports.take()
        self.sensor_port = self.ports.take()
        self.socket = self.folder / "run" / "cirt.sock"
        self.log = self.folder / "log"
        self.process = None
        self.owner = Owner(self)
        self.rules = self.folder / "rules.d"
        shutil.copytree(rules or programs.rules, self.rules)
        (self.folder / "netinfo.csv").write_text(
            "203.0.113.0/24,64500,XX\n198.51.100.0/24,64501,NL\n2001:db8::/32,64503,XX\n")
        self.sections = {
            "lmtp": {"listen": [f"127.0.0.1:{self.lmtp_port}"]},
            "smtp": {"listen": [f"127.0.0.1:{self.smtp_port}"]},
            "sensor": {"listen": [f"127.0.0.1:{self.sensor_port}"], "certificate": certificates.door[2],
                       "key": certificates.door[3], "ca": certificates.ca[2]},
            "exchange": {"ca": certificates.ca[2]},
            "mail_out": {"templates": programs.templates},
            "triage": {"rules": self.rules, "plugins": list(plugins), "plugin_dir": programs.plugins},
            "plugin netinfo": {"database": self.folder / "netinfo.csv"},
        }
        for name, values in (sections or {}).items():
            self.sections.setdefault(name, {}).update(values)
        self.extra = conf
        self.write_conf()
        if self.user:
            who = pwd.getpwnam(self.user)
            for path in [self.folder, *self.folder.rglob("*")]:
                os.chown(path, who.pw_uid, who.pw_gid)

    def write_conf(self):
        def value(item):
            if isinstance(item, list):
                return "{" + ", ".join(value(one) for one in item) + "}"
            if isinstance(item, bool):
                return "yes" if item else "no"
            return json.dumps(str(item)) if not isinstance(item, int) else str(item)

        lines = [f'state = "{self.folder}/state"', f'run = "{self.folder}/run"', 'hostname = "cirt.example"']
        for name, values in self.sections.items():
            lines.append(name + " {")
            lines += [f"    {key} = {value(item)}" for key, item in values.items()]
            lines.append("}")
        (self.folder / "cirtd.conf").write_text("\n".join(lines) + "\n" + self.extra)

    def command(self, *arguments):
        command = [str(self.programs.cirtd), "-c", str(self.folder / "cirtd.conf"), "-S", str(self.programs.sql), *map(str, arguments)]
        if self.user:
            command = ["setpriv", "--reuid", self.user, "--regid", "nogroup", "--clear-groups", "--no-new-privs", *command]
        return command

    def environment(self):
        environment = dict(os.environ, ASAN_OPTIONS="detect_leaks=0:abort_on_error=1", UBSAN_OPTIONS="print_stacktrace=1",
                           XDG_STATE_HOME=f"{self.folder}/cirt-state")
        environment.pop("LD_PRELOAD", None)
        return environment

    def start(self, wait=True):
        if not self.fresh and not (self.folder / "state").exists():
            subprocess.run(["cp", "-a", self.programs.first_state(self.certificates), self.folder / "state"], check=True)
        log = open(self.log, "ab")
        self.process = subprocess.Popen(self.command(), stdin=subprocess.DEVNULL, stdout=log, stderr=log, cwd="/",
                                        env=self.environment(), start_new_session=True)
        log.close()
        if wait:
            self.wait_up()
        return self

    def wait_up(self, timeout=60):
        """Doors open and database there."""
        def up():
            if self.process.poll() is not None:
                raise AssertionError(f"cirtd ended with {self.process.returncode}:\n{self.log_text()[-4000:]}")
            status = self.cirt_try("status")
            return status and status["database"]["up"] and all(
                room["state"] == "running" for room in status["rooms"]) and self.accepts(self.sensor_port) and self.takes_mail()
        try:
            wait_for(up, timeout, "cirtd to be up", every=0.2)
        except AssertionError as error:
            raise AssertionError(f"{error}\n{self.log_text()[-6000:]}") from None

    @staticmethod
    def accepts(port):
        with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), timeout=5):
            return True
        return False

    def takes_mail(self):
        """Not told 451: intake has what it needs to say whose a mail is."""
        with contextlib.suppress(OSError, smtplib.SMTPException), smtplib.LMTP("127.0.0.1", self.lmtp_port, timeout=5) as door:
            door.ehlo_or_helo_if_needed()
            return door.mail("")[0] == 250 and door.rcpt("report@cirt.example")[0] != 451
        return False

    def log_text(self):
        return self.log.read_text(errors="replace") if self.log.exists() else ""

    def log_contains(self, text):
        return text in self.log_text()

    def stop(self, timeout=60):
        """SIGTERM and drain; the exit code."""
        if self.process and self.process.poll() is None:
            self.process.terminate()
        return self.process.wait(timeout) if self.process else None

    def kill(self):
        """kill -9 of the supervisor; its rooms must end by themselves."""
        self.process.kill()
        self.process.wait()

    def remove(self):
        self.owner.close()
        if self.process and self.process.poll() is None:
            self.process.terminate()
            try:
                self.process.wait(60)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()
        postmaster = self.postmaster()
        if postmaster:
            with contextlib.suppress(ProcessLookupError):
                os.kill(postmaster, signal.SIGQUIT)
        self.ports.release()
        if os.environ.get("CIRTD_KEEP"):
            print("kept:", self.folder)
        else:
            self.programs.discard(self.folder)

    # Processes

    def postmaster(self):
        """Its process id, from the data folder."""
        try:
            return int((self.folder / "state" / "postgres" / "postmaster.pid").read_text().split("\n")[0])
        except (FileNotFoundError, ValueError):
            return None

    def rooms(self):
        """(name, instance, pid) of every room, as /proc shows them: works without the desk."""
        found = []
        for proc in pathlib.Path("/proc").glob("[0-9]*"):
            with contextlib.suppress(OSError, IndexError, ValueError):
                stat = (proc / "stat").read_text().rsplit(")", 1)[1].split()
                if int(stat[1]) != self.process.pid or stat[0] == "Z":
                    continue
                arguments = (proc / "cmdline").read_bytes().decode().split("\0")
                if "--room" in arguments:
                    at = arguments.index("--room")
                    found.append((arguments[at + 1], int(arguments[at + 2] or 0), int(proc.name)))
        return sorted(found)

    def room_pid(self, name, instance=0):
        for found, number, pid in self.rooms():
            if (found, number) == (name, instance):
                return pid
        return None

    # The command cirt

    def cirt(self, *arguments, check=True, timeout=90, stdin=None):
        """Run `cirt --json …` and return what it prints, parsed; the CompletedProcess where check is False."""
        done = self.cirt_text("--json", *arguments, check=check, timeout=timeout, stdin=stdin)
        return json.loads(done.stdout) if check else done

    def cirt_text(self, *arguments, check=True, timeout=90, stdin=None):
        done = subprocess.run([str(self.programs.cirt), "--socket", str(self.socket), *map(str, arguments)], capture_output=True,
                              text=True, timeout=timeout, input=stdin, env=self.environment())
        if check and done.returncode != 0:
            raise AssertionError(f"cirt {' '.join(map(str, arguments))}: exit {done.returncode}\n{done.stdout}{done.stderr}")
        return done

    def cirt_try(self, *arguments):
        with contextlib.suppress(AssertionError, subprocess.TimeoutExpired, json.JSONDecodeError):
            return self.cirt(*arguments, timeout=10)
        return None

    def settle(self, seconds=60):
        """Wait until nothing is pending; the ledger, which must balance."""
        ledger = self.cirt("ledger", "--wait", seconds, timeout=seconds + 30)
        assert ledger["entries"]["pending"] == 0, f"still pending: {ledger}\n{self.log_text()[-3000:]}"
        assert ledger["balanced"] is True, f"the books do not balance: {ledger}"
        return ledger

    def reports(self, *arguments):
        """All pages of `cirt report list`."""
        return self.all_pages("report", "list", *arguments)

    def all_pages(self, *arguments):
        items, cursor = [], None
        while True:
            page = self.cirt(*arguments, "--limit", 500, *(["--cursor", cursor] if cursor else []))
            items += page["items"]
            cursor = page["next"]
            if not cursor:
                return items

    def add_sensor(self, name="sensor-1", san="sensor-1.test", *options):
        self.cirt("source", "add", name, "--kind", "sensor", "--match", f"san:{san}", "--tlp", "green", "--trust", 80, *options)

    def psql(self, sql):
        """Rows of a query as the database's owner, each a list of texts; of several, those of the last. A row of one empty text is none."""
        if "database" not in self.sections:
            return [row for row in self.owner.ask(sql) if row != [""]]
        done = subprocess.run(self.command("psql", "-X", "-A", "-t", "-F", "\x1f", "-v", "ON_ERROR_STOP=1", "-c", sql),
                              capture_output=True, text=True, timeout=600, env=self.environment())
        if done.returncode != 0:
            raise AssertionError(f"psql: {done.stderr}")
        return [line.split("\x1f") for line in done.stdout.splitlines() if line]

    def psql_file(self, path):
        """Run a file of SQL and psql commands as the database's owner."""
        subprocess.run(self.command("psql", "-X", "-q", "-v", "ON_ERROR_STOP=1", "-f", path), check=True, timeout=600,
                       capture_output=True, env=self.environment())

    # Doors

    def send_mail(self, message, recipients=("report@cirt.example",), sender="sender@mail.example", port=None, smtp=False):
        """Send by LMTP (or SMTP); the reply to the message, or raises what smtplib raises."""
        door = (smtplib.SMTP if smtp else smtplib.LMTP)("127.0.0.1", port or (self.smtp_port if smtp else self.lmtp_port), timeout=60)
        with door:
            door.ehlo_or_helo_if_needed()
            code, text = door.mail(sender)
            if code != 250:
                raise smtplib.SMTPResponseException(code, text)
            for recipient in recipients:
                code, text = door.rcpt(recipient)
                if code != 250:
                    raise smtplib.SMTPResponseException(code, text)
            code, text = door.data(message if isinstance(message, bytes) else message.encode())
            if code != 250:
                raise smtplib.SMTPResponseException(code, text)
            return text.decode()

    def sensor(self, pair=None, session=None, timeout=30):
        return Sensor(self, pair or self.certificates.sensor, session, timeout)

    def send_lines(self, lines, session=None):
        """Lines (dict or bytes) over one sensor connection; returns when all are acknowledged."""
        with self.sensor(session=session) as sensor:
            sensor.send(lines)
            sensor.wait_ack(len(lines) if session is None else sensor.sent)


class Sensor:
    """A sensor's connection."""

    def __init__(self, daemon, pair, session=None, timeout=30):
        raw = socket.create_connection(("127.0.0.1", daemon.sensor_port), timeout=timeout)
        self.socket = daemon.certificates.client_context(pair).wrap_socket(raw, server_hostname="localhost")
        self.acked = 0
        self.sent = 0
        self.buffer = b""
        if session:
            self.socket.sendall(json.dumps({"hello": {"session": session}}).encode() + b"\n")
            self.acked = self.sent = self.read_ack()

    def send(self, lines):
        data = b"".join((line if isinstance(line, bytes) else json.dumps(line).encode()) + b"\n" for line in lines)
        self.socket.sendall(data)
        self.sent += len(lines)

    def read_ack(self):
        while b"\n" not in self.buffer:
            more = self.socket.recv(65536)
            if not more:
                raise ConnectionError("the door closed")
            self.buffer += more
        line, self.buffer = self.buffer.split(b"\n", 1)
        return json.loads(line)["ack"]

    def wait_ack(self, count):
        while self.acked < count:
            self.acked = self.read_ack()
        return self.acked

    def close(self):
        with contextlib.suppress(OSError):
            self.socket.close()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.close()


class FeedServer:
    """An HTTPS server whose answers the test decides: `pages` maps a path to a function(request) → (status, headers, body)."""

    def __init__(self, certificates, pages):
        outer = self
        self.pages = pages
        self.requests = []

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_GET(self):
                outer.requests.append((self.path, dict(self.headers)))
                page = outer.pages.get(self.path.split("?")[0])
                status, headers, body = page(self) if page else (404, {}, b"")
                self.send_response(status)
                for name, value in headers.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            def log_message(self, *_):
                pass

        self.server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(str(certificates.door[2]), str(certificates.door[3]))
        self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def url(self, path):
        return f"https://localhost:{self.port}{path}"

    def close(self):
        self.server.shutdown()
        self.server.server_close()


def native(number=0, **changes):
    """A native line that differs from every other number's."""
    line = {"v": 1, "id": f"t-{number}", "type": "infected-system", "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime()),
            "source": {"ip": f"203.0.{(number >> 8) & 255}.{number & 255}"}, "malware": "mirai", "confidence": 80}
    line.update(changes)
    return line


def mail(subject="A report", body="The address is 198.51.100.7.\n", sender="citizen@mail.example", number=0):
    return (f"From: {sender}\r\nTo: report@cirt.example\r\nSubject: {subject}\r\nMessage-ID: <{number}-{time.time_ns()}@mail.example>\r\n"
            f"Date: Sun, 22 Nov 2026 08:00:00 +0000\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{body}").encode()
