#!/usr/bin/env bash
# Runs docker-compose.yml on this machine's Docker engine and does the main job across its containers:
# found, mint, serve, settle, lose a validator, restart the gateway. Leaves nothing behind.
#
#   scripts/test-compose.sh [--if-possible]
#
# --if-possible: where there is no Docker engine, say so and succeed. The programs are those of
# `make build`; building inside the image needs registries, so that is left to `docker compose build`.
set -euo pipefail
cd "$(dirname "$0")/.."

readonly BUILT=${CARGO_TARGET_DIR:-target}/release
readonly WORK=$PWD/target/compose
readonly GENERAL_PRICES='.usage | (.prompt_tokens * 250 + .completion_tokens * 1000 + 50)' # ops/trial/prices.toml
readonly VALIDATORS=(validator-1 validator-2 validator-3 validator-4)
readonly SERVICES=("${VALIDATORS[@]}" engine-north engine-south attestor-north attestor-south gateway wallet)

started=$SECONDS
checks=0
base=there
served=0 # requests so far
spent=0  # what they cost by their own usage, in micro-credits

step() { printf '\n[%3d s] %s\n' $((SECONDS - started)) "$*"; }
ok() { checks=$((checks + 1)); printf '        ok: %s\n' "$*"; }
fail() { printf 'test-compose: FAILED: %s\n' "$*" >&2; exit 1; }

# ---------------------------------------------------------------- what this needs

prerequisites() {
    if ! docker info >/dev/null 2>&1; then
        echo "test-compose: no Docker engine answers on this machine, so the containers were NOT tested." >&2
        [ "${1:-}" = --if-possible ] && exit 0
        echo "Install Docker (or start it), or call this with --if-possible." >&2
        exit 1
    fi
    local tool
    for tool in curl jq; do
        command -v $tool >/dev/null || fail "$tool is not installed: install it, then run this again"
    done
    if docker compose version >/dev/null 2>&1; then
        compose_tool=(docker compose)
    elif command -v docker-compose >/dev/null; then
        compose_tool=(docker-compose)
    else
        fail "Docker is here, but neither 'docker compose' nor docker-compose: install the Compose plugin"
    fi
}

compose() { "${compose_tool[@]}" --project-name "$project" "$@"; }

# The command line in a container, as the README has it; answers in JSON.
cli() { compose run --rm -T cli --json "$@" 2>"$WORK/cli.err" || fail "stipend $*: $(tail -n 5 "$WORK/cli.err")"; }

container() { compose ps -q "$1"; }

