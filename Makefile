# Each target with a help line installs what it needs first, and says so.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

# rustup puts cargo there, and a shell that was open before does not know yet.
export PATH := $(HOME)/.cargo/bin:$(PATH)
# The recipes start programs out of target/, so that is where cargo has to put them.
unexport CARGO_TARGET_DIR CARGO_BUILD_TARGET_DIR

# Arguments for `firn dev`, as in `make run ARGS="--kafka 127.0.0.1:19092"`.
ARGS ?=
# Arguments for `firn-bench versus`, as in `make bench-vs-kafka VERSUS="--cases produce-64k"`.
VERSUS ?=
# Cases of which `make profiles` draws flame graphs.
PROFILES ?= produce-64k-8p-4c tail-full-1 catch-up-hot-4
# How many seeds `make sim` runs.
SEEDS ?= 1000

# One selection of packages for lint, build and tests: with another one cargo builds half the dependencies again with
# other features. The simulation is added only for its own steps, because it compiles planted mistakes into the log.
PRODUCT := --workspace --exclude firn-simulation
EVERYTHING := --workspace
names = $(sort $(basename $(notdir $(wildcard $(1)/tests/*.rs))) $(notdir $(patsubst %/main.rs,%,$(wildcard $(1)/tests/*/main.rs))))
CRATE_TESTS := $(filter-out instructions,$(sort $(foreach crate,$(wildcard controlplane/* dataplane/* bench),$(if $(filter %simulation,$(crate)),,$(call names,$(crate))))))
ROOT_TESTS := tidy operation
SIMULATION_TESTS := $(call names,dataplane/simulation)
END_TO_END := $(filter-out $(ROOT_TESTS),$(call names,.))
flags = $(foreach name,$(1),--test $(name))

.PHONY: help
help: ## Print this list
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | awk -F'\t' '{printf "make %-20s %s\n", $$1, $$2}'

.PHONY: run
run: ## Build one release binary with the console and run `firn dev` in the foreground (ARGS="--kafka ...")
	@scripts/need cc rust node
	@scripts/console build
	@echo "building firn, once; some minutes the first time" >&2
	@cargo build --release --locked --bin firn
	@exec target/release/firn dev $(ARGS)

.PHONY: web
web: ## Build the console into web/dist, which the binary serves
	@scripts/need node
	@scripts/console build

.PHONY: test
test: ## Run everything that must pass: lint, unit, contract, simulation and end-to-end tests, the console in a browser, Terraform
	@scripts/steps \
		"toolchains" "scripts/need cc rust python" \
		"format" "cargo fmt --all --check" \
		"tools" "scripts/provision" \
		"console" "scripts/console check" \
		"clippy" "cargo clippy $(PRODUCT) --all-targets --locked --quiet -- -D warnings" \
		"clippy, simulation" "cargo clippy $(EVERYTHING) --all-targets --locked --quiet -- -D warnings" \
		"dependencies" "scripts/cargo-deny check licenses bans sources" \
		"build" "cargo test $(PRODUCT) --lib --bins --tests --no-run --locked --quiet" \
		"tidy" "cargo test $(PRODUCT) --test tidy --locked --quiet" \
		"unit and contract tests" "cargo test $(PRODUCT) --lib --bins $(call flags,$(CRATE_TESTS)) --locked --quiet" \
		"instructions" "cargo test $(PRODUCT) --test instructions --locked --quiet" \
		"operation" "cargo test $(PRODUCT) --test operation --locked --quiet" \
		"simulation" "cargo test $(EVERYTHING) $(call flags,$(SIMULATION_TESTS)) --locked --quiet" \
		"end to end" "$(if $(END_TO_END),cargo test $(PRODUCT) $(call flags,$(END_TO_END)) --locked --quiet -- --test-threads 2,true)" \
		"console in a browser" "scripts/console browse" \
		"terraform provider" "scripts/terraform-tests" \
		"deployment" "scripts/deployment-tests"

.PHONY: console
console: ## Check, build and test the console in a browser (screenshots: target/console/screenshots)
	@scripts/need cc rust python
	@scripts/provision
	@scripts/console check
	@cargo build $(PRODUCT) --bin firn --locked --quiet
	@scripts/console browse

.PHONY: terraform
terraform: ## Check and test the Terraform provider, its modules and the Helm chart
	@scripts/need cc rust python
	@scripts/provision
	@cargo build $(PRODUCT) --bin firn --locked --quiet
	@scripts/terraform-tests
	@scripts/deployment-tests

.PHONY: bench-console
bench-console: ## Measure the topics page with 10,000 topics: time from each interaction to the next paint (figures, not tests)
	@scripts/need cc rust python
	@scripts/provision
	@scripts/console build
	@cargo build --release --locked --quiet --bin firn
	@cd web && FIRN_BINARY=$(CURDIR)/target/release/firn npm run --silent bench:topics

.PHONY: lint
lint: ## Check format, lints, the repository's own rules and the dependencies
	@scripts/steps \
		"toolchains" "scripts/need cc rust python" \
		"format" "cargo fmt --all --check" \
		"clippy" "cargo clippy $(PRODUCT) --all-targets --locked --quiet -- -D warnings" \
		"clippy, simulation" "cargo clippy $(EVERYTHING) --all-targets --locked --quiet -- -D warnings" \
		"tidy" "cargo test $(PRODUCT) --test tidy --locked --quiet" \
		"dependencies" "scripts/cargo-deny check licenses bans sources"

.PHONY: bench
bench: release-bench ## Measure Firn alone (idle memory, start, start after kill -9, checks of ACLs, two tenants), and groups beside Apache Kafka (figures, not tests)
	@target/release/firn-bench figures
	@cargo run --release --locked --quiet --package firn-catalog --example ten_thousand_acls
	@target/release/firn-bench fairness
	@scripts/need java
	@scripts/provision
	@mkdir -p target/figures
	@ulimit -n "$$(ulimit -Hn)" && target/release/firn-bench versus --cases group --rounds 1 --seconds 5 --folder target/figures

.PHONY: bench-vs-kafka
bench-vs-kafka: release-bench ## Apache Kafka and Firn in turns, about 75 minutes; writes bench/RESULTS.md (VERSUS="--cases ack --rounds 1")
	@scripts/need java
	@scripts/provision
	@ulimit -n "$$(ulimit -Hn)" && target/release/firn-bench versus $(VERSUS)

.PHONY: profiles
profiles: release-bench ## Flame graphs of the broker under load, into bench/profiles (PROFILES="produce-64k-8p-4c")
	@scripts/flamegraphs $(PROFILES)

.PHONY: release-bench
release-bench:
	@scripts/need cc rust
	@cargo build --release --locked --bin firn --package firn --package firn-bench --bins

.PHONY: instructions
instructions: ## Count the instructions of a request on each path, and compare them with the accepted ones
	@scripts/need cc rust valgrind
	@cargo test $(PRODUCT) --test instructions --locked --quiet

.PHONY: accept-instructions
accept-instructions: ## Count them and accept the counts (bench/instructions.txt)
	@scripts/need cc rust valgrind
	@cargo test $(PRODUCT) --test instructions --locked --quiet -- --accept

.PHONY: accept-openapi
accept-openapi: ## Write the API's description into its snapshot (controlplane/api/openapi.json)
	@scripts/need cc rust
	@FIRN_ACCEPT_OPENAPI=1 cargo test $(PRODUCT) --test rest --locked --quiet -- the_snapshot_is_what_the_code_says

.PHONY: compare-permissions
compare-permissions: ## Ask Apache Kafka what the matrix of permissions asks the broker; fails where it answers otherwise
	@scripts/need cc rust python java
	@scripts/provision
	@scripts/compare-permissions

.PHONY: sim
sim: ## Run the seeded simulation of the log (SEEDS=1000; a failing seed is printed and replays exactly)
	@scripts/need cc rust
	@cargo run --locked --quiet --package firn-simulation -- --seeds $(SEEDS)

.PHONY: tools
tools: ## Install what the tests need, without running them
	@scripts/need cc rust python
	@scripts/provision
	@scripts/cargo-deny --version
