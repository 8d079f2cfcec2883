"""fastmlp.data.readers.csv_source: from bytes to rows of fields."""

import gzip
import tracemalloc

import pytest

from fastmlp.data.readers.csv_source import DELIMITERS, Row, as_number, looks_like_header, read_rows


def rows_of(tmp_path, contents, **options):
    path = tmp_path / "table.csv"
    path.write_bytes(contents if isinstance(contents, bytes) else contents.encode())
    return list(read_rows(path, **options))


@pytest.mark.parametrize("delimiter", DELIMITERS)
@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
@pytest.mark.parametrize("n_rows", [1, 2, 50])
def test_delimiters_and_line_ends_are_found(tmp_path, delimiter, end, n_rows):
    line = f'a b{delimiter} "x{delimiter}y" {delimiter}3'.replace('" ', '"')
    rows = rows_of(tmp_path, (line + end) * n_rows)
    assert [row.fields for row in rows] == [["a b", f"x{delimiter}y", "3"]] * n_rows


def test_a_semicolon_wins_over_decimal_commas_and_a_comma_over_odd_semicolons(tmp_path):
    assert rows_of(tmp_path, "1,5;2,5\n3,5;4,5\n")[0].fields == ["1,5", "2,5"]
    assert rows_of(tmp_path, "a;b,1\nc,2\n")[0].fields == ["a;b", "1"]


def test_a_given_delimiter_is_used(tmp_path):
    assert rows_of(tmp_path, "a,b|c\n", delimiter="|")[0].fields == ["a,b", "c"]


def test_byte_order_mark_gzip_and_blanks_around_fields(tmp_path):
    contents = "\ufeffcaf\u00e9 ,  2\n".encode()
    for stored in (contents, gzip.compress(contents)):
        assert rows_of(tmp_path, stored) == [Row(1, ["caf\u00e9", "2"], 10)]


def test_lines_are_counted_as_an_editor_does(tmp_path):
    rows = rows_of(tmp_path, '\na,b\n\n"two\nlines",1\n\n\nc,2')
    assert rows == [Row(2, ["a", "b"], 4), Row(5, ["two\nlines", "1"], 14), Row(8, ["c", "2"], 3)]


def test_an_empty_line_in_a_single_column_is_a_blank_field(tmp_path):
    assert [row.fields for row in rows_of(tmp_path, "1\n\n3\n")] == [["1"], [""], ["3"]]


def test_a_quoted_field_across_the_end_of_the_sample_does_not_spoil_the_delimiter(tmp_path):
    contents = "1;2\n" * 19 + '"a\nb";2\n' + "1;2\n"
    assert rows_of(tmp_path, contents)[-2].fields == ["a\nb", "2"]


@pytest.mark.parametrize(
    ("contents", "message"),
    [
        ("a,b\n1,2\n1,2,3\n", "line 3 has 3 fields, the lines before have 2"),
        ("a,b\n\n1\n", "line 3 has 1 fields, the lines before have 2"),
        ('a,b\n"open,2\n3,4\n', "line 3 is not valid CSV"),
        ('a,b\n"x"y,2\n', "line 2 is not valid CSV"),
        ('a\tb\n"x"y\t2\n', r"line 2 is not valid CSV .'\\t' expected after"),
        (b"a,b\n1,\xff\n", "is not UTF-8 text"),
        ("a,b\n1,2\n".encode("utf-16-le"), "line 1 holds a zero byte"),
        ("a,b\n" + "1" * 200_000 + ",2\n", "line 2 is not valid CSV .field larger"),
        (gzip.compress(b"a,b\n1,2\n", mtime=0)[:-3], "gzip data end too early"),
    ],
)
def test_broken_files_are_value_errors_naming_file_and_line(tmp_path, contents, message):
    with pytest.raises(ValueError, match=message) as caught:
        rows_of(tmp_path, contents)
    assert "table.csv" in str(caught.value)


def test_one_endless_line_in_a_gzip_bomb_is_cut_off(tmp_path):
    bomb = gzip.compress(bytes([48]) * 50_000_000, compresslevel=1)
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match="line 1 is longer than 1048576 characters"):
            rows_of(tmp_path, bomb)
        assert tracemalloc.get_traced_memory()[1] < 16e6
    finally:
        tracemalloc.stop()


def test_a_reader_left_early_closes_the_file(tmp_path):
    path = tmp_path / "table.csv"
    path.write_text("a,b\n" * 100)
    rows = read_rows(path)
    next(rows)
    rows.close()  # an open file would be a ResourceWarning, and warnings are errors
    path.unlink()


@pytest.mark.parametrize(
    ("text", "number"),
    [("1", 1.0), ("-1.5E3", -1500.0), (".5", 0.5), ("1_0", None), ("", None), ("0x1", None), ("1,5", None)],
)
def test_what_counts_as_a_number(text, number):
    assert as_number(text) == number


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([], False),
        ([["a", "b"]], False),
        ([["a", "b"], ["1", "x"]], True),
        ([["1", "2"], ["1", "2"]], False),
        ([["x", "y"], ["x", "z"]], False),
        ([["", "x"], ["1", "y"]], False),
        ([["a", "b"], ["", "x"], ["2", "x"]], True),
        ([["a", "1"], ["b", "2"]], False),
    ],
)
def test_header_detection(rows, expected):
    assert looks_like_header([Row(i, fields) for i, fields in enumerate(rows)]) is expected


def peak_of_refused(path, message, **options):
    """The most memory that reading takes until the file is refused with this message."""
    tracemalloc.start()
    try:
        with pytest.raises(ValueError, match=message) as refused:
            for _ in read_rows(path, **options):
                pass
        assert str(refused.value).startswith(str(path))
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


BOMBS = {
    "columns": (b"1," * 500_000 + b"1\n", "has 500001 columns; expected 100000 at most"),
    "a quote without end": (b'a,b\n1,"' + b"x,\n" * 5_000_000, "not valid CSV .field larger than field limit"),
    "quotes that close": ((b"1," * 500_000 + b'"\n",') * 30, "the row that begins on line 1 is longer"),
    "text": (b"1,2\n" * 300_000, r"at least 1000000 characters of text, more than max_bytes=999999; increase"),
    "empty lines": (b"\n" * 1_100_000, "at least 1000000 characters of text, more than max_bytes=999999; increase"),
}  # fmt: skip


@pytest.mark.parametrize("name", BOMBS)
def test_a_small_packed_file_cannot_unfold_without_end(name, tmp_path):
    contents, message = BOMBS[name]
    path = tmp_path / "bomb.csv.gz"
    path.write_bytes(gzip.compress(contents, 6))
    assert path.stat().st_size < 60_000
    assert peak_of_refused(path, message, max_bytes=999_999 if "max_bytes" in message else 2**40) < 40e6
