"""Tables in every format: a file gives a table whose values can be read, or one sentence that names it.

The mutations know where a format keeps what it declares: the footer of Parquet, the messages of Arrow, the XML inside
of a workbook.
"""

import io
import json
import zipfile

from fuzz import mutations
from fuzz.watch import FoundError, check_sentence

from fastmlp.tables.database import connect
from fastmlp.tables.options import Options
from fastmlp.tables.reading import open_table

MOST_BYTES = 2**25
"""The limit for what a file may unpack to."""
WORDS = (
    b"", b" ", b"?", b"NA", b"-1", b"1e999", b"nan", b"9" * 40, b"'", b'"', b"''", b"\\", b"{", b"}", b"{0 1}", b"%",
    b"@data", b"@attribute x {a,b}", b"\t", b",", b"\xff", b"\0", b"\r", b"class", b"meta", b"c", b"d", b"C#", b"mS#x",
    b"a" * 3000, b"\x1b[31m", b"\xef\xbb\xbf", b"2024-05-06", b"12:30", b"[]", b"[[", b"{}", b"null", b"NaN",
    b"\xc2\x85", b"\xed\xa0\x80",
)  # fmt: skip
XML = (
    (b"<v>", b"<v>9"), (b"<v>", b"<v>x"), (b't="s"', b't="d"'), (b't="s"', b't="n"'), (b't="n"', b't="s"'),
    (b't="n"', b't="b"'), (b't="n"', b't="e"'), (b'r="A', b'r="XFD'), (b'r="2"', b'r="1048576"'), (b'r="A2"', b'r=""'),
    (b"</row>", b""), (b"<row", b"<row><row"), (b"<sheetData>", b"<sheetData/>"), (b"<c ", b'<c s="9999" '),
    (b"dimension ref", b'dimension ref="A1:XFD1048576" x'), (b"<v>0</v>", b"<v>1e400</v>"), (b"<v>", b"<f>A1</f><v>"),
    (b'count="', b'count="9'), (b"http", b"ftp"), (b"?>", b'?><!DOCTYPE x [<!ENTITY a "b">]>'), (b"<si>", b"<si/><si>"),
)  # fmt: skip


class _Database:
    """A connection for many files, since a new one takes longer than a small file."""

    connection = None
    uses = 0

    def use(self):
        if self.uses % 100 == 0:
            self.connection = connect()
            self.connection.execute("SET threads = 1")  # waiting threads would count as time
        self.uses += 1
        self.connection.execute("DROP TABLE IF EXISTS held")
        return self.connection

    def leave(self):
        """Take a new connection next time: an error inside of the database makes this one useless."""
        self.uses = 0


DATABASE = _Database()


def run(path, folder):
    """Read a file, eagerly or lazily, with all its values."""
    before = set(folder.rglob("*"))
    try:
        lazy = path.stat().st_size % 2 == 1
        table = open_table(DATABASE.use(), path, Options(max_bytes=MOST_BYTES, lazy=lazy))
        values = table.select({f"v{j}": f"c{j}" for j in range(min(len(table.names), 50))})
        repr(table)
        if {len(array) for array in values.values()} != {len(table)}:
            raise FoundError("columns of different lengths")
    except (ValueError, MemoryError) as error:
        if "INTERNAL" in str(error) or "FATAL" in str(error):
            DATABASE.leave()
        check_sentence(error, path)
    if set(folder.rglob("*")) - before:
        raise FoundError("a file was written")


def change_ends(data, random):
    """Change bytes at one of the ends, where formats keep what they declare, or anywhere."""
    size = random.choice((64, 256, 1024))
    kind = random.randrange(4)
    if kind == 0:
        return mutations.change_bytes(data, random)
    if kind == 1:
        return mutations.change_bytes(data[:size], random) + data[size:]
    tail = data[-8:] if random.randrange(4) else b""
    body = data[: len(data) - len(tail)]
    return body[:-size] + mutations.change_bytes(body[-size:], random) + tail


def change_numbers(data, random):
    """Put a critical number in the place of one of the file's own, or change the ends."""
    if random.randrange(2):
        return change_ends(data, random)
    data = bytearray(data)
    for _ in range(random.choice((1, 1, 2))):
        width = random.choice((1, 2, 4, 8))
        at = random.randrange(max(1, len(data) // width)) * width
        old = int.from_bytes(data[at : at + width], "little")
        new = random.choice((*mutations.LENGTHS, old + 1, old - 1, 2 * old, -old)) % 2 ** (8 * width)
        data[at : at + width] = new.to_bytes(width, "little")
    return bytes(data)


def change_lines(data, random):
    """Change words and lines of a text."""
    lines = data.split(b"\n")
    at, kind = random.randrange(len(lines)), random.randrange(7)
    if kind < 3:
        mark = max((b",", b"\t", b" "), key=lines[at].count)
        words = lines[at].split(mark)
        words[random.randrange(len(words))] = random.choice(WORDS)
        lines[at] = mark.join(words)
    elif kind == 3:
        del lines[at]
    elif kind == 4:
        lines.insert(random.randrange(len(lines)), lines[at])
    elif kind == 5:
        lines.insert(at, random.choice(WORDS))
    else:
        return mutations.change_bytes(data, random)
    return b"\n".join(lines)


def change_json(data, random):
    """Change the tree of a JSON document, one of its lines, or its text."""
    if random.randrange(3) == 0:
        return change_lines(data, random)
    try:
        return json.dumps(mutations.change_json(json.loads(data), random)).encode()
    except ValueError:
        lines = data.split(b"\n")
        at = random.randrange(len(lines))
        try:
            lines[at] = json.dumps(mutations.change_json(json.loads(lines[at]), random)).encode()
        except ValueError:
            return mutations.change_bytes(data, random)
        return b"\n".join(lines)


def change_workbook(data, random):
    """Change the XML of one member of a workbook, leave one out, or change any bytes."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = {name: archive.read(name) for name in archive.namelist()}
    except Exception:  # zipfile may raise anything
        return mutations.change_bytes(data, random)
    if not members or random.randrange(6) == 0:
        return mutations.change_bytes(data, random)
    sheets = [name for name in members if name.startswith(("xl/worksheets", "xl/shared"))]
    name = random.choice(sheets if sheets and random.randrange(4) else list(members))
    kind = random.randrange(8)
    if kind < 5:
        old, new = random.choice(XML)
        members[name] = members[name].replace(old, new, random.choice((1, 1, 3, -1)))
    elif kind < 7:
        members[name] = mutations.change_bytes(members[name], random)
    elif not name.startswith("["):  # without [Content_Types].xml it is an archive like others
        del members[name]
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", random.choice((zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED))) as archive:
        for name, content in members.items():
            archive.writestr(zipfile.ZipInfo(name), content)
    return made.getvalue()


CHANGES = {
    "parquet": change_numbers, "arrow": change_numbers, "json": change_json, "excel": change_workbook,
    "arff": change_lines, "orange": change_lines,
}  # fmt: skip
"""The formats, each with its mutation."""
