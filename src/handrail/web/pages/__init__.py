"""Pages: what each address shows and what each form does. `PAGES` are the routers, `error_page` draws what fails."""

from fastapi import APIRouter

from handrail.web.pages import (
    alerts,
    approvals,
    board,
    candidates,
    catalog,
    doors,
    incidents,
    messages,
    people,
    record,
    reviews,
    silences,
    sources,
    tasks,
)
from handrail.web.pages.errors import error_page
from handrail.web.pages.site import On, Site

_MODULES = (
    board,
    candidates,
    incidents,
    approvals,
    tasks,
    messages,
    reviews,
    alerts,
    record,
    people,
    sources,
    silences,
    catalog,
)

FORMS: tuple[On, ...] = tuple(form for module in _MODULES for form in module.FORMS)
SITE = Site([page for module in _MODULES for page in module.PAGES], FORMS)
SITE.router.add_api_route("/evidence/{digest}/raw", record.raw_evidence, methods=["GET"])
PAGES: tuple[APIRouter, ...] = (doors.router, SITE.router)

__all__ = ["FORMS", "PAGES", "SITE", "error_page"]
