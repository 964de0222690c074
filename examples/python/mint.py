#!/usr/bin/env python3
"""Grants compute credits from any HR system: one signed JSON-RPC request, no Stipend software.

    python3 mint.py 5Go…N3E --program 0 --amount 250 --until 2027-03-31 --reference "payroll 4711/2027-01" \
        --url http://127.0.0.1:9944 --key hr.key

Needs Python 3.9 and `cryptography` (or `pynacl`). The issuer's key file is one of `stipend keys new`: 64 hex
digits. Running it again with the same reference grants nothing twice and answers with what was granted.

What is signed: ed25519 over blake2b_256(tag ++ genesis ++ blake2b_256(request)), where `tag` is 16 bytes of
ASCII padded with zeros, `genesis` the hash of the chain's first block, and `request` is, all integers
little-endian: issuer (32 bytes), idempotency key (16), owner (32), then a grant:

    0x00  program u32  amount u128  valid_from option<u64>  valid_until option<u64>     one entitlement
    0x01  basket u32                                                                    a basket

An option is 0x00, or 0x01 and the value. Amounts are micro-credits, times Unix milliseconds.
"""

import argparse
import datetime
import decimal
import hashlib
import http.client
import json
import os
import re
import stat
import sys
import time
import urllib.request

TAG = b"stipend/mint/1".ljust(16, b"\0")
ALREADY_MINTED = 7004
SECOND_ISSUER_NEEDED = 7009
BASE58 = "123456789ABCDEFGHJKLMNPQRSTUVWXYZabcdefghijkmnopqrstuvwxyz"


def blake2b(data, size):
    return hashlib.blake2b(data, digest_size=size).digest()


# Addresses: SS58, prefix 42.


def address(account):
    body = bytes([42]) + account
    number = int.from_bytes(body + blake2b(b"SS58PRE" + body, 64)[:2], "big")
    text = ""
    while number:
        number, digit = divmod(number, 58)
        text = BASE58[digit] + text
    return text


