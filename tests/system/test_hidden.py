"""EICAR's test file, however it is wrapped, is found by its rule; through the door, in a worker in its sandbox."""
import base64
import binascii
import gzip
import io
import json
import lzma
import quopri
import tarfile
import zipfile

import pytest

from torture import encrypted_zip, zipped

# In two pieces, so that no virus scanner takes this file for it.
EICAR = b"X5O!P%@AP[4\\PZX54(P^)7CC)7}$" + b"EICAR-STANDARD-ANTIVIRUS-TEST-FILE!$H+H*"
BASE64 = base64.b64encode(EICAR)
QUOTED = b"".join(b"=%02X" % byte for byte in EICAR)


def uuencoded(data):
    lines = [binascii.b2a_uu(data[at:at + 45]) for at in range(0, len(data), 45)]
    return b"begin 644 a.com\n" + b"".join(lines) + b"`\nend\n"


def tarred(mode, data=EICAR):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode=mode) as archive:
        info = tarfile.TarInfo("dir/a.com")
        info.size = len(data)
        archive.addfile(info, io.BytesIO(data))
    return out.getvalue()


def attachment(data, name=b"a.bin"):
    return (b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\ndecoy\r\n--x\r\nContent-Type: application/octet-stream; name=" + name +
            b"\r\nContent-Transfer-Encoding: base64\r\n\r\n" + base64.encodebytes(data) + b"--x--\r\n")


def leaf(encoding, body, kind=b"application/octet-stream"):
    return b"Content-Type: " + kind + b"\r\nContent-Transfer-Encoding: " + encoding + b"\r\n\r\n" + body + b"\r\n"


PART = leaf(b"base64", BASE64)
DOCUMENT = zipped([("[Content_Types].xml", b"<Types/>"), ("word/vbaProject.bin", EICAR)])

