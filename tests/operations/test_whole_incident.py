"""One incident from its first alert to its accepted review, on both databases."""

from handrail.domain.incident import Stage
from tests.worlds import World


def test_an_incident_goes_from_its_first_alert_to_its_accepted_review(world: World) -> None:
    world.whole()
    assert world.incident.stage == Stage.CLOSED
    assert world.run.status == "finished"
    assert [key for key, _ in world.action.acts] == [world.run.tasks["roll-back"].key]
    assert world.message_of("tell-executives").status == "delivered"
