"""What Python asks about teams of threads."""


def has_threads():
    """Whether the core was built with OpenMP."""
    return bool(team_has_threads())


def may_have_team():
    """Whether a call from here may have several threads: not inside another library's team, for example."""
    return bool(team_may_form())
