"""Bad input by construction: mails, archives, bundles and lines that are each too deep, too many, too long or not what they say."""
import base64
import io
import json
import struct
import tarfile
import zipfile
import zlib

HEAD = b"From: torture@mail.example\r\nTo: report@cirt.example\r\nDate: Sun, 22 Nov 2026 08:00:00 +0000\r\n"


def message(subject, headers=b"", body=b"text\r\n"):
    return HEAD + b"Subject: " + subject.encode() + b"\r\n" + headers + b"\r\n" + body


def attached(subject, name, data, text=b"see http://torture.example/\r\n"):
    return message(subject, b'MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary="frontier"\r\n',
                   b"--frontier\r\nContent-Type: text/plain\r\n\r\n" + text + b"\r\n--frontier\r\n"
                   b'Content-Type: application/octet-stream; name="' + name + b'"\r\nContent-Transfer-Encoding: base64\r\n'
                   b'Content-Disposition: attachment; filename="' + name + b'"\r\n\r\n' + base64.encodebytes(data) + b"--frontier--\r\n")


def multiparts(depth):
    """A multipart in a multipart …"""
    opened = b"".join(b"Content-Type: multipart/mixed; boundary=b%d\r\n\r\n--b%d\r\n" % (i, i) for i in range(depth))
    return HEAD + b"Subject: multiparts\r\n" + opened + b"Content-Type: text/plain\r\n\r\ncore\r\n"


def messages(depth):
    """A message in a message …"""
    return HEAD + b"Subject: messages\r\n" + b"Content-Type: message/rfc822\r\n\r\n" * depth + b"Subject: core\r\n\r\ntext\r\n"


def many_headers(count):
    return message("many headers", b"".join(b"X-Header-%d: value\r\n" % i for i in range(count)))


def long_header(size):
    return message("long header", b"X-Long: " + b"a" * size + b"\r\n")


