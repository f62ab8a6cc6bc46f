"""Bundles that somebody with bad intentions makes; the worst of them hold the right key."""

import io
import zipfile

from recsys.bundle import archive
from recsys.bundle.contents import MANIFEST, SIGNATURE, Manifest, listed
from recsys.bundle.seal import seal
from recsys.canonical import canonical_json, parse_json


def written(entries):
    return b"".join(archive.pieces(entries))


def resealed(entries, key, *, listing=True, **changes):
    """Change entries (``None`` takes one out), list them in the manifest again unless told not to, and seal it all."""
    entries = {name: body for name, body in {**entries, **changes}.items() if body is not None and name != SIGNATURE}
    if listing and MANIFEST not in changes:
        manifest = Manifest.from_bytes(entries.pop(MANIFEST))
        told = parse_json(manifest.to_bytes()) | {"files": listed(entries)}
        entries[MANIFEST] = canonical_json(told)
    return written({**entries, SIGNATURE: seal(entries, key)})


def zipped(entries, *, compression=zipfile.ZIP_STORED, twice=(), change=None, comment=b""):
    """Write a zip as any program might."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", compression) as file:
        for name in [*entries, *twice]:
            info = zipfile.ZipInfo(name, (1980, 1, 1, 0, 0, 0))
            info.compress_type, info.create_system, info.external_attr = compression, 3, 0o100644 << 16
            if change:
                change(info)
            file.writestr(info, entries[name])
        file.comment = comment
    return buffer.getvalue()
