"""Messages on the command line name options, not arguments of Python functions."""

import pytest

from fastmlp.cli.words import as_options


@pytest.mark.parametrize(
    ("message", "expected"),
    [
        ("target='frut' is unknown", "--target frut is unknown"),
        ("target='two words' is unknown", "--target 'two words' is unknown"),
        ("header=False, or header=True", "--no-header, or --header"),
        ("null=-200 if it stands for missing", "--null -200 if it stands for missing"),
        ("log=True needs numbers", "--log-target needs numbers"),
        ("keep=[...] keeps a column", "--use COLUMN keeps a column"),
        ("give drop=['a']", "give --drop 'a'"),
        ("delimiter=';' now", "--delimiter ';' now"),
        ("raise max_bytes, or use fm.scan_table", "raise --max-bytes, or use --stream"),
        ("more than max_bytes=100; increase max_bytes", "more than --max-bytes 100; increase --max-bytes"),
        ("catalog=1, my_target=2 and a plain text", "catalog=1, my_target=2 and a plain text"),
    ],
)
def test_arguments_become_options(message, expected):
    assert as_options(message) == expected
