#!/usr/bin/env bash
# Lays out what an image of Stipend holds besides its base: the programs, the `stipend` command's
# manual pages and completions, and the certificate authorities that the programs trust.
#
#   scripts/image-root.sh BUILT ROOT     # BUILT: folder with the built programs; ROOT: folder to fill
set -euo pipefail

readonly PROGRAMS=(stipend-node stipend stipend-gateway stipend-attestor stipend-wallet stipend-evaluator stipend-engine-sim)
readonly AUTHORITIES=/etc/ssl/certs/ca-certificates.crt

die() { printf 'image-root: %s\n' "$*" >&2; exit 1; }

[ $# = 2 ] || die "usage: scripts/image-root.sh BUILT ROOT"
built=$1 root=$2
for program in "${PROGRAMS[@]}"; do
    [ -x "$built/$program" ] || die "$built/$program is not there: run 'make build' first"
done
[ -r $AUTHORITIES ] || die "$AUTHORITIES is not there: install the package ca-certificates"
rm -rf "$root"
install -d "$root/usr/local/bin" "$root$(dirname $AUTHORITIES)"
install -m 0755 -s "${PROGRAMS[@]/#/$built/}" "$root/usr/local/bin/"
"$(dirname "$0")/pages.sh" "$built/stipend" "$root/usr/local/share"
install -m 0644 $AUTHORITIES "$root$AUTHORITIES"
