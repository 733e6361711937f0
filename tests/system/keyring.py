"""What tests of encrypted and signed mail use: keyrings of senders, made with gpg, and mails made with them."""
import email.message
import os
import pathlib
import shutil
import signal
import subprocess
import tempfile

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
