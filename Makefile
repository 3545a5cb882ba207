# `make run` starts everything on this machine, `make send` talks to it; `make test` proves it.
CARGO := cargo
# Tests wait more than they compute: at least six run side by side.
export RUST_TEST_THREADS ?= $(shell n=$$(getconf _NPROCESSORS_ONLN); echo $$((n < 6 ? 6 : n)))
BIN := target/local
DENY := $(CARGO) deny --version 2>/dev/null || $(CARGO) install cargo-deny --version 0.20.2 --locked
FUZZ := $(CARGO) fuzz --version 2>/dev/null || $(CARGO) install cargo-fuzz --version 0.13.2 --locked
VENV := .venv/.$(shell cksum < infra/requirements.txt | cut -d' ' -f1)
BROWSER := .venv-browser/.$(shell cksum < tests/browser/requirements.txt | cut -d' ' -f1)

.PHONY: run send build test check bench crash load fuzz deploy push connect screenshots chromium clean-state
comma := ,

# Variables that it reads: CHANNELS, PORT, PLATFORM_PORT, CONFIG, STATE, STACK, AUTH, TUNNEL, TUNNEL_FORCE (infra/local/src/options.rs).
# make run TUNNEL=cloudflared (or ngrok, or the https address of your own proxy): your own bot, answered by this machine.
run: build
	@exec $(BIN)/local

# make send CHANNEL=telegram TEXT=hello; more of it by ARGS='--user ana --conversation team'
send:
	@$(BIN)/crabhook send $(CHANNEL) --text '$(subst ','\'',$(value TEXT))' $(ARGS)

build: $(VENV)
	$(CARGO) build --profile local --workspace --bins

# Everything, also what needs the whole local cloud; it finds free ports by itself.
test: chromium build $(BROWSER)
	$(CARGO) test --profile local --workspace --no-fail-fast

# What a review looks at first: format, lints, dependencies, templates, documentation, the rules of the repository.
check: $(VENV)
	$(CARGO) fmt --all --check && $(CARGO) fmt --manifest-path fuzz/Cargo.toml --check && $(CARGO) clippy --profile local --workspace --all-targets -- -D warnings
	@$(DENY)
	$(CARGO) deny check && .venv/bin/cfn-lint infra/template.yaml infra/bootstrap.yaml
	RUSTDOCFLAGS="-D warnings" $(CARGO) doc --profile local --workspace --no-deps --lib && $(CARGO) test --profile local -p tests --test tidy

# Into the AWS account: make deploy CHANNELS=telegram,slack STACK=crabhook; what else there is: target/local/crabhook --help
deploy: build
	$(BIN)/crabhook --stack $(or $(STACK),crabhook) deploy $(subst $(comma), ,$(CHANNELS)) $(ARGS)

# The code of one function, nothing else: make push FN=telegram
push: build
	$(BIN)/crabhook --stack $(or $(STACK),crabhook) push $(FN)

# Tells a platform where its webhook is: make connect CHANNEL=telegram STACK=crabhook
connect:
	$(BIN)/crabhook $(if $(STACK),--stack $(STACK)) connect $(CHANNEL) $(ARGS)

# What a message costs, in bytes, CPU, memory, capacity units and dollars. make bench ARGS='--all --runs 21'
bench:
	$(CARGO) bench --profile local -p tests --bench budget -- $(ARGS)

# Many people at once, everybody answered once and nothing left behind: make load USERS=200 MESSAGES=50
load: build
	$(CARGO) bench --profile local -p tests --bench load -- --users $(or $(USERS),50) --messages $(or $(MESSAGES),20)

# Kills everything at every point and reads whether the promises held: make crash KILLS=1000 SEED=7
crash: build
	KILLS=$(or $(KILLS),1000) SEED=$(or $(SEED),1) $(CARGO) test --quiet --profile local -p tests --test crash

# Whatever strangers send and models write, for both halves of every channel: make fuzz SECONDS=600 CHANNEL=slack
fuzz:
	@$(FUZZ)
	$(foreach half,receive post,$(CARGO) fuzz run --fuzz-dir fuzz --sanitizer none $(half) -- -max_total_time=$(or $(SECONDS),20) -max_len=16384 -timeout=10 -verbosity=0 -print_final_stats=1 &&) true

# The pictures of the README, into docs/screenshots.
screenshots: chromium build $(BROWSER)
	$(CARGO) test --profile local -p tests --test browser -- --ignored screenshots

# The browser of the tests. CI and containers, which are root, get it by themselves.
chromium:
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || { [ "$$(id -u)" = 0 ] && apt-get update -q && apt-get install -y --no-install-recommends chromium; } || \
	  { echo "the browser tests need Chromium: sudo apt-get install chromium" >&2; exit 1; }

# Forgets secrets, logs and everything else that `make run` keeps.
clean-state:
	rm -rf $(or $(STATE),.local)

# One pip call for all: installed one after another, their botocore versions clash.
$(VENV): infra/requirements.txt
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or newer is needed")'
	python3 -m venv --clear .venv && .venv/bin/pip install --quiet --disable-pip-version-check -r $< && touch $@

# Apart from the others: `make run` needs no browser.
$(BROWSER): tests/browser/requirements.txt
	@python3 -c 'import sys; sys.exit(sys.version_info < (3, 10) and "Python 3.10 or newer is needed")'
	python3 -m venv --clear .venv-browser && .venv-browser/bin/pip install --quiet --disable-pip-version-check -r $< && touch $@
