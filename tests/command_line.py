"""Run the command in this process."""

from click.testing import CliRunner

from fastmlp.cli import main


def run(*arguments, code=0, **options):
    """Run the command; what it printed, its own output and the error output together."""
    result = invoked(*arguments, **options)
    assert result.exit_code == code, result.output
    assert "Traceback" not in result.output
    return result.output


def invoked(*arguments, **options):
    """Run the command; the result with both outputs apart."""
    return CliRunner().invoke(main, [str(argument) for argument in arguments], **options)


def refused(*arguments, **options):
    """Run a command that must fail with one sentence, and return it."""
    output = run(*arguments, code=1, **options)
    errors = [line for line in output.splitlines() if line.startswith("Error: ")]
    assert len(errors) == 1 and output.endswith(errors[0] + "\n")
    return errors[0]
