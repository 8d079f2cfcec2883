"""Excel workbooks: sheets, headers, types of cells, and files that are not what they seem."""

import datetime
import os
import subprocess
import sys
import zipfile

import openpyxl
import pytest
from table_values import columns

from fastmlp.tables.reading import read_table

TABLES = os.path.join(os.environ.get("FASTMLP_DATA", "none"), "tables")


def saved(path, *sheets):
    """A workbook with these sheets, each a list of rows."""
    book = openpyxl.Workbook()
    book.remove(book.active)
    for i, rows in enumerate(sheets):
        sheet = book.create_sheet(f"sheet {i}")
        for row in rows:
            sheet.append(row)
    book.save(path)
    return path


@pytest.fixture
def path(tmp_path):
    rows = [
        ["n", "x", "town", "day", "time", "yes", "n"],
        [1, 1.5, "Ulm", datetime.date(2024, 5, 6), datetime.time(12, 30), True, 1],
        [],
        [None, "#DIV/0!", "NA", datetime.date(2024, 5, 7), None, False, 2],
        [3, 2, " Bonn ", None, datetime.time(9), None, 3, "note"],
        [None, None],
    ]
    return saved(tmp_path / "towns.xlsx", rows, [["a"], [7]])


def test_types_of_cells(path):
    assert columns(read_table(path)) == {
        "n": ("BIGINT", ["1", None, "3"]), "x": ("DOUBLE", ["1.5", None, "2.0"]),
        "town": ("VARCHAR", ["Ulm", None, "Bonn"]),
        "day": ("TIMESTAMP", ["2024-05-06 00:00:00", "2024-05-07 00:00:00", None]),
        "time": ("TIME", ["12:30:00", None, "09:00:00"]), "yes": ("BOOLEAN", ["true", "false", None]),
        "n_1": ("BIGINT", ["1", "2", "3"]), "column_7": ("VARCHAR", [None, None, "note"]),
    }  # fmt: skip


@pytest.mark.parametrize("sheet", [1, -1, "sheet 1"])
def test_a_sheet_by_name_or_position(path, sheet):
    assert columns(read_table(path, sheet=sheet)) == {"a": ("BIGINT", ["7"])}


@pytest.mark.parametrize(
    ("sheet", "words"), [("sheet 2", "did you mean 'sheet 1'"), (2, "sheet=2 is not there; the sheets are sheet 0, ")]
)
def test_a_sheet_that_is_not_there(path, sheet, words):
    with pytest.raises(ValueError, match=words):
        read_table(path, sheet=sheet)


def test_the_header_may_be_lower_or_missing(tmp_path):
    path = saved(tmp_path / "a.xlsx", [["Report of May"], [], ["size", "price"], [1, 2.5]])
    assert columns(read_table(path, target="price")) == {"size": ("BIGINT", ["1"]), "price": ("DOUBLE", ["2.5"])}
    assert read_table(path, drop=["Report of May"]).names == ("column_1",)
    path = saved(tmp_path / "b.xlsx", [[1, "x"], [2, "y"]])
    assert columns(read_table(path, header=False)) == {
        "column_0": ("BIGINT", ["1", "2"]), "column_1": ("VARCHAR", ["x", "y"])
    }  # fmt: skip


def test_the_contents_tell_the_format(path):
    assert len(read_table(path.rename(path.with_suffix(".csv")))) == 3


@pytest.mark.parametrize("rows", [[], [["a", "b"]], [[None]]])
def test_a_sheet_without_rows(tmp_path, rows):
    with pytest.raises(ValueError, match=r"a\.xlsx has no rows"):
        read_table(saved(tmp_path / "a.xlsx", rows))


def test_a_sheet_that_claims_to_be_huge(tmp_path):
    book = openpyxl.Workbook()
    book.active.append(["a"])
    book.active.append([1])
    book.active["XFD1048576"] = 5
    book.save(tmp_path / "a.xlsx")
    assert columns(read_table(tmp_path / "a.xlsx")) == {
        "a": ("BIGINT", ["1", None]), "column_16383": ("BIGINT", [None, "5"])
    }  # fmt: skip


def test_bombs_are_refused(tmp_path):
    path = saved(tmp_path / "a.xlsx", [["x" * 30_000] * 100] * 3)
    with pytest.raises(ValueError, match=r"a\.xlsx: it unpacks to more, more than max_bytes=20000"):
        read_table(path, max_bytes=20_000)
    path = saved(tmp_path / "b.xlsx", [["a"], *([[None] * 5000 + [1]] * 50)])
    with pytest.raises(ValueError, match=r"b\.xlsx: its cells take more, more than max_bytes=1000000"):
        read_table(path, max_bytes=1_000_000)


def test_damaged_files_are_named(path, tmp_path):
    contents = path.read_bytes()
    other = tmp_path / "other.xlsx"
    for bad in (contents[:-30], contents[:2000] + b"?" * 500 + contents[2500:]):
        other.write_bytes(bad)
        with pytest.raises(ValueError, match=r"other\.xlsx"):
            read_table(other)
    with zipfile.ZipFile(other, "w") as archive:
        archive.writestr("[Content_Types].xml", "<Types")
    with pytest.raises(ValueError, match=r"other\.xlsx is damaged"):
        read_table(other)
    other.write_bytes(b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + bytes(600))
    with pytest.raises(ValueError, match=r"other\.xlsx is of Excel's old format; save it as \.xlsx or as CSV"):
        read_table(other)


def test_an_entity_that_unfolds_is_refused(path, tmp_path):
    bomb = "".join(f'<!ENTITY l{i} "{f"&l{i - 1};" * 10 if i else "lol" * 100}">' for i in range(9))
    with zipfile.ZipFile(path) as archive, zipfile.ZipFile(tmp_path / "bomb.xlsx", "w") as made:
        for name in archive.namelist():
            text = archive.read(name).decode()
            if name.endswith("sheet1.xml"):
                unfolded = "<sheetData><row><c><v>&l8;</v></c></row>"
                text = f"<!DOCTYPE x [{bomb}]>" + text.replace("<sheetData>", unfolded)
            made.writestr(name, text)
    with pytest.raises(ValueError, match=r"bomb\.xlsx is damaged"):
        read_table(tmp_path / "bomb.xlsx")


def test_several_workbooks_are_refused(path):
    saved(path.with_name("again.xlsx"), [["a"], [1]])
    with pytest.raises(ValueError, match="stands for 2 workbooks"):
        read_table(f"{path.parent}/*.xlsx")


def test_without_openpyxl_a_sentence_says_what_to_install(path):
    code = (
        "import sys; sys.modules['openpyxl'] = None\nfrom fastmlp.tables.reading import read_table\n"
        f"try: read_table({str(path)!r})\nexcept ImportError as error: print(error)"
    )
    result = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert result.stdout == "reading Excel needs openpyxl: pip install 'fastmlp[excel]'\n"


@pytest.mark.mnist
@pytest.mark.skipif(not os.path.isdir(TABLES), reason="FASTMLP_DATA names no folder with tables")
def test_energy_efficiency():
    table = read_table(os.path.join(TABLES, "ENB2012_data.xlsx"))
    assert table.names == ("X1", "X2", "X3", "X4", "X5", "X6", "X7", "X8", "Y1", "Y2")
    assert table.types == ("DOUBLE",) * 5 + ("BIGINT", "DOUBLE", "BIGINT", "DOUBLE", "DOUBLE")
    assert len(table) == 768
