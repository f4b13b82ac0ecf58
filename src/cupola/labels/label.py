"""What every label is: a Struct whose tag "kind" names the kind it belongs to."""

from __future__ import annotations

import msgspec


class Label(msgspec.Struct, frozen=True, tag_field="kind", forbid_unknown_fields=True):
    """The base of the labels of every kind; a kind's own Struct says what it holds."""

    @property
    def kind(self) -> str:
        """The kind's name, as it stands in the JSON."""
        return str(self.__struct_config__.tag)
