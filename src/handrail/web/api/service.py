"""What operators and their monitoring ask: alive, ready, measured; and the description of this API."""

from fastapi import APIRouter
from starlette.requests import Request
from starlette.responses import Response

from handrail.web.api import shapes
from handrail.web.api.desk import answer
from handrail.web.auth import context_of

router = APIRouter(tags=["service"])


class Alive(shapes.Shape):
    ok: bool


@router.get("/healthz", response_model=Alive, summary="Whether the process answers")
async def healthz() -> Response:
    return answer(Alive(ok=True))


@router.get("/readyz", response_model=shapes.Health, summary="Whether the process can serve, and what is wrong")
def readyz(request: Request) -> Response:
    health = shapes.Health.model_validate(context_of(request).health())
    return answer(health, 200 if health.ready else 503)


@router.get("/metrics", response_class=Response, summary="Prometheus metrics")
def metrics() -> Response:
    from prometheus_client import CONTENT_TYPE_LATEST, generate_latest

    return Response(generate_latest(), headers={"Content-Type": CONTENT_TYPE_LATEST})


@router.get("/api/v1/openapi.json", response_class=Response, summary="This API as OpenAPI 3.1")
def openapi(request: Request) -> Response:
    from handrail.web.openapi import text_of

    return Response(text_of(request.app), media_type="application/json")
