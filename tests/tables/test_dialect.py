"""Dialects: found from a few lines."""

import pytest

from fastmlp.tables.dialect import BLANKS, Dialect, cut, find_dialect
from fastmlp.tables.options import Options


def found(text, **options):
    return find_dialect(text, Options(**options))


@pytest.mark.parametrize(
    ("text", "delimiter", "names"),
    [
        ("a,b\n1,2\n", ",", ("a", "b")),
        ("a\tb\n1\t5 apples\n2\t6 pears\n", "\t", ("a", "b")),
        ("a|b\n1|2,5\n", "|", ("a", "b")),
        ("a b\n1   2.5\n 2 3\n", BLANKS, ("a", "b")),
        ('mpg n\tx\tname\n18.0   8  1\t"a b"\n15.0   8  2\t"c d"\n', BLANKS, ("mpg", "n", "x", "name")),
        ("1.5 2.5\t3\n1.5 2.5\t\t3\n", BLANKS, ("column_0", "column_1", "column_2")),
        ("1,5 2,5 3,5\n2,5 3,5 4,5\n", BLANKS, ("column_0", "column_1", "column_2")),
        ("when,x\n2020-01-01 10:00,5\n2020-01-01 11:00,6\n", ",", ("when", "x")),
        ("2020-01-01 10:00,5\n2020-01-01 11:00,6\n", ",", ("column_0", "column_1")),
        ("New York,USA\nLos Angeles,USA\nSan Jose,USA\n", ",", ("column_0", "column_1")),
        ('"a;b",c\n"x;y",1\n', ",", ("a;b", "c")),
        ("word\nfoo, bar\nbaz\nqux, a, b\n", "\t", ("word",)),
        ("x\n1\n2\n", "\t", ("x",)),
    ],
)
def test_the_delimiter_cuts_all_rows_alike(text, delimiter, names):
    dialect = found(text)
    assert (dialect.delimiter, dialect.names) == (delimiter, names)


@pytest.mark.parametrize(
    ("text", "is_header"),
    [
        ("a,b\n1,x\n2,y\n", True),
        ("M,0.5\nF,0.4\nM,0.3\n", False),  # numbers above numbers
        ("3,?,2.5,a\n2,131,-0.14,b\n2,144,0.62,b\n", False),  # a missing value is no name
        ("cap,odor\nbell,none\nflat,foul\nbell,foul\n", True),  # texts that never come again
        ("p,x\ne,x\np,y\ne,x\n", False),
        ("day,x\n2020-01-31,a\n2020-02-01,a\n", True),
        ("unknown,1\n5,2\nunknown,3\n7,4\n8,1\n9,2\n1,2\n2,2\n3,2\n4,2\n5,2\n6,2\n7,2\n", False),  # it comes again
        ("0,1,2\n-0.3,-0.6,-0.9\n", True),  # as pandas numbers columns
        (",0,1\n0,0.5,2\n1,0.25,3\n", True),
        ("0,1,2,3\n5,6,7,8\n", True),
        ("0,1\n0,0\n1,0\n1,1\n", False),  # exclusive or
        ("a,b\n", True),
        ("1,2\n", False),
    ],
)
def test_a_header_is_unlike_the_rows_below(text, is_header):
    dialect = found(text)
    assert (dialect.names[0] != "column_0" or dialect.skip == 1) == is_header
    assert found(text, header=not is_header).skip == (not is_header)


def test_a_name_that_the_person_types_makes_a_header():
    text = "0,1\n0,0\n1,0\n1,1\n"
    assert found(text).skip == 0
    assert found(text, target="1").names == found(text, drop=["0"]).names == ("0", "1")
    assert found(text, target="1", header=False).skip == 0
    assert found("1,5;2\n3,5;4\n", target="1,5").delimiter == ";"


