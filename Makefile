# `make` alone lists what there is. Another Python: make test PYTHON=python3.13
PYTHON ?= python3
SUFFIX := $(filter-out python3 python,$(notdir $(PYTHON)))
VENV   := .venv$(if $(SUFFIX),-$(SUFFIX))
BIN    := $(VENV)/bin
UV     := uv==0.13.9
AUDIT  := pip-audit==2.10.1
SBOM   := cyclonedx-bom==7.5.0
LOCK   := $(BIN)/uv pip compile --quiet pyproject.toml --universal --python-version 3.11 \
          --generate-hashes --no-emit-index-url --no-header --no-annotate

# In the order in which they are found: tests/conftest.py puts those first that take long.
# Much of a test is waiting for servers: on few cores there are two processes for each.
WORKERS  ?= $(shell n=$$(getconf _NPROCESSORS_ONLN); [ $$n -gt 4 ] && echo $$n || echo $$((n * 2)))
PARALLEL := -n $(WORKERS) --dist loadgroup --no-loadscope-reorder
# What a person has in `.env` steers `make run`, never a check.
CHECK  := ENV_FILE=/dev/null DEBUG=true

export UV_PYTHON_DOWNLOADS := never
export PIP_DISABLE_PIP_VERSION_CHECK := 1

.DEFAULT_GOAL := help
.PHONY: help run demo superuser shell test coverage chaos bench-outbox bench-webhooks lint types imports migrations schema schema-check check format lock clean fuzz schema-lint bench-reads bench-rush bench-door bench-guards bench-enumeration bench-cost audit plans races-long e2e operations restore-drill pictures image kubernetes

help: ## List the commands
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

run: $(BIN)/.runtime ## Start everything: API, worker, PostgreSQL, Valkey, mail inbox (PORT=, INBOX_PORT=)
	@exec $(BIN)/python -m laptop.launcher

demo: $(BIN)/.runtime ## Fill the database with a believable data set
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py demo

superuser: $(BIN)/.runtime ## Make a user for the admin
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py createsuperuser

shell: $(BIN)/.runtime ## Open a Python prompt with the models at hand
	@$(BIN)/python manage.py migrate --verbosity 0
	@$(BIN)/python manage.py shell

test: $(BIN)/.development ## Run every test, on servers of its own, in parallel; T= selects, such as T=tests/events
	@$(BIN)/python -m pytest $(PARALLEL) $(T)

coverage: $(BIN)/.development ## Run every test and say which lines and branches none of them reaches
	@$(BIN)/python -m pytest $(PARALLEL) --cov --cov-report=term:skip-covered

chaos: $(BIN)/.development ## Kill everything, for long, and count what is lost; CHAOS_SEED= repeats one run
	@CHAOS=long $(BIN)/python -m pytest -s -p no:randomly tests/chaos

bench-outbox: $(BIN)/.development ## Measure mails a second against one Celery task for each (ARGS="--queue 100000 --rounds 3")
	@$(BIN)/python -m benchmarks.outbox $(ARGS)

bench-webhooks: $(BIN)/.development ## Measure messages a second against a bare loop, and pages of the feed (ARGS="--rounds 3")
	@$(BIN)/python -m benchmarks.webhooks $(ARGS)

fuzz: $(BIN)/.development ## Let Schemathesis send 50,000 requests as three roles (REQUESTS=)
	@FUZZ_REQUESTS=$(or $(REQUESTS),50000) $(BIN)/python -m pytest -s -p no:randomly tests/fuzz

bench-enumeration: $(BIN)/.development ## Compare answers about existing, inactive and unknown accounts, and their times
	@$(CHECK) DJANGO_SETTINGS_MODULE=config.settings $(BIN)/python -m benchmarks.enumeration $(TIMES)

bench-cost: $(BIN)/.development ## Measure the CPU time of what people ask for, signed in and not, and of a mail; a minute
	@$(BIN)/python -m benchmarks.cost

