"""Turn valid files into almost valid ones, by changing bytes anywhere or with knowledge of the format.

Every mutation is a function of the bytes and a `random.Random`. If it cannot parse the bytes, it changes them anywhere.
"""

import copy
import gzip
import hashlib
import io
import json
import struct
import warnings
import zipfile
import zlib

import numpy as np

LENGTHS = (0, 1, 2, 7, 8, 255, 2**15, 2**16 - 1, 2**31 - 1, 2**31, 2**32 - 1, 2**53, 2**63 - 1, 2**64 - 1)
JSON_VALUES = (
    None, True, False, 0, 1, -1, 3, 2**31, 2**53, 2**64, 10**30, 0.5, -0.5, 1e308, 1e-320, "", "0", "x" * 300, "relu",
    "\x1b[31m\n", "é", [], {}, [[]], [1, 2], {"kind": "Adam"}, {"kind": "tuple", "items": [1]},
    {"kind": "Constant", "value": 0.1}, {"kind": "float", "value": "nan"}, "float64", "F64", "input.scale",
)  # fmt: skip
FLOATS = (0.0, -0.0, 1.0, -1.0, float("nan"), float("inf"), -float("inf"), 3e38, 1e308, 1e-45, 5e-324)


def change_bytes(data, random):
    """Flip, insert, remove or repeat bytes, overwrite them with a critical number, or truncate."""
    data = bytearray(data)
    for _ in range(random.choice((1, 1, 1, 2, 4, 8))):
        at, size = random.randint(0, len(data)), random.choice((1, 1, 2, 4, 8, 32))
        kind = random.randrange(7)
        if kind == 0 and at < len(data):
            data[at] ^= 1 << random.randrange(8)
        elif kind == 1 and at < len(data):
            data[at] = random.choice((0, 1, 0x7F, 0x80, 0xFF, random.randrange(256)))
        elif kind == 2:
            data[at:at] = random.randbytes(size)
        elif kind == 3:
            del data[at : at + size]
        elif kind == 4:
            data[at:at] = data[at : at + size] * random.choice((1, 2, 30))
        elif kind == 5:
            width = random.choice((2, 4, 8))
            number = random.choice(LENGTHS) % 2 ** (8 * width)
            data[at : at + width] = number.to_bytes(width, random.choice(("little", "big")))
        elif len(data) > 8:
            del data[random.randint(0, len(data)) :]
    return bytes(data)


def or_bytes(change):
    """A mutation for a format that falls back to `change_bytes` if it cannot parse the bytes."""

    def changed(data, random):
        try:
            return change(data, random)
        except Exception:  # the format's library may raise anything for damaged bytes
            return change_bytes(data, random)

    return changed


def change_json(tree, random):
    """Copy a JSON value with one to three places replaced, removed, added, or copied from elsewhere in it."""
    tree = copy.deepcopy(tree)
    for _ in range(random.choice((1, 1, 2, 3))):
        places = list(_places(tree))
        if not places:
            return copy.deepcopy(random.choice(JSON_VALUES))
        parent, key = random.choice(places)
        kind = random.randrange(8)
        if kind < 4:
            value = parent[key]
            near = [value * 2, value + 1, -value] if type(value) in (int, float) else [[value], str(value)]
            parent[key] = copy.deepcopy(random.choice([*JSON_VALUES, *near]))
        elif kind < 6:
            other, its = random.choice(places)
            parent[key] = copy.deepcopy(other[its])
        elif kind == 6:
            del parent[key]
        elif isinstance(parent, dict):
            parent[random.choice(("extra", "x", "kind", "format", "0.weight"))] = copy.deepcopy(
                random.choice(JSON_VALUES)
            )
        else:
            parent.insert(key, copy.deepcopy(parent[key]))
    return tree


def _places(tree):
    """(container, key) of every nested value."""
    items = tree.items() if isinstance(tree, dict) else enumerate(tree) if isinstance(tree, list) else ()
    for key, value in items:
        yield tree, key
        yield from _places(value)


@or_bytes
def change_model(data, random):
    """Change a safetensors file: its header, the description in the header, or numbers in its arrays."""
    length = int.from_bytes(data[:8], "little")
    header, body = json.loads(data[8 : 8 + length]), data[8 + length :]
    metadata = header["__metadata__"]
    name = next(iter(metadata))
    description = json.loads(metadata[name])
    kind = random.randrange(8)
    if kind < 4:
        metadata[name] = json.dumps(change_json(description, random))
    elif kind == 4:
        header = change_json(header, random)
    elif kind == 5:
        body = change_numbers(body, random)
    elif kind == 6:
        return change_bytes(data, random)
    else:
        metadata[name] = metadata[name].replace(*random.choice(((":", ":" * 2), ("{", "[{"), ("1", "NaN"), ("0", "9"))))
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


