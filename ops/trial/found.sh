#!/bin/sh
# Founds the trial's company on a fresh chain, and writes what gateway and attestors are configured
# with. What is there already is left alone, so that it can run at every start.
#
# Reads STIPEND_RPC_URL; COUNCIL: the seats, as key files or development names; ENGINE_URL and
# ENGINE_MODEL: a real engine behind the first provider. Writes below /company.
set -eu
umask 077

here=$(dirname "$0")
readonly here
readonly KEYS=/company/keys GATEWAY=/company/gateway
readonly BUDGET=1000000 # credits in each program

say() { printf 'found: %s\n' "$*"; }
die() { printf 'found: %s\n' "$*" >&2; exit 1; }

# The first value of a field in the command's JSON, which has one field a line.
field() { sed -n "s/^ *\"$1\": \"\{0,1\}\([^\",]*\)\"\{0,1\},\{0,1\}\$/\1/p" | head -n 1; }

# The objects of a JSON list, one a line.
objects() { tr -d '\n' | sed 's/}, *{/}\n{/g'; echo; }

# `stipend` as the holder of a key: a file, or a development name such as //Alice.
as() {
    holder=$1
    shift
    case $holder in
        //*) stipend --json --dev-key "$holder" "$@" ;;
        *) stipend --json --key "$holder" "$@" ;;
    esac
}

# Makes a key where there is none; prints its address.
key() {
    [ -e "$1" ] || stipend keys new "$1" >/dev/null
    stipend --json --key "$1" keys show | field address
}
public_key() { stipend --json --key "$1" keys show | field public_key; }

# Votes on a proposal until it has its approvals, and has it carried out: PROPOSAL APPROVALS.
carry() {
    proposal=$1 missing=$2
    for seat in $COUNCIL; do
        address=$(as "$seat" keys show | field address)
        if stipend --json council list | objects | grep -F "$proposal" | grep -qF "$address"; then
            missing=$((missing - 1)) # has voted
        elif [ "$missing" -gt 0 ]; then
            as "$seat" council vote "$proposal" yes >/dev/null
            missing=$((missing - 1))
        fi
    done
    [ "$missing" -le 0 ] || die "the keys in COUNCIL do not suffice for proposal $proposal: $missing approvals are missing"
    as "${COUNCIL%% *}" council close "$proposal" | grep -q '"carried_out": true' ||
        die "the council's proposal $proposal was not carried out"
}

# Carries out an act of the council. A council of one acts at once, a larger one votes.
council() {
    say "council: $*"
    answer=$(as "${COUNCIL%% *}" "$@")
    proposal=$(printf '%s\n' "$answer" | field hash)
    [ -z "$proposal" ] || carry "$proposal" "$(printf '%s\n' "$answer" | field approvals)"
}

# What a founding that was interrupted left open would keep the same from being proposed again. Until the
# trial's chain is founded, nobody else proposes anything there.
finish_open() {
    case $COUNCIL in //*) ;; *) return 0 ;; esac
    [ "$(cat $KEYS/founded 2>/dev/null)" != "$genesis" ] || return 0
    stipend --json council list | objects | sed -n 's/.*"approvals": \([0-9]*\).*"hash": "\(0x[0-9a-f]*\)".*/\2 \1/p' |
        while read -r proposal approvals; do
            say "an earlier founding was interrupted: finishing proposal $proposal"
            carry "$proposal" "$approvals"
        done
}

grant() {
    role=$1 account=$2
    stipend --json roles list --account "$account" | grep -q "\"role\": \"$role\"" ||
        council roles grant "$role" "$account"
}

# Number of the program that holds a class's budget.
program() { stipend --json programs list | objects | grep "\"name\": \"Company budget: $1\"" | sed 's/.*"id": \([0-9]*\).*/\1/' | head -n 1; }

budget() {
    [ -n "$(program "$1")" ] ||
        council programs create "Company budget: $1" --class "$1" --owner "$hr" --budget $BUDGET
}

provider() {
    name=$1 account=$2
    url=http://$name:9100
    grant provider "$account"
    stipend --json providers list | objects | grep -F "\"account\": \"$account\"" | grep -qF "\"$url\"" ||
        council providers register "$account" --endpoint "$url" --attestation-key "$(public_key "/company/$name/key")"
}

# Writes standard input to a file, whole or not at all.
put() { cat >"$1.new" && mv "$1.new" "$1"; }

# attestor NAME PROVIDER MODEL MODEL_ID ENGINE_URL ENGINE_MODEL
attestor() {
    folder=/company/$1
    [ -e "$folder/token" ] || od -An -N32 -tx1 /dev/urandom | tr -d ' \n' | put "$folder/token"
    cp "$folder/token" "$GATEWAY/$1.token"
    put "$folder/attestor.toml" <<CONFIG
listen = "0.0.0.0:9100"
provider = "$2"
key_file = "key"
data_dir = "data"
genesis_hash = "$genesis"

[engine]
url = "$5"

[[gateway]]
account = "$gateway"
token_file = "token"

[[model]]
name = "$3"
id = $4
engine_name = "$6"
CONFIG
}

upstream() {
    printf '\n[[upstream]]\nprovider = "%s"\nurl = "http://%s:9100"\ntoken_file = "%s.token"\nmodels = ["%s"]\n' \
        "$2" "$1" "$1" "$3"
}

for folder in $KEYS $GATEWAY /company/attestor-north /company/attestor-south; do
    [ -w "$folder" ] || die "cannot write to $folder: it must belong to uid $(id -u); remove the volume and start again"
done
genesis=$(stipend --json health "$STIPEND_RPC_URL" | field genesis_hash)
[ -n "$genesis" ] || die "no validator is ready at $STIPEND_RPC_URL"
hr=$(key $KEYS/hr)
gateway=$(key $GATEWAY/key)
north=$(key /company/attestor-north/key)
south=$(key /company/attestor-south/key)

finish_open
grant issuer "$hr"
grant gateway "$gateway"
provider attestor-north "$north"
provider attestor-south "$south"
stipend --json prices show >/dev/null 2>&1 || council prices publish "$here/prices.toml"
for class in Innovation Reasoning Priority; do budget $class; done
stipend --json baskets list | grep -q '"id": 1,' ||
    as $KEYS/hr baskets set 1 "Trial package" --line "$(program Innovation):2000" \
        --line "$(program Reasoning):3000" --line "$(program Priority):100" >/dev/null

attestor attestor-north "$north" stipend-general 1 \
    "${ENGINE_URL:-http://engine-north:8000}" "${ENGINE_MODEL:-stipend-general}"
attestor attestor-south "$south" stipend-reasoning 2 http://engine-south:8000 stipend-reasoning
{
    printf 'listen = "0.0.0.0:8080"\nchain = "%s"\nkey_file = "key"\ndata_dir = "data"\n' "$STIPEND_RPC_URL"
    upstream attestor-north "$north" stipend-general
    upstream attestor-south "$south" stipend-reasoning
} | put $GATEWAY/gateway.toml
echo "$genesis" | put $KEYS/founded
say "the company is founded: HR $hr, gateway $gateway, providers $north and $south"
