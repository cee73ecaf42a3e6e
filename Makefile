# The first two are all that a new user needs. Each sets up what it uses.
PY = .venv/bin/python

.PHONY: demo test lint types bench campaign lock clean

demo:  ## Handle one real outage on the practice estate, in the browser and here. ARGS="--exit | --hands-on | --database URL | --out DIR"
	@scripts/set-up run
	@$(PY) -m handrail demo $(ARGS)

test:  ## The whole test suite.
	@scripts/set-up dev
	@$(PY) -m pytest -n 2 --dist loadfile $(ARGS)

lint:
	@scripts/set-up dev
	@$(PY) -m ruff check src tests benchmarks
	@$(PY) -m ruff format --check src tests benchmarks

types:
	@scripts/set-up dev
	@$(PY) -m mypy

bench:  ## Alerts a second beside other servers; figures, never a pass or a fail. ARGS="--database URL | --total N | --only NAME"
	@scripts/set-up dev
	@$(PY) -m benchmarks.storm $(ARGS)

campaign:  ## Long repetitions: kill -9 at each point on both databases. ARGS="--times 20"
	@scripts/set-up dev
	@$(PY) -m tests.campaign.kills $(ARGS)

lock:
	@scripts/lock

clean:
	rm -rf .venv build .mypy_cache .ruff_cache .pytest_cache