bench-reads: $(BIN)/.development ## Compare lists, details and what is behind a log-in with three peers, at 1,000,000 events (O='--events 10000')
	@$(BIN)/python -m benchmarks.reads $(O)

plans: $(BIN)/.development ## Ask PostgreSQL for its plans at 1,000,000 events (minutes; PLAN_EVENTS=)
	@PLAN_EVENTS=$(or $(PLAN_EVENTS),1000000) $(BIN)/python -m pytest -q -n 0 -o timeout=900 tests/events/test_plans.py

bench-rush: $(BIN)/.development ## Race against three peers for 500 seats; takes minutes (ARGS="--rounds 3 --users 2000 10000")
	@$(BIN)/python -m benchmarks.rush $(ARGS)

bench-door: $(BIN)/.development ## Measure scans at a door against a bare insert and check-then-insert; two minutes (ARGS="--rounds 5")
	@$(BIN)/python -m benchmarks.door $(ARGS)

bench-guards: $(BIN)/.development ## Compare four ways to give out seats, in the database alone; half a minute
	@$(BIN)/python -m benchmarks.guards

races-long: $(BIN)/.development ## Every race at ten times the size, controls included (some minutes)
	@RACE_SCALE=10 $(BIN)/python -m pytest -q -n 0 tests/races

