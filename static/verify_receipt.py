#!/usr/bin/env python3
"""Checks receipts against the seal they carry, offline, with nothing but Python 3.8 or newer.

    python verify_receipt.py receipt-17.proof.json
    python verify_receipt.py evidence.zip --key 3b6a27bc...

What it shows: that the act, the words that were shown and the evidence are exactly what was sealed at the time the head
names, and that the head was signed with the company's key. It needs nothing from the company but that key; compare it with
the one published under /seals/keys.json, or better with one you got earlier or elsewhere. Ends with 0 when all is well, 1
when something is not, 2 when there is nothing to check.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import os
import sys
import zipfile

MOST_BYTES = 5000000
P = 2**255 - 19
Q = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
ROOT_OF_MINUS_ONE = pow(2, (P - 1) // 4, P)

WORDS = {
    "good": ("{name}: in order", "{name}: i sin ordning"),
    "bad": ("{name}: NOT IN ORDER: {why}", "{name}: INTE I SIN ORDNING: {why}"),
    "waits": (
        "{name}: not sealed yet; fetch it again in an hour",
        "{name}: inte förseglat än; hämta det igen om en timme",
    ),
    "unreadable": ("{name}: no receipt with a proof", "{name}: inget kvitto med bevis"),
    "act": ("  entry {entry}: {act}, {purpose}, {occurred_at}", "  post {entry}: {act}, {purpose}, {occurred_at}"),
    "head": ("  sealed under head {number} at {sealed_at}", "  förseglat under huvud {number}, {sealed_at}"),
    "key": (
        "  signed with key {key}\n  compare it with the company's key under /seals/keys.json, or give it with --key",
        "  signerat med nyckeln {key}\n  jämför med företagets nyckel under /seals/keys.json, eller ange den med --key",
    ),
    "path": ("the entry is not the one that was sealed", "posten är inte den som förseglades"),
    "signature": ("the head is not signed by its key", "huvudet är inte signerat med sin nyckel"),
    "other key": ("the head is signed with another key", "huvudet är signerat med en annan nyckel"),
    "notice": ("the words are not those that were shown", "orden är inte de som visades"),
    "evidence": ("the evidence is not what was sealed", "underlaget är inte det som förseglades"),
    "chain": ("the heads do not follow each other", "huvudena följer inte på varandra"),
}


class Refused(Exception):
    """What is wrong, as a key of WORDS."""


def canonical(value):
    """RFC 8785 for what receipts hold: strings, whole numbers, booleans, null, lists and objects."""
    return json.dumps(value, ensure_ascii=False, sort_keys=True, separators=(",", ":")).encode()


def sha256(content):
    """The digest, as bytes."""
    return hashlib.sha256(content).digest()


def root_from(entry, position, size, path):
    """The root that this entry and audit path make (RFC 9162, 2.1.3.2)."""
    current, index, last = sha256(b"\x00" + canonical(entry)), position, size - 1
    if not 0 <= position < size:
        raise Refused("path")
    for step in path:
        if last == 0:
            raise Refused("path")
        if index & 1 or index == last:
            current = sha256(b"\x01" + step + current)
            while index and not index & 1:
                index, last = index >> 1, last >> 1
        else:
            current = sha256(b"\x01" + current + step)
        index, last = index >> 1, last >> 1
    if last:
        raise Refused("path")
    return current


def add(one, two):
    """The sum of two points of the curve, in extended coordinates (RFC 8032, 5.1.4)."""
    a, b = (one[1] - one[0]) * (two[1] - two[0]) % P, (one[1] + one[0]) * (two[1] + two[0]) % P
    c, d = 2 * one[3] * two[3] * D % P, 2 * one[2] * two[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def times(factor, point):
    """A multiple of a point."""
    total = (0, 1, 1, 0)
    while factor:
        if factor & 1:
            total = add(total, point)
        point, factor = add(point, point), factor >> 1
    return total


def point_of(encoded):
    """The point that 32 bytes stand for; None where they stand for none (RFC 8032, 5.1.3)."""
    y = int.from_bytes(encoded, "little")
    sign, y = y >> 255, y & (1 << 255) - 1
    if y >= P:
        return None
    square = (y * y - 1) * pow(D * y * y + 1, P - 2, P) % P
    x = pow(square, (P + 3) // 8, P)
    if (x * x - square) % P:
        x = x * ROOT_OF_MINUS_ONE % P
    if (x * x - square) % P or (x == 0 and sign):
        return None
    x = P - x if x & 1 != sign else x
    return x, y, 1, x * y % P


BASE = point_of((4 * pow(5, P - 2, P) % P).to_bytes(32, "little"))


def is_signed(public_key, message, signature):
    """Whether the Ed25519 signature is the key's over the message (RFC 8032, 5.1.7)."""
    if len(public_key) != 32 or len(signature) != 64:
        return False
    key, half, s = point_of(public_key), point_of(signature[:32]), int.from_bytes(signature[32:], "little")
    if key is None or half is None or s >= Q:
        return False
    digest = hashlib.sha512(signature[:32] + public_key + message).digest()
    left, right = times(s, BASE), add(half, times(int.from_bytes(digest, "little") % Q, key))
    return (left[0] * right[2] - right[0] * left[2]) % P == 0 and (left[1] * right[2] - right[1] * left[2]) % P == 0


