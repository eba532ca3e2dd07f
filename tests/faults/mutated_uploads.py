"""Photos altered on their way, in every way we could think of: how many does the server take?

    python -m tests.faults.mutated_uploads [COUNT [SEED]]       10,000 uploads

Each upload is made from ``SEED/number`` alone, so that ``--only NUMBER`` sends one again. The server is real
(gunicorn, HTTP, a disk); the answer must be a refusal, and nothing of it may count. Between the altered ones
a whole one is sent now and then, which must be taken: a server that refuses everything proves nothing.
"""

from __future__ import annotations

import base64
import hashlib
import random
import sys
import time
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from uuid import UUID

from fieldsync.client import ProblemAnswer, uploads
from fieldsync.client.transport import Transport

MOST_BYTES = 24_000
WHOLE_EVERY = 50
# What a server may answer to an altered photo; a status of 500 or more, or of success, is a failure.
REFUSALS = frozenset({400, 409, 410, 413, 415, 423, 460})

Sender = Callable[["Case", Transport], None]


@dataclass(frozen=True, slots=True)
class Case:
    """One upload: what is declared, and how what is sent differs.

    Attributes
    ----------
    content
        The photo as the tablet took it; ``sha256`` is declared of it.
    """

    number: int
    kind: str
    content: bytes
    rng: random.Random

    @property
    def sha256(self) -> str:
        return hashlib.sha256(self.content).hexdigest()

    def declared(self, *, length: int | None = None) -> dict[str, object]:
        """What the tablet says of the photo."""
        return {
            "photo_id": str(UUID(int=random.Random(self.sha256).getrandbits(128), version=4)),
            "sha256": self.sha256,
            "bytes": len(self.content) if length is None else length,
            "mime": "image/jpeg",
        }