def change_numbers(body, random):
    """Replace a float in the data by NaN, infinity, or a huge or tiny number."""
    code = random.choice(("<f", "<d"))
    size = struct.calcsize(code)
    body = bytearray(body)
    for _ in range(random.choice((1, 2, 5))):
        if len(body) >= size:
            at = random.randrange(len(body) // size) * size
            number = random.choice(FLOATS)
            body[at : at + size] = struct.pack("<f" if size == 4 and abs(number) < 3.4e38 else code, number % 1e38
                                               if size == 4 and abs(number) < float("inf") else number)  # fmt: skip
    return bytes(body)


@or_bytes
def change_checkpoint(data, random):
    """Change a checkpoint's contents and correct its checksum, or change it like a model's file."""
    if random.randrange(4) == 0:
        return change_model(data, random)
    length = int.from_bytes(data[:8], "little")
    header, body = json.loads(data[8 : 8 + length]), data[8 + length :]
    metadata = header["__metadata__"]
    text = metadata["fastmlp state"] = json.dumps(change_json(json.loads(metadata["fastmlp state"]), random))
    metadata["sha256"] = checksum(text, header, body)
    text = json.dumps(header).encode()
    return len(text).to_bytes(8, "little") + text + body


def checksum(text, header, body):
    """The checksum of a checkpoint: SHA-256 of the state and of all arrays by name."""
    total = hashlib.sha256(text.encode())
    for name in sorted(set(header) - {"__metadata__"}):
        begin, end = header[name]["data_offsets"]
        code = header[name]["dtype"]
        dtype = np.dtype(
            {"BOOL": "?", "F32": "f4", "I32": "i4", "U32": "u4", "U8": "u1"}.get(code, code[0].lower() + "8")
        )
        total.update(f"{name} {dtype} {tuple(header[name]['shape'])}".encode())
        total.update(body[begin:end])
    return total.hexdigest()


def change_packed(data, random, change):
    """Change what is inside gzip and compress it again, or compress plain contents."""
    if data[:2] == b"\x1f\x8b":
        try:
            inside = gzip.decompress(data)
        except (OSError, EOFError, zlib.error):
            return change_bytes(data, random)
        changed = change(inside, random)
        return changed if random.randrange(3) == 0 else gzip.compress(changed, 1, mtime=0)
    changed = change(data, random)
    return gzip.compress(changed, 1, mtime=0) if random.randrange(10) == 0 else changed


def change_idx(data, random):
    """Change the type code, rank or size of an IDX file, or any bytes."""
    data = bytearray(data)
    kind = random.randrange(4)
    if kind == 0 and len(data) > 3:
        data[random.choice((2, 3))] = random.choice((0, 1, 2, 3, 8, 9, 0x0B, 0x0C, 0x0D, 0x0E, 0x0F, 255))
    elif kind == 1 and len(data) >= 8:
        at = 4 + 4 * random.randrange(max(1, min(data[3], (len(data) - 4) // 4)))
        data[at : at + 4] = (random.choice(LENGTHS) % 2**32).to_bytes(4, "big")
    elif kind == 2 and len(data) > 4:
        data[3] = (data[3] + 1) % 256
        data[4:4] = (random.choice((0, 1, 2**32 - 1))).to_bytes(4, "big")
    else:
        return change_bytes(bytes(data), random)
    return bytes(data)


FIELDS = (
    b"", b" ", b"nan", b"inf", b"1e999", b"-0", b"1_0", b"0x1", b'"', b'""', b'"a\nb"', b'"a,b"', b"\xff", b"\0", b"\r",
    b"\xef\xbb\xbf", b"text", b"3,5", b"'", b"1" * 400, b"\x1b[31m", b"\xc2\x85", b"1;2", b"\t", b"class", b"9" * 20,
)  # fmt: skip


def change_csv(data, random):
    """Change fields, remove, repeat or join lines, change the delimiter, or change any bytes."""
    lines = data.split(b"\n")
    kind = random.randrange(7)
    at = random.randrange(len(lines))
    if kind < 3:
        delimiter = max((b",", b";", b"\t"), key=lines[at].count)
        fields = lines[at].split(delimiter)
        fields[random.randrange(len(fields))] = random.choice(FIELDS)
        lines[at] = delimiter.join(fields)
    elif kind == 3:
        del lines[at]
    elif kind == 4:
        lines[at:at] = [lines[at]] * random.choice((1, 2, 500))
    elif kind == 5:
        old, new = random.choice(((b",", b";"), (b",", b"\t"), (b"\n", b"\r\n"), (b",", b",,"), (b"\n", b"\r")))
        return data.replace(old, new)
    else:
        return change_bytes(data, random)
    return b"\n".join(lines)


NAMES = (
    "X",
    "y",
    "x",
    "X_train",
    "y_train",
    "X_test",
    "y_test",
    "../../X",
    "/X",
    "X/../y",
    "X\0",
    "..\\X",
    "",
    "X.npy",
)
HEADERS = (
    (b"(", b"(9"), (b"<f8", b"|O8"), (b"<f8", b"<f4"), (b"False", b"True"), (b"<i8", b"<U8"), (b"(", b"(-"),
    (b"8", b"99"), (b"descr", b"shape"), (b",", b""), (b"(", b"(" * 200), (b"f8", b"V8"), (b"<f8", b">f8"),
)  # fmt: skip


def change_npz(data, random):
    """Change names, headers or compression of the members, fields of the archive, or any bytes."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = [(info.filename, archive.read(info)) for info in archive.infolist()]
    except Exception:  # zipfile may raise anything
        return change_bytes(data, random)
    if not members or random.randrange(4) == 0:
        return change_bytes(data, random)
    at = random.randrange(len(members))
    name, content = members[at]
    kind = random.randrange(6)
    if kind == 0:
        members[at] = (random.choice(NAMES) + random.choice(("", ".npy")), content)
    elif kind < 3:
        members[at] = (name, content.replace(*random.choice(HEADERS), 1))
    elif kind == 3:
        members[at] = (name, change_bytes(content, random))
    elif kind == 4:
        members.append((random.choice(NAMES) + ".npy", content))
    else:
        del members[at]
    made = io.BytesIO()
    packing = random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA))
    with zipfile.ZipFile(made, "w", packing) as archive, warnings.catch_warnings():
        warnings.simplefilter("ignore")  # two members with the same name
        for name, content in members:
            archive.writestr(zipfile.ZipInfo(name or "_"), content, packing)
    changed = made.getvalue()
    return change_bytes(changed, random) if random.randrange(4) == 0 else changed
