"""What decodes, imported by a consumer that does so."""

from __future__ import annotations

from sentinel.model.codecs import MSGSPEC, Decoder

decode = Decoder("one-by-one", MSGSPEC.parse)