def account(text):
    if re.fullmatch("0x[0-9a-fA-F]{64}", text):
        return bytes.fromhex(text[2:])
    number = 0
    for letter in text:
        if letter not in BASE58:
            raise argparse.ArgumentTypeError(f"{text!r} is not an address")
        number = number * 58 + BASE58.index(letter)
    raw = number.to_bytes((number.bit_length() + 7) // 8, "big")
    if len(raw) != 35 or raw[0] != 42 or blake2b(b"SS58PRE" + raw[:33], 64)[:2] != raw[33:]:
        raise argparse.ArgumentTypeError(f"{text!r} is not an address; look for a mistyped character")
    return raw[1:33]


# The bytes that are signed.


def option(moment):
    return b"\0" if moment is None else b"\1" + moment.to_bytes(8, "little")


def encode(request):
    body = request["issuer"] + request["idempotency_key"] + request["owner"]
    if "basket" in request["grant"]:
        return body + b"\1" + request["grant"]["basket"].to_bytes(4, "little")
    one = request["grant"]["one"]
    body += b"\0" + one["program"].to_bytes(4, "little") + one["amount"].to_bytes(16, "little")
    return body + option(one["valid_from"]) + option(one["valid_until"])


def payload(request, genesis):
    return blake2b(TAG + genesis + blake2b(encode(request), 32), 32)


def as_json(request):
    """The request as `entitlements_mint` takes it: amounts are decimal strings, bytes hex."""
    grant = request["grant"]
    if "one" in grant:
        grant = {"one": dict(grant["one"], amount=str(grant["one"]["amount"]))}
    else:
        grant = {"basket": dict(grant)}
    return {
        "issuer": address(request["issuer"]),
        "idempotency_key": "0x" + request["idempotency_key"].hex(),
        "owner": address(request["owner"]),
        "grant": grant,
    }


def key_of(seed):
    """The public key of a seed, and what signs with it."""
    try:
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
        from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

        key = Ed25519PrivateKey.from_private_bytes(seed)
        return key.public_key().public_bytes(Encoding.Raw, PublicFormat.Raw), key.sign
    except ImportError:
        from nacl.signing import SigningKey

        key = SigningKey(seed)
        return bytes(key.verify_key), lambda message: key.sign(message).signature


# The node.


class Refused(Exception):
    def __init__(self, code, message, data):
        super().__init__(message)
        self.code, self.data = code, data


def call(url, method, *params):
    body = json.dumps({"jsonrpc": "2.0", "id": 1, "method": method, "params": params}).encode()
    asked = urllib.request.Request(url, body, {"Content-Type": "application/json"})
    with urllib.request.urlopen(asked, timeout=30) as answer:
        answer = json.load(answer)
    if "error" in answer:
        error = answer["error"]
        raise Refused(error["code"], error["message"], error.get("data"))
    return answer["result"]


def mint(url, request, signature, patience_s=90):
    """Carries the request until a finalised block shows what it granted; returns the entitlements."""
    params = (as_json(request), "0x" + signature.hex())
    deadline = time.monotonic() + patience_s
    while time.monotonic() < deadline:
        try:
            # While the request waits in the pool this changes nothing; afterwards it names what was granted.
            call(url, "entitlements_mint", *params)
        except Refused as refused:
            if refused.code != ALREADY_MINTED:
                raise
            granted = [call(url, "entitlements_get", number) for number in refused.data]
            if all(granted):  # known by the newest finalised block
                return granted
        time.sleep(1)
    sys.exit("no finalised block shows the grant yet; run the same command again, which cannot grant twice")


def is_asked_for(entitlement, request):
    """Whether an entitlement is what the request asks for, as far as the request says."""
    one = request["grant"].get("one")
    return entitlement["owner"] == address(request["owner"]) and (
        one is None
        or (entitlement["program"] == one["program"] and int(entitlement["amounts"]["granted"]) == one["amount"])
    )


# The command line.


def micro_credits(text):
    if not re.fullmatch(r"\d+(\.\d{1,6})?", text, re.ASCII):
        raise argparse.ArgumentTypeError(f"{text!r} is not an amount: credits with up to six decimals")
    with decimal.localcontext() as exact:
        exact.prec = 60
        return int(decimal.Decimal(text) * 1_000_000)


def moment(text):
    for form in ("%Y-%m-%d", "%Y-%m-%dT%H:%M:%SZ"):
        try:
            utc = datetime.datetime.strptime(text, form).replace(tzinfo=datetime.timezone.utc)
            return int(utc.timestamp()) * 1000
        except ValueError:
            pass
    raise argparse.ArgumentTypeError(f"{text!r} is not a date (2027-03-31) or a UTC time (2027-03-31T12:00:00Z)")


def seed(path):
    try:
        with open(path, "rb") as file:
            mode, text = os.fstat(file.fileno()).st_mode, file.read().strip().decode("ascii", "replace")
    except OSError as error:
        sys.exit(f"cannot read the key file {path}: {error.strerror}; check the path and who owns the file")
    if mode & (stat.S_IRWXG | stat.S_IRWXO):
        sys.exit(f"{path} is open to others, so its key may be known; make a new key, or chmod 600 it")
    if not re.fullmatch("[0-9a-f]{64}", text):
        sys.exit(f"{path} does not hold a key: it must be 64 hex digits; make one with `stipend keys new`")
    return bytes.fromhex(text)


def arguments():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("owner", type=account, help="who receives: an address, or a public key after 0x")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("--program", type=int, help="number of the program that pays")
    what.add_argument("--basket", type=int, help="number of a basket of this issuer")
    parser.add_argument("--amount", type=micro_credits, help="credits, with --program")
    parser.add_argument("--from", dest="valid_from", type=moment, help="first moment of use")
    parser.add_argument("--until", dest="valid_until", type=moment, help="first moment at which it is expired")
    parser.add_argument("--reference", required=True, help="what this grant is in your system, never used twice")
    parser.add_argument("--url", default=os.environ.get("STIPEND_RPC_URL", "http://127.0.0.1:9944"))
    parser.add_argument("--key", default=os.environ.get("STIPEND_KEY_FILE"), help="the issuer's key file")
    parser.add_argument("--genesis", help="hash of the chain's first block; asked of the node if not given")
    parser.add_argument("--print", action="store_true", help="send nothing: print request, bytes and signature")
    given = parser.parse_args()
    if (given.program is None) != (given.amount is None):
        parser.error("--program and --amount go together")
    if given.key is None:
        parser.error("name the issuer's key file with --key or STIPEND_KEY_FILE")
    return given


def main():
    given = arguments()
    url = re.sub("^ws", "http", given.url)  # the node answers both at one address
    issuer, sign = key_of(seed(given.key))
    if given.basket is not None:
        grant = {"basket": given.basket}
    else:
        dates = {"valid_from": given.valid_from, "valid_until": given.valid_until}
        grant = {"one": {"program": given.program, "amount": given.amount, **dates}}
    request = {
        "issuer": issuer,
        "idempotency_key": blake2b(given.reference.encode(), 16),
        "owner": given.owner,
        "grant": grant,
    }
    try:
        genesis = bytes.fromhex((given.genesis or call(url, "chain_getBlockHash", 0)).removeprefix("0x"))
        signed = payload(request, genesis)
        signature = sign(signed)
        if given.print:
            shown = {"request": as_json(request), "encoded": encode(request).hex(), "payload": signed.hex()}
            print(json.dumps(dict(shown, signature="0x" + signature.hex()), indent=2))
            return
        for entitlement in mint(url, request, signature):
            amounts = entitlement["amounts"]
            if not is_asked_for(entitlement, request):
                sys.exit(f"this reference was used for another grant, entitlement {entitlement['id']}; nothing new "
                         "was granted: use a new reference")
            whole, micro = divmod(int(amounts["granted"]), 1_000_000)
            print(f"entitlement {entitlement['id']}: {whole}.{micro:06} credits (finalised)")
    except Refused as refused:
        if refused.code == SECOND_ISSUER_NEEDED:
            sys.exit("a grant this large takes a second issuer: put the output of --print into a file and have "
                     "another issuer run `stipend mint cosign` and `stipend mint send` on it")
        sys.exit(f"the node refused ({refused.code}): {refused}")
    except (OSError, http.client.HTTPException) as error:  # a URLError is an OSError
        why = getattr(error, "reason", error)
        sys.exit(f"{url} does not answer: {why}; is the node running, and is the address right? Run the same command "
                 "again: it cannot grant twice")
    except json.JSONDecodeError:
        sys.exit(f"{url} answers, and not as a node does: is the address right?")


if __name__ == "__main__":
    main()
