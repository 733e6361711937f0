"""What tests of encrypted and signed mail use: keyrings of senders, made with gpg, and mails made with them."""
import base64
import pathlib
import shutil
import subprocess
import tempfile
import time

PASSPHRASE = "correct horse battery staple"


class Keyring:
    """A GnuPG folder of somebody outside the daemon."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="cirtd-g-"))
        self.folder.chmod(0o700)
        (self.folder / "gpg-agent.conf").write_text("allow-loopback-pinentry\ndisable-scdaemon\ns2k-count 65536\n")

    def gpg(self, *arguments, stdin=b"", clock=None):
        command = ["gpg", "--homedir", str(self.folder), "--batch", "--no-tty", "--quiet", "--pinentry-mode", "loopback",
                   "--passphrase", PASSPHRASE, "--trust-model", "always", *(["--faked-system-time", clock] if clock else []), *arguments]
        done = subprocess.run(command, input=stdin, capture_output=True, timeout=60, check=False)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def make(self, who, passphrase=PASSPHRASE, expire="never", clock=None):
        """Sign with ed25519, encrypt with cv25519; the fingerprint."""
        self.gpg("--passphrase", passphrase, "--quick-gen-key", who, "ed25519", "sign", expire, clock=clock)
        key = self.fingerprint(who)
        self.gpg("--passphrase", passphrase, "--quick-add-key", key, "cv25519", "encr", expire, clock=clock)
        return key

    def fingerprint(self, who):
        for line in self.gpg("--with-colons", "--list-keys", who).decode().splitlines():
            if line.startswith("fpr:"):
                return line.split(":")[9]
        raise AssertionError(f"no key of {who}")

    def public(self, who):
        return self.gpg("--armor", "--export", who)

    def secret(self, who):
        return self.gpg("--armor", "--export-secret-keys", who)

    def take(self, key):
        self.gpg("--import", stdin=key)

    def encrypt(self, text, *to, sign=None):
        recipients = [word for one in to for word in ("--recipient", one)]
        signer = ["--sign", "--local-user", sign] if sign else []
        return self.gpg("--armor", "--encrypt", *recipients, *signer, stdin=text)

    def sign(self, text, who, clear=False, clock=None):
        return self.gpg("--armor", "--clearsign" if clear else "--detach-sign", "--local-user", who, stdin=text, clock=clock)

    def remove(self):
        subprocess.run(["gpgconf", "--homedir", str(self.folder), "--kill", "gpg-agent"], check=False)
        shutil.rmtree(self.folder, ignore_errors=True)


class Authority:
    """Certificates for S/MIME, made and used with openssl."""

    def __init__(self):
        self.folder = pathlib.Path(tempfile.mkdtemp(prefix="cirtd-c-"))
        self.openssl("req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", "ca.key", "-out", "ca.pem",
                     "-days", "30", "-subj", "/CN=Test authority")

    def openssl(self, *arguments, stdin=b""):
        done = subprocess.run(["openssl", *arguments], input=stdin, capture_output=True, timeout=60, check=False, cwd=self.folder)
        assert done.returncode == 0, done.stderr.decode()
        return done.stdout

    def issue(self, name, address, days=30, passphrase=None, own=False):
        """A certificate (self-signed where own) and its key; ECDSA to sign, and ECDH to be encrypted to."""
        self.openssl("req", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", *(["-passout", f"pass:{passphrase}"] if passphrase else ["-nodes"]),
                     "-keyout", f"{name}.key", "-out", f"{name}.csr", "-subj", f"/CN={name}/emailAddress={address}")
        (self.folder / "ext").write_text(f"subjectAltName=email:{address}\nextendedKeyUsage=emailProtection\n"
                                         "keyUsage=digitalSignature,keyAgreement\n")
        issuer = ["-signkey", f"{name}.key"] if own else ["-CA", "ca.pem", "-CAkey", "ca.key", "-CAcreateserial"]
        self.openssl("x509", "-req", "-in", f"{name}.csr", *issuer, "-days", str(days), "-extfile", "ext", "-out", f"{name}.pem",
                     *(["-passin", f"pass:{passphrase}"] if passphrase and own else []))

    def revoke(self, *names, days=30, ago=1):
        """A list of these revoked certificates, in PEM; days below 0: one that has expired."""
        lines = [f"R\t401231235959Z\t260101000000Z\t{self.serial(name)}\tunknown\t/CN={name}\n" for name in names]
        (self.folder / "index.txt").write_text("".join(lines))
        (self.folder / "ca.cnf").write_text("[ca]\ndefault_ca=own\n[own]\ndatabase=index.txt\ndefault_md=sha256\n")
        day = lambda offset: time.strftime("%Y%m%d%H%M%SZ", time.gmtime(time.time() + offset * 86400))
        return self.openssl("ca", "-config", "ca.cnf", "-gencrl", "-keyfile", "ca.key", "-cert", "ca.pem", "-crl_lastupdate", day(-ago),
                            "-crl_nextupdate", day(days)).decode()

    def serial(self, name):
        return self.openssl("x509", "-in", f"{name}.pem", "-noout", "-serial").decode().split("=")[1].strip()

    def pem(self, *names):
        return "".join((self.folder / name).read_text() for name in names)

    def digest(self, name):
        return self.openssl("x509", "-in", f"{name}.pem", "-noout", "-fingerprint", "-sha256").decode().split("=")[1].strip().replace(":", "")

    def encrypt(self, text, name):
        der = self.openssl("cms", "-encrypt", "-binary", "-aes-256-gcm", "-outform", "DER", f"{name}.pem", stdin=text)
        return base64.encodebytes(der)

    def sign(self, text, name, opaque=False):
        der = self.openssl("cms", "-sign", "-binary", *(["-nodetach"] if opaque else []), "-signer", f"{name}.pem", "-inkey", f"{name}.key",
                           "-outform", "DER", stdin=text)
        return base64.encodebytes(der)

    def remove(self):
        shutil.rmtree(self.folder, ignore_errors=True)


def smime(subject, body, kind, sender="alice@partner.example"):
    return headers(subject, sender) + (
        f'Content-Type: application/pkcs7-mime; smime-type={kind}; name="smime.p7m"\r\nContent-Transfer-Encoding: base64\r\n'
        'Content-Disposition: attachment; filename="smime.p7m"\r\n\r\n').encode() + body.replace(b"\n", b"\r\n")


def headers(subject, sender="alice@partner.example"):
    return (f"From: {sender}\r\nTo: report@cirt.example\r\nSubject: {subject}\r\nDate: Sun, 22 Nov 2026 10:00:00 +0000\r\n"
            f"Message-ID: <{abs(hash(subject))}@partner.example>\r\nMIME-Version: 1.0\r\n").encode()


def encrypted(subject, armour, sender="alice@partner.example"):
    """PGP/MIME (RFC 3156 section 4)."""
    return headers(subject, sender) + (
        b'Content-Type: multipart/encrypted; protocol="application/pgp-encrypted"; boundary=enc\r\n\r\n'
        b"--enc\r\nContent-Type: application/pgp-encrypted\r\n\r\nVersion: 1\r\n\r\n"
        b"--enc\r\nContent-Type: application/octet-stream\r\n\r\n" + armour.replace(b"\n", b"\r\n") + b"\r\n--enc--\r\n")


def signed(subject, part, signature, sender="alice@partner.example", kind="pgp", after=b""):
    """multipart/signed (RFC 1847); part ends without its last line end, as it was signed."""
    protocol = "application/pgp-signature" if kind == "pgp" else "application/pkcs7-signature"
    encoding = b"" if kind == "pgp" else b"Content-Transfer-Encoding: base64\r\n"
    return headers(subject, sender) + (
        f'Content-Type: multipart/signed; micalg="pgp-sha256"; protocol="{protocol}"; boundary=sig\r\n\r\n').encode() + (
        b"--sig\r\n" + part + b"\r\n--sig\r\nContent-Type: " + protocol.encode() + b"\r\n" + encoding + b"\r\n" +
        signature.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n") + b"\r\n" + after + b"--sig--\r\n")


def part(text, kind="text/plain; charset=utf-8"):
    return f"Content-Type: {kind}\r\n\r\n{text}".replace("\r\n", "\n").replace("\n", "\r\n").encode()


# GnuPG below the room keys


def commands_below(pid):
    """(pid, command line) of what a process has started, and of what was left to it."""
    found = []
    for proc in pathlib.Path("/proc").glob("[0-9]*"):
        try:
            if int((proc / "stat").read_text().rsplit(")", 1)[1].split()[1]) == pid:
                found.append((int(proc.name), (proc / "cmdline").read_bytes().decode(errors="replace").split("\0")))
        except (OSError, ValueError):
            continue
    return found


def children_of(pid):
    """(pid, program) of them."""
    return [(child, command[0]) for child, command in commands_below(pid)]


def agent_of(daemon):
    return next((pid for pid, program in children_of(daemon.room_pid("keys")) if program.endswith("gpg-agent")), None)


def opening_of(daemon):
    """The GnuPG that has an encrypted part in hand; no other job's."""
    room = daemon.room_pid("keys")
    jobs = [pid for pid, program in children_of(room) if not program.endswith("gpg-agent")] if room else []
    return next((pid for job in [room, *jobs] if job for pid, command in commands_below(job) if "--decrypt" in command), None)
