"""Contenders: consumers that the user brings, in any language, measured from outside and verified before."""
