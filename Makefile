# What people run. `make` alone lists the targets. Everything is made by `swift` and the scripts named here.
DEMO := out/demo
SCRIPTS := scripts/bootstrap scripts/check-columns scripts/docs scripts/show Tests/bootstrap/run Tests/consumer/run .ci/run

.DEFAULT_GOAL := help
.PHONY: help bootstrap build demo test test-tsan bench bench-merge format lint docs clean

help: ## list the targets
	@awk -F ':.*## ' '/^[a-z-]+:.*## / { printf "make %-11s %s\n", $$1, $$2 }' Makefile

bootstrap: ## install what Valley needs: system packages, libtorch, the figure renderer
	@scripts/bootstrap

build: bootstrap ## build the command line tool, optimised: .build/release/valley
	swift build -c release --product valley

demo: build ## train, branch and merge small networks, then show the report
	.build/release/valley study run studies/demo.yaml --out $(DEMO)
	.build/release/valley report $(DEMO)
	@scripts/show $(DEMO)

test: ## run every test
	@scripts/bootstrap --test
	Tests/bootstrap/run
	Tests/consumer/run --plan
	swift test

test-tsan: bootstrap ## run the tests of Torch under the thread sanitizer (a build of its own, some minutes)
	TSAN_OPTIONS=allocator_may_return_null=1 \
	  swift test --sanitize=thread --scratch-path .build-tsan --filter TorchTests

bench: build ## measure speed against PyTorch; prints ratios
	Benchmarks/run

bench-merge: build ## measure merging against mergekit; PYTHON=<an interpreter that has it>
	Benchmarks/run-merge --skip-build $(if $(PYTHON),--python $(PYTHON))

format: ## format the Swift sources in place
	swift format --in-place --parallel --recursive Sources Plugins Tests Package.swift

lint: ## check the format of the Swift sources, and the shell scripts where shellcheck is installed
	swift format lint --strict --parallel --recursive Sources Plugins Tests Package.swift
	scripts/check-columns
	@if command -v shellcheck >/dev/null; then shellcheck $(SCRIPTS); else echo "shellcheck is missing: scripts unchecked"; fi

docs: bootstrap ## write the API documentation to out/docs
	scripts/docs out/docs

clean: ## remove what was built; results in out/ stay
	rm -rf .build .build-tsan out/docs