@pytest.mark.parametrize(
    ("text", "names", "skip"),
    [
        ("a,b,\n1,x\n2,y\n", ("a", "b"), 1),  # a delimiter at the end, of the header only
        ("a,b\n1,x,\n2,y,\n", ("a", "b", None), 1),  # of the rows only
        ("a;b;;\n1;x;;\n2;y;;\n", ("a", "b", None, None), 1),  # of all, twice
        ("a,,b,\n1,2,x,\n2,3,y,\n", ("a", "column_1", "b", None), 1),
        ('"a" "b"\n"1" 5 x\n"2" 6 y\n', ("column_0", "a", "b"), 1),  # row names without a name, as R writes them
        (" a , b\n1,x\n", ("a", "b"), 1),
        ("# made by X\n# on a day\na,b\n1,x\n", ("a", "b"), 3),
        ("My data\n\na,b\n1,x\n2,y\n", ("a", "b"), 3),
        ("# a b\n1 2\n3 4\n", ("a", "b"), 1),  # as numpy.savetxt writes names
        ("#a\tb\nx\t1\ny\t2\n", ("#a", "b"), 1),
        ('"a\n(cm)",b\n1,x\n', ("a\n(cm)", "b"), 1),
        ("\n\na,b\n1,x\n", ("a", "b"), 3),
        ("", (), 0),
        ("\n\n", (), 0),
    ],
)
def test_names_and_what_comes_before_the_rows(text, names, skip):
    dialect = found(text)
    assert (dialect.names, dialect.skip) == (names, skip)


@pytest.mark.parametrize(
    ("text", "decimal"),
    [
        ("a;b\n1,5;2\n2;3,25\n", ","),
        ("a;b\n1.5;2\n2;3.25\n", "."),
        ("a;b\n1,234;2\n2,500;3\n", "."),  # thousands
        ("a;b\n1,234;0,5\n2,500;3\n", ","),
        ("a;b\n1,5;x\n", ","),
        ("a,b\n1,5\n", "."),
    ],
)
def test_the_decimal_mark(text, decimal):
    assert found(text).decimal == decimal
    assert found(text, decimal=".").decimal == "."


def test_quotes():
    assert found("a,b\n1,'x,y'\n2,'z'\n").quote == "'"
    assert found("a,b\n1,don't\n2,it's\n").quote == '"'
    assert found('a,b\n1,"x\\"y"\n').escape == "\\"
    assert found('a,b\n1,"x""y"\n2,"C:\\"\n').escape == '"'


def test_lines_quoted_as_a_whole():
    dialect = found('school;sex;G3\n"""GP"";""F"";6"\n"""MS"";""M"";7"\n')
    assert (dialect.delimiter, dialect.quoted_lines, dialect.names) == (";", True, ("school", "sex", "G3"))
    lines = ['"""GP"";""F"";6"\n']
    assert [row.fields for row in cut(lines, dialect)] == [["GP", "F", "6"]]
    assert not found('name,x\n"Smith, John",1\n"Doe, Jane",2\n').quoted_lines


def test_what_the_database_reads_by_itself():
    assert found("a,b\n1,2\n").is_common
    assert found("# x\na,b\n1,2\n").is_common
    assert not found("a,b\n1,2\n# x\n3,4\n").is_common
    assert not found("a b\n1 2\n").is_common


def test_the_delimiter_that_the_person_names_is_taken():
    assert found("a:b\n1:2\n", delimiter=":").names == ("a", "b")
    assert found("a,b\n1,2\n", delimiter=";").names == ("a,b",)
    assert found("a  b\n1 2\n", delimiter=" ").names == ("a", "b")


def test_a_last_line_that_is_cut_says_nothing():
    assert find_dialect("a,b\n1,2\n3,", Options(), whole=False).names == ("a", "b")
    assert find_dialect('a,b\n1,2\n3,4\n5,"x\ny', Options(), whole=False).names == ("a", "b")


def test_rows_are_counted_with_blank_ones():
    assert list(cut(["a,b\n", "\n", "1,2\n"], Dialect(","))) == [(0, ["a", "b"]), (2, ["1", "2"])]
    assert list(cut(["a b\n", " \n", "1 2\n"], Dialect(BLANKS))) == [(0, ["a", "b"]), (2, ["1", "2"])]
