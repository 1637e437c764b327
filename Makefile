# Trình Ký. Two commands are enough for a newcomer: `make demo` and `make test`.
#
# Builds and tools are cached outside the clone (TRINHKY_CACHE); everything also works with an empty cache.

SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

TRINHKY_CACHE ?= $(HOME)/.cache/trinhky
export TRINHKY_CACHE
export CARGO_TARGET_DIR ?= $(TRINHKY_CACHE)/target
export PATH := $(TRINHKY_CACHE)/tools/bin:$(PATH)

PORT ?= 8080
PYTHON := $(TRINHKY_CACHE)/venv/bin/python

# Foreign test data lies beside the clone where there is any; unset, its suites are named and not counted.
ifeq ($(origin TRINHKY_CORPORA),undefined)
ifneq ($(wildcard ../shared/corpora/public),)
export TRINHKY_CORPORA := $(abspath ../shared/corpora/public)
endif
endif

.PHONY: help setup demo test matrix bench lint generate

help: ## What can be made
	@grep -hE '^[a-z]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

setup: ## Install what the machine lacks (as root), or name it
	@tests/setup.sh

demo: ## One document through the whole main job; ONCE=1 ends after it, PDF=file takes a document of yours
	@tests/setup.sh demo
	@tests/demo.sh

test: setup ## Everything that CI runs; STRICT=1 lets a skip fail too, SUITES="domain crash" runs some
	@python3 tests/run.py $(if $(STRICT),--strict) $(if $(SUITES),--only $(SUITES))

matrix: setup ## Every kind of file we sign, judged by others: the whole matrix, of which `make test` takes a selection
	@TRINHKY_WHOLE_MATRIX=1 python3 tests/run.py --only matrix

bench: setup ## Benchmarks beside the floor and the peers, into target/bench
	@tests/bench.sh

lint: setup ## Formatting, clippy pedantic, rustdoc, licences: any warning is an error
	@python3 tests/run.py --only lint

generate: ## Remake every generated file that is committed
	cargo run -q -p trinhky-server -- openapi > protos/openapi.json
	mobile-core/ffi/generate.sh
	docs/regulations.py
