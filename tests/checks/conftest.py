"""Prints how many mutants the checks killed; with pytest-xdist, of all processes."""


def pytest_terminal_summary(terminalreporter):
    passed = terminalreporter.stats.get("passed", [])
    found = [dict(report.user_properties) for report in passed if report.when == "call"]
    table = sorted(x["mutants"] for x in found if "mutants" in x)
    if not table:
        return
    terminalreporter.section("mutants killed by the checks")
    for name, total, left in table:
        terminalreporter.write_line(
            f"{name:34} {total - left:4} of {total:4}  {1 - left / total:6.1%}  equivalent: {left}"
        )
    total, left = (sum(row[i] for row in table) for i in (1, 2))
    terminalreporter.write_line(
        f"{'all':34} {total - left:4} of {total:4}  {1 - left / total:6.1%}"
    )
