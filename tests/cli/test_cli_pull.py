"""`handrail source pull` sets, shows and ends the pulling of metrics, against a real server."""

from pathlib import Path

from tests.cli.conftest import Cast


def test_pulling_is_set_shown_and_ended(cast: Cast, tmp_path: Path) -> None:
    secret = tmp_path / "secret"
    secret.write_text("tok-of-the-server\n")
    cast.maria("source", "add", "pulled", "--integration", "generic")
    assert "Nothing is pulled" in cast.maria("source", "pull", "pulled").err
    asked = ("--url", "https://prometheus.invalid:9090", "--query", "up=up", "--query", 'rps=rate(x{a="b"}[1m])')
    done = cast.maria("source", "pull", "pulled", *asked, "--every", "30s", "--secret-from", str(secret))
    assert "tok-of-the-server" not in done.out + done.err
    kept = cast.maria.json("source", "pull", "pulled")
    assert [query["promql"] for query in kept["queries"]] == ["up", 'rate(x{a="b"}[1m])']
    assert (kept["every_seconds"], kept["history_seconds"], kept["has_secret"]) == (30, 86_400, True)
    shown = cast.maria("source", "pull", "pulled").out
    assert "https://prometheus.invalid:9090" in shown and "tok-of-the-server" not in shown
    cast.maria("source", "pull", "pulled", "--off")
    assert cast.maria.json("source", "show", "pulled")["source"]["pull"] is None


def test_what_is_missing_or_wrong_is_said_in_words(cast: Cast) -> None:
    cast.maria("source", "add", "wrong", "--integration", "generic")
    assert "at least one --query" in cast.maria("source", "pull", "wrong", "--url", "https://p.example", code=2).err
    asked = ("source", "pull", "wrong", "--url", "ftp://p.example", "--query")
    assert "is no named query" in cast.maria(*asked, "up", code=2).err
    assert "must be the server's http or https address" in cast.maria(*asked, "up=up", code=2).err
    assert "Nothing is pulled for this source" in cast.maria("source", "pull", "wrong", "--off", code=5).err
    assert cast.jonas(*asked, "up=up", code=4).err
