"""Values of every kind that SQLite stores, for tests that make up their own examples."""

from __future__ import annotations

from hypothesis import strategies as st

from holdfast.cells import InvalidText

INTEGERS = st.integers(-(2**63), 2**63 - 1)
REALS = st.floats(allow_nan=False) | st.sampled_from(
    [0.0, -0.0, 5e-324, 1.7976931348623157e308, 0.1 + 0.2, 1e16, 1e22, float(2**53)]
)
TEXTS = st.text() | st.sampled_from(
    [
        "",
        "\0",
        "a\0b",
        "\u2028",
        "👩‍👩‍👧",
        "\ufeff",
        "é",
        "e\u0301",
        '{"$base64":true}',
        "\r\n",
        '"\\',
    ]
)
# In UTF-8: no byte FF, no surrogates, no overlong forms, nothing cut short.
INVALID_TEXTS = st.sampled_from([b"\xff", b"a\xed\xa0\x80", b"\xc0\x80", b"\xe2\x82"]).flatmap(
    lambda wrong: st.binary(max_size=4).map(lambda before: InvalidText(before + b" " + wrong))
)
VALUES = st.none() | INTEGERS | REALS | TEXTS | st.binary(max_size=20) | INVALID_TEXTS


def exact(value: object) -> tuple[type, str]:
    """Tell values apart that compare equal: 1, 1.0 and True; 0.0 and -0.0; bytes and text."""
    return type(value), repr(value)
