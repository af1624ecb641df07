import pytest

KILLS = pytest.StashKey[dict]()


@pytest.fixture(scope="session")
def kills(request) -> dict:
    """By exercise: how many mutants there were, and which survived."""
    return request.config.stash.setdefault(KILLS, {})


def pytest_terminal_summary(terminalreporter, config):
    table = config.stash.get(KILLS, {})
    if not table:
        return
    terminalreporter.section("mutants killed by the checks")
    for name, (total, survivors) in sorted(table.items()):
        dead = total - len(survivors)
        terminalreporter.write_line(
            f"{name:34} {dead:4} of {total:4}  {dead / total:6.1%}  equivalent: {len(survivors)}"
        )
    total, left = (sum(x) for x in zip(*((n, len(s)) for n, s in table.values()), strict=True))
    share = 1 - left / total
    terminalreporter.write_line(f"{'all':34} {total - left:4} of {total:4}  {share:6.1%}")
