"""`handrail doctor`: looks at this installation without changing it, and says for each fault how to mend it."""

from dataclasses import asdict

from handrail.cli import output, starting
from handrail.cli.options import Json, single
from handrail.cli.trouble import FAILED, Trouble

app = single()


@app.command()
def doctor(
    data_dir: starting.DataDir = None,
    database: starting.DatabaseUrl = None,
    as_json: Json = False,
) -> None:
    """Check this installation and say how to mend it. Run it where `handrail up` runs, with the same settings.

    Ends with 0 when nothing fails, else with 1. Warnings do not count as failures.

    \b
    Examples:
      handrail doctor
      handrail doctor --data-dir /var/lib/handrail --json
    """
    from handrail.cli.checks import examine

    findings = []
    for each in examine(data_dir, database):
        findings.append(each)
        if not as_json:
            output.print_finding(each.verdict, each.name, each.sentence, each.fix)
    failed = sum(each.verdict == "fail" for each in findings)
    if as_json:
        output.print_json({"ok": not failed, "checks": [asdict(each) for each in findings]})
    if failed:
        raise Trouble(f"{failed} check(s) failed.", FAILED, "Do what stands beside each, then run it again.", "unwell")