# A node's own view, from inside its container; asked again where the machine is too busy to answer.
node() {
    local attempt answer
    for attempt in 1 2 3 4 5; do
        if answer=$(compose exec -T "$1" stipend --json health ws://127.0.0.1:9944 --lag-max 1000000 2>"$WORK/node.err"); then
            jq -r ".$2" <<<"$answer"
            return
        fi
        sleep "$attempt"
    done
    fail "$1 does not say how it is: $(tail -n 3 "$WORK/node.err")"
}

# wait_for SECONDS WHAT COMMAND…: until the command succeeds.
wait_for() {
    local limit=$1 what=$2 since=$SECONDS
    shift 2
    until "$@"; do
        [ $((SECONDS - since)) -lt "$limit" ] || fail "$what: not within $limit s"
        sleep 1
    done
    ok "$what ($((SECONDS - since)) s)"
}

# ---------------------------------------------------------------- start and end

free_subnet() {
    local used third
    used=$(docker network ls -q | xargs -r docker network inspect --format '{{range .IPAM.Config}}{{.Subnet}} {{end}}')
    for third in $(seq 84 120); do
        [[ "$used" == *"172.29.$third."* ]] || { echo "172.29.$third"; return; }
    done
    fail "no free subnet among 172.29.84.0/24 and its neighbours; docker network prune removes unused ones"
}

free_port() {
    local port
    for port in $(shuf -i 20000-29999 -n 50); do
        (exec 3<>"/dev/tcp/127.0.0.1/$port") 2>/dev/null || { echo "$port"; return; }
    done
    fail "no free port"
}

build_image() {
    base=$(scripts/base-image.sh)
    echo "        programs from $BUILT, not built inside the image"
    scripts/image-root.sh "$BUILT" "$WORK/image/root"
    docker build --quiet --target prebuilt --tag "$STIPEND_IMAGE" --file Dockerfile "$WORK/image" \
        >"$WORK/build.log" 2>&1 || fail "the image could not be built; see $WORK/build.log"
    docker run --rm --read-only "$STIPEND_IMAGE" stipend --version >/dev/null ||
        fail "the programs do not run in the image: built on a system newer than its base?"
    docker image ls "$STIPEND_IMAGE" --format '        {{.Repository}}:{{.Tag}} {{.Size}}'
}

keep_logs() {
    local service
    compose ps -a || true
    for service in found "${SERVICES[@]}"; do
        compose logs --no-color "$service" >"$WORK/$service.log" 2>&1 || true
    done
    echo "test-compose: the containers' output is in $WORK/*.log" >&2
}

leftovers() {
    local label="label=com.docker.compose.project=$project"
    docker ps -aq --filter "$label"
    docker volume ls -q --filter "$label"
    docker network ls -q --filter "$label"
    docker image ls -q "$STIPEND_IMAGE"
}

clean_up() {
    local code=$?
    trap - EXIT INT TERM
    [ $code = 0 ] || keep_logs
    compose down --volumes --remove-orphans --timeout 10 >"$WORK/down.log" 2>&1 || cat "$WORK/down.log" >&2
    docker image rm "$STIPEND_IMAGE" >/dev/null 2>&1 || true
    [ "$base" = there ] || docker image rm "$(sed -n 's/^ARG DEBIAN=//p' Dockerfile)" >/dev/null 2>&1 || true
    if [ -n "$(leftovers)" ]; then
        echo "test-compose: FAILED: left behind: $(leftovers | tr '\n' ' ')" >&2
        code=1
    fi
    [ $code != 0 ] || printf '\ntest-compose: %d checks passed in %d s, nothing left behind\n' $checks $((SECONDS - started))
    exit $code
}

# ---------------------------------------------------------------- what is checked

is_healthy() { [ "$(docker inspect --format '{{.State.Health.Status}}' "$(container "$1")")" = healthy ]; }

all_healthy() {
    local service
    for service in "${SERVICES[@]}"; do is_healthy "$service" || return 1; done
}

check_hardening() {
    local service facts
    for service in "${SERVICES[@]}"; do
        facts=$(docker inspect --format \
            '{{.HostConfig.ReadonlyRootfs}} {{.Config.User}} {{.HostConfig.CapDrop}} {{.HostConfig.SecurityOpt}} {{gt .HostConfig.Memory 0}}' \
            "$(container "$service")")
        [ "$facts" = 'true 10001:10001 [ALL] [no-new-privileges:true] true' ] || fail "$service runs as: $facts"
        [ "$(compose exec -T "$service" sh -c 'id -u; touch /tried 2>/dev/null && echo written')" = 10001 ] ||
            fail "$service is root or can write to its root"
    done
    ok "every container: not root, read-only root, no capabilities, no new privileges, bounded memory"
    local open
    # shellcheck disable=SC2016 # the template's variables are Docker's
    open=$(docker ps -q --filter "label=com.docker.compose.project=$project" | xargs docker inspect --format \
        '{{range $port, $bound := .NetworkSettings.Ports}}{{range $bound}}{{.HostIp}} {{end}}{{end}}' | tr ' ' '\n' | sort -u | grep -v '^$')
    [ "$open" = 127.0.0.1 ] || fail "ports are open on $open"
    ok "ports are open on 127.0.0.1 only"
}

# What Prometheus would read, all of it: the test stands on the machine whose networks these are.
scrape() {
    local target address
    for target in "${VALIDATORS[@]/%/:9615}" engine-north:8000 engine-south:8000 attestor-north:9100 attestor-south:9100 gateway:8080; do
        address=$(docker inspect --format '{{range .NetworkSettings.Networks}}{{.IPAddress}} {{end}}' "$(container "${target%:*}")")
        curl --silent --show-error --fail --max-time 10 "http://${address%% *}:${target#*:}/metrics"
    done
}

# Metrics that dashboards and alerts use and that no program has.
missing_metrics() {
    scrape | sed -nE 's/^# TYPE ([^ ]+) histogram$/\1_bucket/p; s/^# TYPE ([^ ]+) .*/\1/p' | sort -u >"$WORK/metrics"
    cat ops/grafana/dashboards/*.json ops/prometheus/alerts.yml | grep -oE '\b(substrate|stipend|gen_ai|vllm)[_:][a-z0-9_:]+' |
        grep -vE '^gen_ai_(request_model|token_type)$' | sort -u >"$WORK/metrics-used"
    comm -23 "$WORK/metrics-used" "$WORK/metrics" | tee "$WORK/metrics-missing"
}
has_all_metrics() { [ -z "$(missing_metrics)" ]; }

check_metrics() {
    # A node counts the credits of all wallets once a minute.
    wait_for 100 "the metrics of dashboards and alerts exist (else see $WORK/metrics-missing)" has_all_metrics
    if command -v promtool >/dev/null; then
        promtool check config ops/prometheus/prometheus.yml >/dev/null
        promtool test rules ops/prometheus/alerts_test.yml >/dev/null
        ok "promtool accepts configuration and alerts, and their tests pass"
    else
        echo "        not checked: alerts by promtool (Debian's package prometheus has it)"
    fi
}

# Sends requests and adds up what they cost by the usage in their own answers.
serve() {
    local count=$1 at cost
    for at in $(seq "$count"); do
        curl --silent --show-error --fail-with-body --max-time 60 --dump-header "$WORK/head" --output "$WORK/answer" \
            "http://127.0.0.1:$STIPEND_GATEWAY_PORT/v1/chat/completions" \
            --header "authorization: Bearer $api_key" --header 'content-type: application/json' \
            --data "{\"model\": \"stipend-general\", \"messages\": [{\"role\": \"user\", \"content\": \"Request $served: say something.\"}], \"max_tokens\": $((8 + at))}" ||
            fail "request $served was refused: $(cat "$WORK/answer")"
        cost=$(jq "$GENERAL_PRICES" "$WORK/answer")
        [ "$(sed -n 's/^x-stipend-cost: \([0-9]*\).*/\1/Ip' "$WORK/head")" = "$cost" ] || fail "the gateway's cost is not that of the usage"
        spent=$((spent + cost)) served=$((served + 1))
    done
    ok "$count requests served, $spent micro-credits so far"
}

gateway_says() { curl --silent --max-time 5 "http://127.0.0.1:$STIPEND_GATEWAY_PORT/metrics" | sed -n "s/^$1 //p"; }
all_finalised() { [ "$(gateway_says stipend_gateway_receipts_finalised)" = "$served" ]; }
wallet_says() { curl --silent --max-time 5 "http://127.0.0.1:$STIPEND_WALLET_PORT/metrics" | sed -n "s/^$1 //p"; }
wallet_has_all() { [ "$(wallet_says stipend_wallet_receipts_total)" = "$served" ]; }
none_pending() { [ "$(cli settlement pending | jq length)" = 0 ]; }

# The pages answer, and show a wallet to nobody who is not signed in.
check_wallet() {
    local base=http://127.0.0.1:$STIPEND_WALLET_PORT status
    curl --silent --fail --max-time 5 "$base/readyz" | jq --exit-status '.ready' >/dev/null || fail "the wallet service is not ready"
    curl --silent --fail --max-time 5 "$base/sign-in" | grep --quiet "$base" || fail "the sign-in page does not name its address"
    status=$(curl --silent --max-time 5 --output /dev/null --write-out '%{http_code}' "$base/api/v1/wallets/$ada")
    [ "$status" = 401 ] || fail "a wallet is shown to who is not signed in: $status"
    ok "the wallet's pages answer, to who is signed in"
}

# Every request so far is settled as match, and the wallet holds exactly what is left.
check_books() {
    wait_for 60 "the chain has all $served receipts" all_finalised
    wait_for 60 "the wallet service has them too" wallet_has_all
    wait_for 120 "nothing waits for its settlement" none_pending
    local seq verdicts wallet
    for seq in 0 $((served / 2)) $((served - 1)); do
        verdicts=$(cli settlement status "$gateway" "$seq" | jq -r '[.[] | .settled.verdict + " " + .settled.refunded] | unique | join(", ")')
        [ "$verdicts" = 'match 0' ] || fail "receipt $seq is settled as: $verdicts"
    done
    ok "gateway and provider agree: settled as match"
    wallet=$(cli wallet show "$ada" | jq '.finalised[] | select(.name == "Innovation") | .amounts | map_values(tonumber)')
    jq --exit-status --argjson spent "$spent" \
        '.granted == 2000000000 and .spent == $spent and .available + .reserved + .spent == .granted' <<<"$wallet" >/dev/null ||
        fail "the wallet should have spent $spent of 2000000000 micro-credits: $wallet"
    ok "the wallet has spent exactly $spent micro-credits"
}

check_stranger() {
    cli keys new stranger >/dev/null
    ! compose run --rm -T cli --key stranger api-keys create >/dev/null 2>"$WORK/stranger.err" ||
        fail "an account with neither role nor entitlement got a transaction into the chain"
    grep -q 'neither a role nor an entitlement' "$WORK/stranger.err" || fail "a stranger got another answer: $(cat "$WORK/stranger.err")"
    ok "a stranger's transaction is refused"
}

found_acts() { [ "$(compose logs --no-color found 2>/dev/null | grep -c 'council: ')" -ge "$1" ]; }

# Kills the founding in the middle, as Ctrl-C would: a proposal may be open then.
interrupt_founding() {
    compose up -d --no-build found >"$WORK/up.log" 2>&1 || fail "compose up failed: $(tail -n 5 "$WORK/up.log")"
    wait_for 120 "the founding has begun" found_acts 2
    sleep 4
    docker kill "$(container found)" >/dev/null
}

check_founding_again() {
    compose run --rm -T found >"$WORK/found-again.log" 2>&1 || fail "founding again failed: $(tail -n 3 "$WORK/found-again.log")"
    ! grep -q 'council:' "$WORK/found-again.log" || fail "founding again changed something: $(cat "$WORK/found-again.log")"
    ok "founding again changes nothing"
}

# The validator that the gateway's connection leads to: the name `rpc` is all of theirs.
gateways_validator() {
    local remote
    remote=$(compose exec -T gateway cat /proc/net/tcp | awk '$3 ~ /:26D8$/ && $4 == "01" { print substr($3, 1, 2); exit }') # port 9944
    echo "validator-$((16#$remote - 10))"
}

# A node that is only just starting does not answer yet: then it is not beyond anything.
finalised_beyond() {
    local finalised
    finalised=$(node "$1" finalised 2>/dev/null) && [ "$finalised" -gt "$2" ]
}

# ---------------------------------------------------------------- the run

prerequisites "$@"
mkdir -p "$WORK"
project=stipend-test-$$
STIPEND_IMAGE=stipend:test-$$ STIPEND_SUBNET=$(free_subnet) STIPEND_RPC_PORT=$(free_port) STIPEND_GATEWAY_PORT=$(free_port)
STIPEND_WALLET_PORT=$(free_port)
export STIPEND_IMAGE STIPEND_SUBNET STIPEND_RPC_PORT STIPEND_GATEWAY_PORT STIPEND_WALLET_PORT
set -o errtrace
trap 'echo "test-compose: line $LINENO failed: $BASH_COMMAND" >&2' ERR
trap clean_up EXIT
trap 'exit 130' INT TERM

step "the image"
build_image
step "docker-compose.yml"
compose config -q || fail "docker-compose.yml is not in order"
STIPEND_NETWORK=/acme compose -f docker-compose.yml -f ops/company.yml config -q || fail "ops/company.yml is not in order"
ok "compose config is clean, also with ops/company.yml"
step "starting four validators, founding, attestors, gateway (project $project)"
interrupt_founding
compose up -d --no-build >"$WORK/up.log" 2>&1 || fail "compose up failed: $(tail -n 5 "$WORK/up.log")"
wait_for 120 "all containers are healthy" all_healthy
check_hardening
check_founding_again

step "HR grants, an employee makes a key, requests are served"
gateway=$(cli roles list --role gateway | jq -r '.[0].account')
ada=$(cli keys new ada | jq -r .address)
cli --key hr mint basket "$ada" 1 >/dev/null
api_key=$(cli --key ada api-keys create --reserve-for "$gateway" --reserve innovation:500 | jq -r .key)
serve 20
check_books
check_wallet
check_stranger
check_metrics

victim=$(gateways_validator)
for witness in "${VALIDATORS[@]}"; do [ "$witness" = "$victim" ] || break; done
step "the validator that the gateway talks to stops: $victim"
compose stop "$victim" >/dev/null 2>&1
before=$(node "$witness" finalised)
wait_for 60 "finality goes on with three of four, from block $before" finalised_beyond "$witness" $((before + 10))
serve 5
check_books

step "it starts again"
compose start "$victim" >/dev/null 2>&1
wait_for 120 "it has caught up" finalised_beyond "$victim" "$(node "$witness" finalised)"
wait_for 60 "it is healthy" is_healthy "$victim"

step "the gateway is restarted"
compose restart gateway >/dev/null 2>&1
wait_for 60 "it is healthy" is_healthy gateway
serve 5
check_books

step "taking everything down"