WRAPPINGS = {
    "base64": leaf(b"base64", BASE64),
    "quoted-printable": leaf(b"quoted-printable", quopri.encodestring(EICAR)),
    "every byte quoted": leaf(b"quoted-printable", QUOTED),
    "uuencode": leaf(b"x-uuencode", uuencoded(EICAR)),
    "uuencode under another name": leaf(b"uuencode", uuencoded(EICAR)),
    "uuencode in a text": b"\r\nsee below\r\n" + uuencoded(EICAR),
    "base64 in a text": b"\r\nsee below\r\n" + BASE64 + b"\r\n",
    "base64 in short lines": b"\r\nsee below\r\n" + b"\r\n".join(BASE64[i:i + 4] for i in range(0, len(BASE64), 4)) + b"\r\n",
    "base64 in a quote": b"\r\nsomebody wrote:\r\n> " + BASE64 + b"\r\n",
    "base64 in base64": leaf(b"base64", base64.b64encode(BASE64)),
    "base64 with rubbish": leaf(b"base64", b"!.\r\n".join(BASE64[i:i + 7] for i in range(0, len(BASE64), 7))),
    "base64 with padding within": leaf(b"base64", base64.b64encode(EICAR[:31]) + base64.b64encode(EICAR[31:])),
    "not base64 at all": leaf(b"base64", EICAR),
    "unknown encoding, quoted": leaf(b"x-unknown", QUOTED),
    "encoding with a comment": leaf(b"base64 (really)", BASE64),
    "two encodings": b"Content-Transfer-Encoding: 7bit\r\n" + leaf(b"quoted-printable", QUOTED),
    "two types": b"Content-Type: text/plain\r\nContent-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n" + PART + b"--x--\r\n",
    "two boundaries": b"Content-Type: multipart/mixed; boundary=a; boundary=b\r\n\r\n--a\r\n\r\ndecoy\r\n--a--\r\n--b\r\n" + PART + b"--b--\r\n",
    "the other of two boundaries": b"Content-Type: multipart/mixed; boundary=b; boundary=a\r\n\r\n--a\r\n\r\ndecoy\r\n--a--\r\n--b\r\n" + PART + b"--b--\r\n",
    "a boundary in pieces": b'Content-Type: multipart/mixed; boundary*0="a"; boundary*1="b"\r\n\r\n--ab\r\n' + PART + b"--ab--\r\n",
    "a boundary that begins another": b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\nContent-Type: multipart/mixed; boundary=xy\r\n\r\n--xy\r\n"
                                      + PART + b"--xy--\r\n--x--\r\n",
    "a multipart without boundary": b"Content-Type: multipart/mixed\r\n\r\n--x\r\n" + PART + b"--x--\r\n",
    "the preamble": b"Content-Type: multipart/mixed; boundary=x\r\n\r\n" + EICAR + b"\r\n--x\r\n\r\ndecoy\r\n--x--\r\n",
    "the epilogue": b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\ndecoy\r\n--x--\r\n" + BASE64 + b"\r\n",
    "a charset in pieces": leaf(b"base64", base64.b64encode(EICAR.decode().encode("utf-16le")), b"text/plain; charset*0=utf-; charset*1=16le"),
    "a folded name": leaf(b"base64", BASE64, b"application/octet-stream; name=\"a\r\n .exe\""),
    "a name in pieces": leaf(b"base64", BASE64, b"application/octet-stream; name*0*=utf-8''a%2e; name*1=exe"),
    "a message of no known kind": b"Content-Type: message/x-odd\r\n\r\n" + EICAR + b"\r\n",
    "a message in base64": leaf(b"base64", base64.encodebytes(b"Subject: inner\r\n" + attachment(EICAR)), b"message/rfc822"),
    "a link with data": b"Content-Type: text/html\r\n\r\n<a href='data:application/zip;base64," + BASE64 + b"'>x</a>\r\n",
    "zip": attachment(zipped([("a.com", EICAR)])),
    "zip behind a picture": attachment(b"GIF89a" + bytes(1000) + zipped([("a.com", EICAR)])),
    "zip in front of a zip": attachment(zipped([("a.com", EICAR)]) + zipped([("decoy.txt", b"nothing")])),
    "zip in zip in zip": attachment(zipped([("b.zip", zipped([("c.zip", zipped([("a.com", EICAR)]))]))])),
    "zip in base64 in a text": b"\r\nhere it is:\r\n\r\n" + base64.encodebytes(zipped([("a.com", EICAR)])),
    "zip in uuencode": b"\r\nhere it is:\r\n" + uuencoded(zipped([("a.com", EICAR)])),
    "zip behind a password": attachment(encrypted_zip(b"infected", b"a.com", EICAR)),
    "zip behind a password of the text": (b"Content-Type: multipart/mixed; boundary=x\r\n\r\n--x\r\n\r\nPassword: Sommer24!\r\n--x\r\n" +
                                          leaf(b"base64", base64.encodebytes(encrypted_zip(b"Sommer24!", b"a.com", EICAR))) + b"--x--\r\n"),
    "lzma in zip": attachment(zipped([("a.com", EICAR)], zipfile.ZIP_LZMA)),
    "tar": attachment(tarred("w")),
    "tar.gz": attachment(tarred("w:gz")),
    "tar.bz2": attachment(tarred("w:bz2")),
    "tar.xz": attachment(tarred("w:xz")),
    "gzip": attachment(gzip.compress(EICAR)),
    "xz": attachment(lzma.compress(EICAR)),
    "an office document": attachment(DOCUMENT, b"offer.docm"),
    "an office document in a zip": attachment(zipped([("offer.docm", DOCUMENT)])),
    "a mail in a zip": attachment(zipped([("a.eml", b"Subject: inner\r\n" + attachment(EICAR))])),
}


@pytest.fixture(scope="module")
def verdicts(daemon):
    """Title of each mail, and its report as JSON."""
    for name, body in WRAPPINGS.items():
        daemon.send_mail(b"From: wrap@mail.example\r\nTo: report@cirt.example\r\nMIME-Version: 1.0\r\nSubject: " + name.encode() + b"\r\n" + body)
    daemon.settle(120)
    assert all(room["restarts"] == 0 for room in daemon.cirt("status")["rooms"])
    return {one["title"]: json.dumps(daemon.cirt("report", "show", one["id"])) for one in daemon.reports("--source", "report")}


@pytest.mark.parametrize("name", WRAPPINGS)
def test_eicar_is_found(verdicts, name):
    assert "eicar.yar/eicar_test_file" in verdicts[name] or "eicar_test_file" in verdicts[name]
