"""Photos over real HTTP: 300 kB each, verified by SHA-256 and flushed to disk; then eight of 60 MB at once.

    python -m tests.bench.bench_photos [PHOTOS ...]

Budgets (design 7): 120 photos a second at four at a time; the server's memory below 250 MB with eight
uploads of 60 MB.
"""

from __future__ import annotations

import hashlib
import random
import sys
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from tests.bench.serving import cpu_seconds, fresh_product, resident_mb, server

PHOTO_BYTES = 300_000
LARGE_BYTES = 60 * 1024 * 1024
AT_ONCE = 4


def main(sizes: list[int]) -> None:
    """Measure each size and print a line for it."""
    with fresh_product() as folder, server() as (address, master):
        for count in sizes:
            many(folder, address, master, count)
        large(folder, address, master)


def many(folder: Path, address: str, master: int, count: int) -> None:
    """Send ``count`` different photos, each with its creation in one request."""
    from fieldsync.client import uploads
    from fieldsync.client.canonical import new_id
    from tests.bench.field import make_tablet

    rng = random.Random(count)
    tablet = make_tablet(folder / f"photos-{count}", address)
    tablet.me()
    common = b"\xff\xd8\xff\xe0" + rng.randbytes(PHOTO_BYTES - 12)
    contents = [common + n.to_bytes(8, "big") for n in range(count)]
    photos = [
        {"photo_id": str(new_id()), "sha256": hashlib.sha256(c).hexdigest(), "bytes": len(c), "mime": "image/jpeg"}
        for c in contents
    ]  # fmt: skip

    def send(number: int) -> float:
        began = time.monotonic()
        _, offset = uploads.create(tablet.transport, photos[number], contents[number])
        assert offset == len(contents[number])
        return time.monotonic() - began

    cpu, began = cpu_seconds(master), time.monotonic()
    with ThreadPoolExecutor(AT_ONCE) as pool:
        durations = sorted(pool.map(send, range(count)))
    spent = time.monotonic() - began
    print(
        f"{count} photos of 300 kB, {AT_ONCE} at a time: {count / spent:,.0f}/s; median"
        f" {1000 * durations[count // 2]:.0f} ms, p99 {1000 * durations[int(count * 0.99)]:.0f} ms; server and"
        f" database used {1000 * (cpu_seconds(master) - cpu) / count:.2f} ms of processor for each;"
        f" largest process {resident_mb(master):.0f} MB"
    )
    tablet.close()


def large(folder: Path, address: str, master: int) -> None:
    """Send eight photos of 60 MB at once."""
    from fieldsync.client import uploads
    from fieldsync.client.canonical import new_id
    from tests.bench.field import make_tablet

    tablet = make_tablet(folder / "photos-large", address)
    tablet.me()
    content = b"\xff\xd8\xff\xe0" + random.Random(0).randbytes(LARGE_BYTES - 5)

    def send(number: int) -> None:
        path = folder / f"large-{number}"
        path.write_bytes(content + bytes([number]))
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        photo = {
            "photo_id": str(new_id()), "sha256": digest, "bytes": LARGE_BYTES, "mime": "image/jpeg", "path": path,
        }  # fmt: skip
        uploads.send_photo(tablet.transport, photo)

    began = time.monotonic()
    with ThreadPoolExecutor(8) as pool:
        list(pool.map(send, range(8)))
    print(
        f"8 photos of 60 MB at once: {time.monotonic() - began:.1f} s; largest process {resident_mb(master):.0f} MB"
    )
    tablet.close()


if __name__ == "__main__":
    main([int(argument) for argument in sys.argv[1:]] or [200, 1000])