def check_head(published, keys):
    """That the head is signed by its key, and its key is one of those given, or vouched for by one of them."""
    head = published["head"]
    key, statement = bytes.fromhex(head["public_key"]), canonical(head)
    if head["format"] != "ledger-head/1" or not is_signed(key, statement, bytes.fromhex(published["signature"])):
        raise Refused("signature")
    vouched = published.get("endorsement")
    if (
        keys
        and key not in keys
        and not (vouched and any(is_signed(one, statement, bytes.fromhex(vouched)) for one in keys))
    ):
        raise Refused("other key")


def check_proof(proof, keys):
    """That entry, words and evidence are what the head says. Returns the head's fields; None where it is not sealed yet."""
    entry, sealed = proof["entry"], proof["sealed"]
    if proof["format"] != "ledger-proof/1" or entry["format"] != "ledger-entry/1":
        raise Refused("path")
    for what in ("notice", "evidence"):
        if proof[what] is not None and sha256(canonical(proof[what])).hex() != entry[what + "_digest"]:
            raise Refused(what)
    if sealed is None:
        return None
    head = sealed["published"]["head"]
    path = [bytes.fromhex(step) for step in sealed["path"]]
    if root_from(entry, sealed["position"], head["tree_size"], path).hex() != head["root"]:
        raise Refused("path")
    check_head(sealed["published"], keys)
    return head


def find_proof(document):
    """The proof in a file: the file itself, or inside a receipt in JSON-LD."""
    if isinstance(document, dict):
        if document.get("format") == "ledger-proof/1":
            return document
        document = list(document.values())
    for part in document if isinstance(document, list) else ():
        found = find_proof(part)
        if found is not None:
            return found
    return None


def read(content):
    """JSON without duplicate names or fractions, which have no canonical form."""

    def unique(pairs):
        found = dict(pairs)
        if len(found) != len(pairs):
            raise ValueError("a name is there twice")
        return found

    def refuse(text):
        raise ValueError("a fraction")

    if len(content) > MOST_BYTES:
        raise ValueError("too long")
    return json.loads(content.decode("utf-8"), object_pairs_hook=unique, parse_float=refuse, parse_constant=refuse)


def files_of(path):
    """Name and content of the file, or of every proof in an evidence pack (a zip, or the folder it was unpacked to)."""
    if zipfile.is_zipfile(path):
        with zipfile.ZipFile(path) as pack:
            for info in pack.infolist():
                if info.filename.endswith(".proof.json") and info.file_size <= MOST_BYTES:
                    yield info.filename, pack.read(info)
    elif os.path.isdir(path):
        for folder, _, names in os.walk(path):
            for name in sorted(names):
                if name.endswith(".proof.json"):
                    yield from files_of(os.path.join(folder, name))
    else:
        with open(path, "rb") as file:
            yield path, file.read(MOST_BYTES + 1)


def check(path, keys, say):
    """Check one path. Returns how many receipts were in order, and how many were not."""
    good = bad = 0
    for name, content in files_of(path):
        try:
            proof = find_proof(read(content))
            if proof is None:
                say("unreadable", name=name)
                continue
            head = check_proof(proof, keys)
        except Refused as refused:
            say("bad", name=name, why=refused.args[0])
            bad += 1
            continue
        except (KeyError, TypeError, ValueError, AttributeError, OverflowError, RecursionError):
            say("unreadable", name=name)
            bad += 1
            continue
        if head is None:
            say("waits", name=name)
            continue
        good += 1
        say("good", name=name)
        say("act", **{field: proof["entry"].get(field) for field in ("entry", "act", "purpose", "occurred_at")})
        say("head", number=head["number"], sealed_at=head["sealed_at"])
        if not keys:
            say("key", key=head["public_key"])
    return good, bad


def main(arguments=None):
    """Check what is named on the command line."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument(
        "paths", nargs="+", metavar="FILE", help="a .proof.json, a receipt in JSON-LD, or an evidence pack"
    )
    parser.add_argument(
        "--key", action="append", default=[], help="the company's public key in hexadecimal; may be repeated"
    )
    parser.add_argument("--sv", action="store_true", help="svara på svenska")
    asked = parser.parse_args(arguments)
    try:
        keys = [bytes.fromhex(one) for one in asked.key]
    except ValueError:
        parser.error("--key is not hexadecimal")

    def say(what, **values):
        if "why" in values:
            values["why"] = WORDS[values["why"]][asked.sv]
        sys.stdout.write(WORDS[what][asked.sv].format(**values) + "\n")

    good = bad = 0
    for path in asked.paths:
        try:
            more_good, more_bad = check(path, keys, say)
        except OSError as error:
            parser.error(f"{path}: {error.strerror}")
        good, bad = good + more_good, bad + more_bad
    return 1 if bad else 0 if good else 2


if __name__ == "__main__":
    sys.exit(main())