def folded_header(size):
    return message("folded header", b"X-Long: a\r\n" + b" a\r\n" * (size // 4))


def long_address_list(count):
    return message("addresses", b"Cc: " + b", ".join(b"(c%d) \"n\" <a%d@mail.example>" % (i, i) for i in range(count)) + b"\r\n")


def continuations(count):
    """RFC 2231: a file name in thousands of pieces, doubled, out of order, one of them missing."""
    pieces = b"".join(b";\r\n name*%d*=%%41" % i for i in [*range(count), 0, 1, 10 * count])
    return message("continuations", b"Content-Type: application/octet-stream; name*0*=x-none'en'a" + pieces + b"\r\n", b"data\r\n")


def encoded_words(count):
    odd = [b"=?utf-8?B?w6k=?=", b"=?utf-8?Q?=C3?=", b"=?x-none?B?AAAA?=", b"=?utf-8?B?====?=", b"=?utf-8?X?a?=", b"=?utf-8?B?",
           b"=?utf-8*en?Q?a?=", b"=?utf-16?B?2AA=?=", b"=?utf-7?Q?+AAA-?=", b"?=?=?=", b"=?us-ascii?Q?=0D=0AInjected:_x?="]
    return message("\r\n ".join((odd[i % len(odd)]).decode() for i in range(count)))


def parts(count):
    return message("many parts", b"Content-Type: multipart/mixed; boundary=p\r\n",
                   b"".join(b"--p\r\n\r\n%d\r\n" % i for i in range(count)) + b"--p--\r\n")


def nuls_and_line_ends():
    return (b"From: torture@mail.example\nSubject: line ends\r\nX-Nul: a\0b\r\nContent-Type: text/plain\r\n\n"
            b"one\rtwo\nthree\r\nfour\0five\r\r\n\n\r198.51.100.99\0\r\n")


def broken_base64():
    return message("broken base64", b"Content-Type: application/octet-stream; name=a.bin\r\nContent-Transfer-Encoding: base64\r\n",
                   b"!!!!AAAA====BBBB\r\n\xff\xfe=A=B=\r\n" + b"A" * 100001 + b"\r\n")


# Archives

def zipped(members, method=zipfile.ZIP_DEFLATED):
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", method) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return out.getvalue()


def flat_bomb(size):
    return zipped([("zeros", bytes(size))])


def nested_bomb(depth, width):
    """Like 42.zip: archives of archives, each many times, with much nothing in the innermost."""
    data = zipped([("zeros", bytes(4 << 20))])
    for _ in range(depth):
        data = zipped([(f"{i}.zip", data) for i in range(width)])
    return data


def overlapping_bomb(count, size):
    """Every entry of the central directory is the same local file, which libarchive shows once."""
    packer = zlib.compressobj(9, zlib.DEFLATED, -15)
    packed = packer.compress(bytes(size)) + packer.flush()
    crc = zlib.crc32(bytes(size))
    local = struct.pack("<IHHHHHIIIHH", 0x04034b50, 20, 0, 8, 0, 0, crc, len(packed), size, 1, 0) + b"a" + packed
    entry = struct.pack("<IHHHHHHIIIHHHHHII", 0x02014b50, 20, 20, 0, 8, 0, 0, crc, len(packed), size, 1, 0, 0, 0, 0, 0, 0) + b"a"
    end = struct.pack("<IHHHHIIH", 0x06054b50, 0, 0, count, count, count * len(entry), len(local), 0)
    return local + entry * count + end


def encrypted_zip(password, name, data):
    """ZipCrypto, as the specification of PKWARE has it."""
    keys = [0x12345678, 0x23456789, 0x34567890]

    def update(byte):
        keys[0] = zlib.crc32(bytes([byte]), keys[0] ^ 0xffffffff) ^ 0xffffffff
        keys[1] = ((keys[1] + (keys[0] & 0xff)) * 134775813 + 1) & 0xffffffff
        keys[2] = zlib.crc32(bytes([keys[1] >> 24]), keys[2] ^ 0xffffffff) ^ 0xffffffff

    def encrypt(plain):
        out = bytearray()
        for byte in plain:
            mask = (keys[2] | 2) & 0xffff
            out.append(byte ^ ((mask * (mask ^ 1)) >> 8 & 0xff))
            update(byte)
        return bytes(out)

    for byte in password:
        update(byte)
    crc = zlib.crc32(data)
    cipher = encrypt(bytes(11) + bytes([crc >> 24]) + data)
    local = struct.pack("<IHHHHHIIIHH", 0x04034b50, 20, 1, 0, 0, 0, crc, len(cipher), len(data), len(name), 0) + name + cipher
    entry = struct.pack("<IHHHHHHIIIHHHHHII", 0x02014b50, 20, 20, 1, 0, 0, 0, crc, len(cipher), len(data), len(name), 0, 0, 0, 0, 0, 0)
    end = struct.pack("<IHHHHIIH", 0x06054b50, 0, 0, 1, 1, len(entry) + len(name), len(local), 0)
    return local + entry + name + end


def tar_of_nothing(count):
    out = io.BytesIO()
    with tarfile.open(fileobj=out, mode="w:gz", compresslevel=1) as archive:
        for i in range(count):
            archive.addfile(tarfile.TarInfo(f"{i}"))
    return out.getvalue()


def huge_tar_entry():
    """A sparse promise: a member that says it has 8 EB, a folder that says it has some."""
    file, folder = tarfile.TarInfo("file"), tarfile.TarInfo("folder")
    file.size = folder.size = (1 << 62)
    folder.type = tarfile.DIRTYPE
    return folder.tobuf(tarfile.GNU_FORMAT) + file.tobuf(tarfile.GNU_FORMAT) + bytes(2048)


def slip_names():
    return zipped([("../../../../etc/passwd", b"x"), ("/etc/shadow", b"y"), ("C:\\Windows\\win.ini", b"z"), ("a\0b", b"n"), ("..", b"d")])


# JSON

def indicator(number, **more):
    return {"type": "indicator", "spec_version": "2.1", "id": f"indicator--{number:08x}-0000-4000-8000-000000000000",
            "created": "2026-11-22T10:00:00.000Z", "modified": "2026-11-22T10:00:00.000Z", "name": f"torture {number}",
            "pattern": f"[ipv4-addr:value = '203.0.113.{number % 250}']", "pattern_type": "stix", "valid_from": "2026-11-22T10:00:00Z", **more}


def bundle(*objects):
    """Good ones, and between them texts that are not."""
    return (b'{"type":"bundle","id":"bundle--00000000-0000-4000-8000-000000000000","objects":[' +
            b",".join(one if isinstance(one, bytes) else json.dumps(one).encode() for one in objects) + b"]}")
