# SPDX-License-Identifier: Apache-2.0
MAKEFLAGS += --no-print-directory
SETUP := @sh builder/tools/setup.sh
RUN := .venv/bin/python3 -m

.PHONY: help deb repo test test-unit test-integration test-system coverage lint format bench bench-repo fresh \
	lab lab-smoke lab-broken lab-kills lab-reexecs manifests-fuzz repo-kills repo-cuts repo-races repo-store-kills failover-picture \
	report-pictures reference lock clean

help: ## these targets
	@sed -n 's/^\([a-z-]*\):.*## \(.*\)/make \1\t\2/p' Makefile | expand -t 24

deb: ## the sample bundle's package, into dist/; prints its path
	$(SETUP) hadeb
	@.venv/bin/hadeb build

repo: ## publishes the sample bundle into a signed apt repository, dist/repo
	$(SETUP) hadeb repo
	@.venv/bin/hadeb publish "$$(.venv/bin/hadeb build)" --repo dist/repo --suite stable \
		--name sample --origin "hadeb sample"

test: lint ## everything: lint, and all tests; wants root (or sudo) for the real nodes
	$(SETUP) repo integration system
	@# A release's nodes belong to one worker. Nodes wait a lot, so there is one worker more than
	@# processors. The tests of nodes, which take longest, come first.
	@sh tests/as-root.sh $(RUN) pytest --numprocesses $$(($$(nproc) + 1)) --dist loadscope \
		--no-loadscope-reorder --durations 10 tests/system tests/integration tests/unit

test-unit: ## the tests within one process: seconds, no root
	$(SETUP) tools
	@$(RUN) pytest --numprocesses auto tests/unit

test-integration: ## those that call real programs: dpkg, gpg, apt, shells; no root
	$(SETUP) tools repo lint integration
	@$(RUN) pytest --numprocesses auto --dist loadscope tests/integration

test-system: ## those of real nodes and clusters; wants root
	$(SETUP) tools repo integration system
	@sh tests/as-root.sh $(RUN) pytest --numprocesses auto --dist loadscope --no-loadscope-reorder tests/system

coverage: ## what tests/unit and tests/integration cover; fails below 90 % and 85 %
	$(SETUP) tools repo lint integration
	@sh tests/coverage.sh

lint: ## ruff, mypy, shellcheck
	$(SETUP) tools lint
	@$(RUN) ruff check --quiet --output-format concise
	@$(RUN) ruff format --quiet --check
	@$(RUN) mypy --no-error-summary builder tests
	@# The daemon is to run on 3.9; 3.10 is the oldest that mypy still knows.
	@$(RUN) mypy --no-error-summary --python-version 3.10 daemon
	@sh tests/lint.sh

format: ## lays out the Python code
	$(SETUP) tools
	@$(RUN) ruff check --quiet --fix
	@$(RUN) ruff format

bench: ## measures speed and memory; wants a quiet machine
	$(SETUP) tools repo integration system peers
	@.venv/bin/python3 tests/bench/build_bench.py
	@.venv/bin/python3 tests/bench/repo_bench.py 100 5000
	@sh tests/as-root.sh .venv/bin/python3 tests/bench/daemon_bench.py
	@sh tests/as-root.sh .venv/bin/python3 tests/bench/daemon_bench.py --memory
	@sh tests/as-root.sh .venv/bin/python3 tests/bench/monitor_bench.py
	@sh tests/as-root.sh .venv/bin/python3 tests/bench/failover_bench.py

bench-repo: ## measures hadeb publish beside other tools, up to 20,000 packages; wants a quiet machine
	$(SETUP) tools repo peers
	@.venv/bin/python3 tests/bench/repo_bench.py

fresh: ## tries make deb and make test in a bare Debian 12 and a bare Debian 13; wants root
	$(SETUP) tools integration system
	@sh tests/as-root.sh .venv/bin/python3 tests/fresh/fresh.py

lab-broken: ## plants each fault of an agent and a daemon, on Debian 12 and 13; the suite has a sample
	$(SETUP) tools integration system
	@sh tests/as-root.sh $(RUN) pytest --exhaustive --durations 0 tests/system/lab/test_broken_bundles.py

lab-kills: ## interrupts and kills hadeb lab up, run and down TIMES times each (20); wants root
	$(SETUP) tools integration system
	@sh tests/as-root.sh .venv/bin/python3 tests/targets/lab_kills.py $(TIMES)

lab-reexecs: ## re-executes systemd TIMES times (200) on each release while the sample starts, stops and moves; wants root
	$(SETUP) tools integration system
	@sh tests/as-root.sh .venv/bin/python3 tests/targets/lab_reexecs.py $(TIMES)

repo-kills: ## kills hadeb at all it does to a repository (or EVERY=10), and looks what is left
	$(SETUP) tools repo integration system
	@.venv/bin/python3 tests/targets/repo_kills.py $(EVERY)

repo-cuts: ## cuts the power while a repository changes, at every point or TIMES times; wants root
	$(SETUP) tools repo integration system
	@sh tests/as-root.sh .venv/bin/python3 tests/targets/repo_cuts.py $(TIMES)

repo-races: ## updates TIMES times (250) while others publish, and publishes two at once
	$(SETUP) tools repo integration system
	@.venv/bin/python3 tests/targets/repo_races.py $(TIMES)

manifests-fuzz: ## spoils thousands of manifests, and writes thousands in every style; the suite has a sample
	$(SETUP) tools repo lint integration
	@$(RUN) pytest --exhaustive --numprocesses auto tests/unit/manifest tests/unit/pacemaker \
		tests/integration/manifest tests/integration/daemon/test_greetings.py

repo-store-kills: ## kills hadeb before every write to an object store; the suite has a sample
	$(SETUP) tools repo integration
	@$(RUN) pytest --exhaustive --numprocesses auto tests/integration/repo/s3 -k killed

lab: ## tries all faults on the sample, on Debian 12 and 13; reports in dist/lab; wants root
	$(SETUP) tools integration system
	@failed=0; for suite in bookworm trixie; do \
		sh tests/as-root.sh .venv/bin/hadeb lab run --suite $$suite -o dist/lab/$$suite || failed=$$?; \
	done; exit $$failed

lab-smoke: ## the same in short: the few faults that say most; wants root
	$(SETUP) tools integration system
	@sh tests/as-root.sh .venv/bin/hadeb lab run --smoke -o dist/lab/smoke

failover-picture: ## cuts a node's power, and draws who answered when: docs/failover.svg
	$(SETUP) tools integration system
	@deb=$$(.venv/bin/hadeb build) && sh tests/as-root.sh \
		.venv/bin/python3 tests/targets/failover_picture.py "$$deb" docs/failover.svg

report-pictures: ## draws REPORT=path/to/report.html as a phone and a desktop show it, into docs/
	@[ -f "$(REPORT)" ] || { echo "name the page: make report-pictures REPORT=path/to/report.html" >&2; exit 2; }
	$(SETUP) tools pictures
	@.venv/bin/python3 builder/tools/picture.py "$(REPORT)" docs

reference: ## writes the pages of docs/reference that are made from the code, and docs/hadeb.1
	$(SETUP) hadeb
	@$(RUN) tools.reference

lock: ## renews the lock files
	@sh builder/tools/lock.sh

clean: ## removes what the other targets made
	rm -rf dist .venv .mypy_cache .ruff_cache .pytest_cache .hypothesis
	find builder daemon tests -name __pycache__ -prune -exec rm -rf {} +
