"""A real Prometheus is pulled: what it answers is read, and what it refuses is said."""

import asyncio
import shutil
from collections.abc import Iterator
from dataclasses import dataclass

import pytest

from handrail.domain.pull import Pull, PullQuery
from handrail.kernel.clock import SystemClock
from handrail.kernel.limits import LIMITS
from handrail.operations import sources
from handrail.operations.shell import HANDRAIL
from handrail.plugins.outward import Outward
from handrail.signals.prometheus import PrometheusServer, Pulled, PullFailed, bounded
from handrail.signals.pulling import Pulling
from handrail.signals.watching import Watcher, Watching
from handrail.store import pulls
from tests.crash.harness import until
from tests.senders.test_prometheus_and_alertmanager import Exporter, free_port, program
from tests.signals.intake import OWNER, Intake, run

pytestmark = pytest.mark.skipif(
    not shutil.which("prometheus"), reason="Prometheus is not installed (Debian: prometheus)."
)


@dataclass
class Real:
    place: str

    @property
    def outward(self) -> Outward:
        return Outward([self.place], bounded(LIMITS))

    def server(self) -> PrometheusServer:
        return PrometheusServer(self.outward, Pull(f"http://{self.place}", (), 5, 0))

    def at(self, promql: str) -> Pulled:
        return self.server().at(PullQuery("q", promql), SystemClock().now().timestamp())


@pytest.fixture(scope="module")
def real(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Real]:
    folder, exporter, port = tmp_path_factory.mktemp("prometheus"), Exporter(), free_port()
    config = folder / "prometheus.yml"
    config.write_text(
        "global: {scrape_interval: 1s}\nscrape_configs:\n- job_name: payments\n"
        f"  static_configs: [{{targets: ['127.0.0.1:{exporter.server_address[1]}']}}]\n"
    )
    arguments = (f"--config.file={config}", f"--storage.tsdb.path={folder / 'tsdb'}")
    with program(folder, "prometheus", *arguments, f"--web.listen-address=127.0.0.1:{port}"):
        made = Real(f"127.0.0.1:{port}")
        until("the exporter is scraped", lambda: _has(made, "pool_exhausted offset 6s"), 60)
        yield made


def _has(real: Real, promql: str) -> bool:
    try:
        return real.at(promql).series > 0
    except Exception:
        # It is starting: whatever keeps it from answering is over soon, or the wait ends with its own words.
        return False


def test_a_vector_a_scalar_and_a_range_are_read(real: Real) -> None:
    (up,) = real.at("up").points
    assert (up.value, up.labels["job"]) == (1.0, "payments")
    assert [point.value for point in real.at("scalar(up)").points] == [1.0]
    now = SystemClock().now().timestamp() // 1
    read = real.server().between(PullQuery("q", "vector(7)"), now - 60, now, 15)
    assert [point.value for point in read.points] == [7.0] * 5
    assert real.at("avg_over_time((up)[30s:5s])").series == 1


def test_what_it_refuses_and_leaves_out_is_said_in_words(real: Real) -> None:
    with pytest.raises(PullFailed, match=r"Query q was refused: bad_data: .*parse error"):
        real.at("up(")
    assert real.at("up / 0 - up / 0").notes == ("Query q: 1 values were NaN or infinite and were left out.",)
    assert real.at("nothing_like_it").notes == ("Query q gave no series.",)


def test_a_source_is_pulled_from_it_and_heard_by_that(desk: Intake, real: Real) -> None:
    source_id = desk.tokens["prom"][0]
    pull = Pull(f"http://{real.place}", (PullQuery("up", "up"), PullQuery("pool", "pool_exhausted")), 5, 600)
    desk.shell.transact(HANDRAIL, lambda tx: sources.set_pull(tx, source_id, pull, OWNER))
    watcher = Watcher(Watching(), desk.shell.database, desk.ingestor, SystemClock())
    pulling = Pulling(desk.shell.database, watcher, desk.ingestor, SystemClock(), real.outward, "node-1")

    async def once() -> None:
        await asyncio.gather(*await pulling.once())

    run(once())
    with desk.shell.database.read() as connection:
        state = pulls.states(connection)[source_id]
    assert (state.series, state.trouble) == (2, "")
    assert desk.stat("prom").last_seen
