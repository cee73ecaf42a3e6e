"""Riemann's events, as its configuration posts them."""

from handrail.plugins.integrations.contract import Integration
from handrail.plugins.integrations.riemann.parse import SEVERITIES, parse

INTEGRATION = Integration(
    name="riemann",
    title="Riemann",
    parse=parse,
    severities=SEVERITIES,
    docs="""
In riemann.config, post each change of a state; the event's own fields are the body:

    (require '[clj-http.client :as http] '[cheshire.core :as json])
    (defn handrail [event]
      (http/post "https://handrail.example/in/<source>"
        {:headers {"Authorization" "Bearer <token>"}
         :content-type :json
         :body (json/generate-string event)}))
    (streams (changed-state {:init "ok"} handrail))

A host and a service are one alert. `ok`, `normal`, `up` and `info` resolve; `warning`, `critical`, `error`, `down`,
`unknown` and `expired` (nothing was heard for the event's ttl) fire, and the state is the severity. One event, or a
list of events. `time` is in seconds, also as a fraction, or ISO 8601; without it, the time is that of arrival.
""",
)
