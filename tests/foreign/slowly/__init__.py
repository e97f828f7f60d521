"""A choice and a configuration that are no part of the pipeline: msgspec, but a payload at a time."""

from __future__ import annotations

from dataclasses import replace

from sentinel.consumer.choices import DecodeChoice
from sentinel.consumer.configurations import OPTIMISED

ONE_BY_ONE = DecodeChoice("one-by-one", "msgspec, a payload at a time", "slowly.decoding:decode")
SLOWLY = replace(OPTIMISED, name="slowly", decode=ONE_BY_ONE)
ABSENT = DecodeChoice("absent", "a library that nobody has", "slowly.absent:decode")