e2e: $(BIN)/.development ## Do the main round against a service that runs: BASE_URL=http://… INBOX_URL=http://…
	@BASE_URL=$(or $(BASE_URL),http://127.0.0.1:8000) INBOX_URL=$(or $(INBOX_URL),http://127.0.0.1:1080) \
	  $(BIN)/python -m pytest -q -p no:randomly tests/e2e/test_round.py tests/e2e/test_generated_client.py $(T)

pictures: $(BIN)/.development ## Take the pictures of the README anew, in a real browser
	@mkdir -p docs/pictures && PICTURES=docs/pictures PICTURED=event-open-phone-light,ticket-phone-light,door-phone-light \
	  $(BIN)/python -m pytest -q -n 0 -p no:randomly tests/pages/test_look.py -k phone

operations: $(BIN)/.development ## Restart, crash and restore a whole installation again and again (about 20 minutes)
	@OPERATIONS=long $(BIN)/python -m pytest -rP --show-capture=stdout -p no:randomly tests/operations tests/e2e/test_launcher.py $(T)

restore-drill: $(BIN)/.runtime ## Restore a dump on servers of its own and check it: DUMP=backups/jointoit-….dump
	@$(CHECK) $(BIN)/python -m laptop.drill $(DUMP)

image: ## Check the Dockerfile and build the image event-management (needs Docker)
	docker build --tag event-management .

kubernetes: $(BIN)/.development ## Put the Kubernetes manifests together and check them against the schemas of Kubernetes (needs kubectl)
	@$(BIN)/python -m pytest -q -p no:randomly tests/config/test_kubernetes.py
	@rm -rf build/kubernetes && mkdir -p build && cp -r deploy/kubernetes build/kubernetes
	@for name in secret owner; do cp build/kubernetes/$$name.env.sample build/kubernetes/$$name.env; done
	@kubectl kustomize build/kubernetes > build/kubernetes.yaml
	@$(BIN)/kubernetes-validate --strict --kubernetes-version 1.31 build/kubernetes.yaml
	@$(BIN)/kubernetes-validate --strict --kubernetes-version 1.35 build/kubernetes.yaml
	@grep -c ^kind: build/kubernetes.yaml | xargs printf '%s objects, in build/kubernetes.yaml\n'

lint: $(BIN)/.development ## Look for mistakes and for formatting that differs
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check

types: $(BIN)/.development ## Check the types, strictly
	@$(CHECK) $(BIN)/mypy

imports: $(BIN)/.development ## Check who may import whom
	@$(CHECK) $(BIN)/lint-imports

migrations: $(BIN)/.development ## Check that migrations are complete and lock nothing for long
	@$(BIN)/python -m pytest -q -p no:randomly tests/config/test_migrations.py

schema: $(BIN)/.development ## Write the API description to docs/openapi.yaml
	@$(CHECK) $(BIN)/python -m jointoit spectacular --fail-on-warn --validate --file docs/openapi.yaml

schema-check: $(BIN)/.development ## Compare docs/openapi.yaml with the code
	@$(CHECK) $(BIN)/python -m jointoit spectacular --fail-on-warn --validate | diff -u docs/openapi.yaml - \
	  || { echo "docs/openapi.yaml is not what the code says: run make schema and look at the difference."; exit 1; }

schema-lint: tools/sdk/node_modules/.installed ## Judge docs/openapi.yaml by Redocly's strict rules (needs Node.js 20)
	@node tools/sdk/lint.mjs docs/openapi.yaml

audit: $(BIN)/.development ## Ask PyPI and npm for known vulnerabilities of the locked packages (needs a network); writes sbom.cdx.json
	@$(BIN)/uv tool run --quiet --from "$(SBOM)" cyclonedx-py requirements requirements-server.txt \
	  --output-reproducible --of JSON --output-file sbom.cdx.json
	@$(BIN)/uv tool run --quiet --from "$(AUDIT)" pip-audit --strict --require-hashes --disable-pip --requirement requirements.txt
	@cd tools/sdk && npm audit --package-lock-only

check: lint types imports migrations schema-check schema-lint test ## Run every check there is

format: $(BIN)/.development ## Mend what can be mended
	@$(BIN)/ruff check --fix-only
	@$(BIN)/ruff format

lock: $(BIN)/.uv ## Bring the requirement files up to date with pyproject.toml (UPGRADE=1: with the newest releases)
	@$(LOCK) --extra laptop $(if $(UPGRADE),--upgrade) --output-file requirements.txt
	@$(LOCK) --extra tracing --constraints requirements.txt --output-file requirements-server.txt
	@$(LOCK) --extra laptop --extra tracing $(if $(UPGRADE),--upgrade) --group dev --constraints requirements.txt --output-file requirements-dev.txt

clean: ## Remove everything that was made here, the database included; not while it is in use
	@$(PYTHON) laptop/in_use.py .local
	rm -rf .venv .venv-* .local node_modules tools/sdk/node_modules tools/browser/node_modules staticfiles build htmlcov .coverage .coverage.* .hypothesis \
	  .mypy_cache .ruff_cache .pytest_cache .import_linter_cache
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

$(BIN)/.uv:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and f"Python 3.11 or newer is needed, {sys.executable} is {sys.version.split()[0]}. Try: make PYTHON=python3.12")'
	@echo "Making $(VENV) …"
	@$(PYTHON) -m venv $(VENV) || { echo "Python cannot make a virtual environment; on Debian and Ubuntu: apt install python3-venv"; exit 1; }
	@$(BIN)/python -m pip install --quiet "$(UV)"
	@touch $@

$(BIN)/.runtime: requirements.txt $(BIN)/.uv
	@echo "Installing the packages that the service needs …"
	@$(call install,$<)
	@touch $@

$(BIN)/.development: requirements-dev.txt $(BIN)/.uv
	@echo "Installing the packages that service and tests need …"
	@$(call install,$<)
	@touch $@ $(BIN)/.runtime

tools/sdk/node_modules/.installed: tools/sdk/package-lock.json
	@cd tools/sdk && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error
	@touch $@

tools/browser/node_modules/.installed: tools/browser/package-lock.json
	@cd tools/browser && npm ci --no-audit --no-fund --ignore-scripts --loglevel=error
	@touch $@

# uv takes seconds where pip takes a minute; pip alone knows an index that only its own configuration names.
install = $(BIN)/uv pip install --quiet --compile-bytecode --python $(BIN)/python --require-hashes --requirement $(1) \
	|| $(BIN)/python -m pip install --quiet --require-hashes --requirement $(1)
