# The commands of a working day. Each first makes sure that the machine has what it needs (tools/bootstrap, silent when
# nothing is missing). What they do stands in CMakePresets.json and in the scripts that they call.
SHELL := /bin/bash
.DEFAULT_GOAL := build
MINUTES ?= 10

.PHONY: help build test lint fmt bench soak fuzz clean

help: ## this list
	@sed -n 's/^\([a-z]*\):.*## /  make \1\t/p' $(MAKEFILE_LIST) | expand -t 16

build: ## the services and commands, into build/release/bin
	@tools/bootstrap build
	@tools/build release

test: ## everything that has to be green, in one run of ctest
	@tools/bootstrap build page test lint
	@tools/test

lint: ## the full set of checks, slower than the one in `make test`
	@tools/bootstrap build page test lint
	@tools/build release
	@. tools/env.sh && ctest --test-dir build/release --output-on-failure --no-tests=error -L lint
	@. tools/env.sh && tests/lint/tidy . full
	@. tools/env.sh && [ ! -e frontend/dashboard/package.json ] || npm --prefix frontend/dashboard run -s lint

fmt: ## formats the C code and the page
	@tools/bootstrap build page lint
	@git ls-files -z '*.c' '*.h' | xargs -0r clang-format -i
	@. tools/env.sh && [ ! -e frontend/dashboard/package.json ] || npm --prefix frontend/dashboard run -s format

bench: ## speed and memory against the goals, as a table
	@tools/bootstrap build page bench
	@tools/build release
	@. tools/env.sh && tests/bench/run

soak: ## the long forms: a thousand kills, 500 examples of each operation, hours of load
	@tools/bootstrap build page test
	@tools/build release asan
	@. tools/env.sh && ctest --test-dir build/release --output-on-failure --no-tests=error -L soak

fuzz: ## every fuzz target for MINUTES minutes (10)
	@tools/bootstrap build test
	@tools/build fuzz
	@tests/fuzz/run $(MINUTES)

clean: ## forgets what was built; keeps .cache, .run and data
	@rm -rf build frontend/dashboard/dist