def flip_bits(content: bytes, rng: random.Random) -> bytes:
    """Turn one to eight bits."""
    altered = bytearray(content)
    for at in rng.sample(range(len(altered) * 8), rng.randrange(1, 9)):
        altered[at // 8] ^= 1 << at % 8
    return bytes(altered)


def swap_ranges(content: bytes, rng: random.Random) -> bytes:
    """Exchange two pieces."""
    size = rng.randrange(1, max(2, len(content) // 3))
    one = rng.randrange(0, len(content) - 2 * size)
    other = rng.randrange(one + size, len(content) - size + 1)
    return (
        content[:one] + content[other : other + size] + content[one + size : other]
        + content[one : one + size] + content[other + size :]
    )  # fmt: skip


def zero_range(content: bytes, rng: random.Random) -> bytes:
    """Lose a piece in the middle, as a sparse file does."""
    at = rng.randrange(len(content))
    size = rng.randrange(1, len(content) - at + 1)
    return content[:at] + bytes(size) + content[at + size :]


def shift(content: bytes, rng: random.Random) -> bytes:
    """Lose a byte and gain one elsewhere."""
    at = rng.randrange(len(content))
    rest = content[:at] + content[at + 1 :]
    to = rng.randrange(len(rest))
    return rest[:to] + rng.randbytes(1) + rest[to:]


def other_photo(content: bytes, rng: random.Random) -> bytes:
    """Be another photo of the same size."""
    return b"\xff\xd8\xff\xe0" + rng.randbytes(len(content) - 4)


def repeat_chunk(content: bytes, rng: random.Random) -> bytes:
    """Have one piece twice, and the end cut off for it."""
    at, size = rng.randrange(len(content) - 1), rng.randrange(1, 4000)
    return (content[:at] + content[at : at + size] * 2 + content[at + size :])[: len(content)]


ALTER: dict[str, Callable[[bytes, random.Random], bytes]] = {
    "bits turned": flip_bits,
    "pieces exchanged": swap_ranges,
    "a piece of zeros": zero_range,
    "shifted": shift,
    "another photo": other_photo,
    "a piece twice": repeat_chunk,
}


def send_whole(case: Case, line: Transport) -> None:
    """Altered, in one request with its creation."""
    uploads.create(line, case.declared(), _altered(case))


def send_chunks(case: Case, line: Transport) -> None:
    """Altered, in chunks, each with the true checksum of what is sent: only the whole is wrong."""
    altered = _altered(case)
    _send_all(case, line, altered, length=len(altered), size=case.rng.randrange(1000, 9000))


def send_truncated(case: Case, line: Transport) -> None:
    """The first bytes only, under a length that fits them."""
    cut = case.content[: case.rng.randrange(1, len(case.content))]
    uploads.create(line, case.declared(length=len(cut)), cut)


def send_extended(case: Case, line: Transport) -> None:
    """More bytes than the photo has, under a length that fits them."""
    more = case.content + case.rng.randbytes(case.rng.randrange(1, 5000))
    uploads.create(line, case.declared(length=len(more)), more)


def send_more_than_declared(case: Case, line: Transport) -> None:
    """The photo's own length declared, and more sent."""
    uploads.create(line, case.declared(), case.content + case.rng.randbytes(case.rng.randrange(1, 500)))


def send_reordered(case: Case, line: Transport) -> None:
    """Chunks in another order, each at the offset where the server is."""
    size = case.rng.randrange(500, max(501, len(case.content) // 3))
    chunks = [case.content[at : at + size] for at in range(0, len(case.content), size)]
    mixed = chunks[:]
    while mixed == chunks:
        case.rng.shuffle(mixed)
    url, offset = uploads.create(line, case.declared())
    for chunk in mixed:
        offset = uploads.send_chunk(line, url, offset, chunk)


def send_at_wrong_offsets(case: Case, line: Transport) -> None:
    """A chunk left out, the next sent at the offset it would have had."""
    size = case.rng.randrange(500, max(501, len(case.content) // 3))
    url, _ = uploads.create(line, case.declared(), case.content[:size])
    uploads.send_chunk(line, url, 2 * size, case.content[2 * size : 3 * size])


def send_wrong_checksum(case: Case, line: Transport) -> None:
    """A chunk altered behind its checksum, by each algorithm."""
    cut = case.rng.randrange(1, len(case.content) - 1)
    url, _ = uploads.create(line, case.declared(), case.content[:cut])
    rest, altered = case.content[cut:], flip_bits(case.content[cut:], case.rng)
    _patch(line, url, cut, altered, _checksum(case.rng.choice(("sha1", "sha256")), rest))


def send_bad_header(case: Case, line: Transport) -> None:
    """The last chunk with a header that says nothing sound."""
    cut = case.rng.randrange(1, len(case.content) - 1)
    url, _ = uploads.create(line, case.declared(), case.content[:cut])
    change = case.rng.choice(
        [
            {"Upload-Checksum": "md5 " + base64.b64encode(bytes(16)).decode()},
            {"Upload-Checksum": "sha256 " + base64.b64encode(bytes(20)).decode()},
            {"Upload-Checksum": "sha256 !!!"},
            {"Upload-Checksum": "crc32c " + base64.b64encode(bytes(4)).decode()},
            {"Upload-Offset": "-1"},
            {"Upload-Offset": str(cut + 1)},
            {"Upload-Offset": "1e3"},
            {"Content-Type": "image/jpeg"},
        ]
    )
    headers = {**uploads.CHUNK, "Upload-Offset": str(cut), **change}
    line.send("PATCH", url, headers=headers, content=case.content[cut:])


def send_wrong_hash(case: Case, line: Transport) -> None:
    """The true bytes under another hash."""
    photo = case.declared()
    digits = list(str(photo["sha256"]))
    at = case.rng.randrange(64)
    digits[at] = case.rng.choice([d for d in "0123456789abcdef" if d != digits[at]])
    uploads.create(line, {**photo, "sha256": "".join(digits)}, case.content)


SENDERS: dict[str, Sender] = {
    "whole": send_whole,
    "in chunks": send_chunks,
    "truncated": send_truncated,
    "extended": send_extended,
    "more than declared": send_more_than_declared,
    "reordered": send_reordered,
    "wrong offset": send_at_wrong_offsets,
    "wrong checksum": send_wrong_checksum,
    "bad header": send_bad_header,
    "wrong hash": send_wrong_hash,
}


def make_case(number: int, seed: int) -> Case:
    """Return one case; the same for the same two numbers."""
    rng = random.Random(f"{seed}/{number}")
    kind = rng.choice(sorted(SENDERS))
    content = b"\xff\xd8\xff\xe0" + rng.randbytes(rng.randrange(3000, MOST_BYTES))
    return Case(number, kind, content, rng)


def send_case(case: Case, line: Transport) -> int:
    """Send one altered photo and return the status of its refusal; 0 where it was taken."""
    try:
        SENDERS[case.kind](case, line)
    except ProblemAnswer as problem:
        return problem.status
    return 0


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a run: the numbers of the cases taken, and of those answered otherwise than refused."""

    taken: list[int]
    failed: dict[int, int]
    kinds: Counter[str]
    whole: int


def run(line: Transport, *, count: int, seed: int, first: int = 0) -> Outcome:
    """Send ``count`` altered photos, and a whole one after every fifty; the whole ones must be taken."""
    outcome = Outcome([], {}, Counter(), 0)
    whole = 0
    for number in range(first, first + count):
        case = make_case(number, seed)
        status = send_case(case, line)
        outcome.kinds[case.kind] += 1
        if status == 0:
            outcome.taken.append(number)
        elif status not in REFUSALS:
            outcome.failed[number] = status
        if number % WHOLE_EVERY == 0:
            url, offset = uploads.create(line, case.declared(), case.content)
            if offset < len(case.content):  # what came of the altered one was a true beginning
                offset = uploads.send_chunk(line, url, offset, case.content[offset:])
            assert offset == len(case.content), f"a whole photo was refused: {number}"
            whole += 1
    return Outcome(outcome.taken, outcome.failed, outcome.kinds, whole)


def hashes_of(numbers: range, seed: int) -> Iterator[str]:
    """The declared hashes of cases; those of the altered ones must not be among what the server knows."""
    for number in numbers:
        yield make_case(number, seed).sha256


def _altered(case: Case) -> bytes:
    how = case.rng.choice(sorted(ALTER))
    altered = ALTER[how](case.content, case.rng)
    while altered == case.content:
        altered = flip_bits(case.content, case.rng)
    return altered


def _send_all(case: Case, line: Transport, content: bytes, *, length: int, size: int) -> None:
    url, offset = uploads.create(line, case.declared(length=length))
    while offset < length:
        offset = uploads.send_chunk(line, url, offset, content[offset : offset + size])


def _checksum(algorithm: str, content: bytes) -> str:
    return f"{algorithm} {base64.b64encode(hashlib.new(algorithm, content).digest()).decode()}"


def _patch(line: Transport, url: str, offset: int, content: bytes, checksum: str) -> None:
    headers = {**uploads.CHUNK, "Upload-Offset": str(offset), "Upload-Checksum": checksum}
    line.send("PATCH", url, headers=headers, content=content)


def main(arguments: list[str]) -> int:
    """Run against a server of its own and print what came of it."""
    from tests.bench.serving import fresh_product, server

    only = int(arguments.pop(arguments.index("--only") + 1)) if "--only" in arguments else None
    numbers = [int(a) for a in arguments if a != "--only"]
    count, seed = (numbers + [10_000, 1][len(numbers) :])[:2]
    with fresh_product() as folder, server() as (address, _):
        from tests.bench.field import make_tablet  # needs Django set up

        tablet = make_tablet(folder / "mutated", address)
        began = time.monotonic()
        if only is not None:
            case = make_case(only, seed)
            print(f"{only} ({case.kind}): answered {send_case(case, tablet.transport)}")
            return 0
        outcome = run(tablet.transport, count=count, seed=seed)
        held = _count_held(list(hashes_of(range(count), seed)), tablet.transport)
        tablet.close()
    print(
        f"{count:,} altered uploads in {time.monotonic() - began:.0f} s, seed {seed}: {len(outcome.taken)} taken"
    )
    print("  " + " · ".join(f"{kind} {n:,}" for kind, n in sorted(outcome.kinds.items())))
    print(f"  {outcome.whole:,} whole ones between them, all taken; the server holds {held:,} of the hashes")
    print(f"  answered otherwise than refused: {outcome.failed or 'none'}")
    return 1 if outcome.taken or outcome.failed or held != outcome.whole else 0


def _count_held(hashes: list[str], line: Transport) -> int:
    held = 0
    for at in range(0, len(hashes), 100):
        answer = line.send("POST", "photos/lookup", json={"sha256": hashes[at : at + 100]})
        held += len(answer.json()["known"])
    return held


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
