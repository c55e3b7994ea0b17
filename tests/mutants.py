"""Files as a bad disk, a cut connection or an editor leaves them; seeded, so that a failure can be seen again."""

import random

ODD_NUMBERS = (
    b"nan",
    b"NaN",
    b"1e999",
    b"-1",
    b"0",
    b"1" * 5000,
    str(2**70).encode(),
    b"1.5",
    b"null",
    b"true",
    b'"x"',
)
ODD_TEXTS = (b"", b"\x00", b"\xff\xfe", b"\r", b"\n", b'"', b"\\", b",", b"\t", b"../../x", "é🙂\u2028".encode())
NESTED = b"[" * 5000


def flipped(data: bytes, rng: random.Random) -> bytes:
    """Return the bytes with one bit turned over."""
    changed = bytearray(data)
    changed[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    return bytes(changed)


def mutant(data: bytes, rng: random.Random) -> bytes:
    """Return the bytes changed in one to four places, in one of many ways."""
    for _ in range(rng.choice((1, 1, 1, 2, 4))):
        data = rng.choice(WAYS)(data, rng) if data else b""
    return data


def _cut(data: bytes, rng: random.Random) -> bytes:
    return data[: rng.randrange(len(data))]


def _missing(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data))
    return data[:start] + data[start + rng.randint(1, 200) :]


def _inserted(data: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(data))
    return data[:place] + rng.choice((rng.randbytes(rng.randint(1, 40)), *ODD_TEXTS)) + data[place:]


def _zeros(data: bytes, rng: random.Random) -> bytes:
    start, size = rng.randrange(len(data)), rng.randint(1, 600)
    return data[:start] + bytes(min(size, len(data) - start)) + data[start + size :]


def _repeated(data: bytes, rng: random.Random) -> bytes:
    start = rng.randrange(len(data))
    return data[:start] + data[start : start + rng.randint(1, 300)] * 2 + data[start:]


def _byte(data: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(data))
    return data[:place] + bytes([rng.randrange(256)]) + data[place + 1 :]


def _number(data: bytes, rng: random.Random) -> bytes:
    """Put an odd number in the place of one."""
    starts = [place for place in range(1, len(data)) if data[place : place + 1].isdigit()]
    if not starts:
        return _byte(data, rng)
    start = end = rng.choice(starts)
    while start and (data[start - 1 : start].isdigit() or data[start - 1 : start] in (b".", b"-")):
        start -= 1
    while end < len(data) and (data[end : end + 1].isdigit() or data[end : end + 1] == b"."):
        end += 1
    return data[:start] + rng.choice(ODD_NUMBERS) + data[end:]


def _nested(data: bytes, rng: random.Random) -> bytes:
    place = rng.randrange(len(data))
    return data[:place] + NESTED + data[place:]


WAYS = (flipped, flipped, _byte, _byte, _cut, _missing, _inserted, _zeros, _repeated, _number, _number, _nested)
