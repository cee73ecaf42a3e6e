"""The pages: `PAGES` are their routers, `error_page` draws a problem for people."""

from collections.abc import Sequence

from fastapi import APIRouter

from handrail.web.problems import ErrorPage

PAGES: Sequence[APIRouter] = ()
error_page: ErrorPage | None = None
