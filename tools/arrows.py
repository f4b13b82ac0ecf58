"""The contract of the house for import-linter: layers, and a table of the arrows that are allowed among domains.

A folder of the package is a layer's or a domain's; one that is neither breaks the contract. A domain is a line of
`domains`: its name, and behind the arrow the domains that it may import.
"""

from __future__ import annotations

from grimp import ImportGraph
from importlinter import Contract, ContractCheck, fields, output

PACKAGE = "cupola"


class Arrows(Contract):
    """layers: from the top, each may import those below it; the word DOMAINS stands for all of them. Folders of one
    line do not import each other. domains: `name -> other, other`. outside: folders that hold no code of ours."""

    layers = fields.ListField(subfield=fields.StringField())
    domains = fields.ListField(subfield=fields.StringField())
    outside = fields.SetField(subfield=fields.StringField(), required=False, default=set())

    def check(self, graph: ImportGraph, verbose: bool) -> ContractCheck:
        """What imports what it may not, with the place; and folders that nobody put anywhere."""
        allowed = self._table()
        rank = self._ranks(list(allowed))
        wrong: list[str] = []
        folders = {name.split(".")[1] for name in graph.modules if "." in name}
        for name in sorted(folders - rank.keys() - set(self.outside)):  # type: ignore[call-overload]
            wrong.append(f"{PACKAGE}.{name} is neither a layer nor a domain: give it a line in .importlinter")
        for name in sorted(rank.keys() - folders):
            wrong.append(f"{PACKAGE}.{name} has a line in .importlinter and is not there")
        for module in sorted(graph.modules):
            source = _folder(module)
            for imported in sorted(graph.find_modules_directly_imported_by(module)):
                target = _folder(imported)
                if source == target or source not in rank or target not in rank:
                    continue
                if rank[source] < rank[target]:
                    why = f"never upwards: {source} lies below {target}"
                elif rank[source] == rank[target] and target not in allowed.get(source, ()):
                    names = ", ".join(allowed.get(source, ())) or "no other"
                    why = f"{source} imports {names} of its layer"
                else:
                    continue
                details = graph.get_import_details(importer=module, imported=imported)
                lines = ", ".join(f"line {one['line_number']}" for one in details)
                wrong.append(f"{module} imports {imported} ({lines}): {why}")
        return ContractCheck(kept=not wrong, metadata={"wrong": wrong})

    def render_broken_contract(self, check: ContractCheck) -> None:
        for sentence in check.metadata["wrong"]:
            output.print_error(sentence)

    def _table(self) -> dict[str, tuple[str, ...]]:
        table: dict[str, tuple[str, ...]] = {}
        for line in self.domains:  # type: ignore[attr-defined]  # a field is a list once it is read
            name, _, others = line.partition("->")
            table[name.strip()] = tuple(one.strip() for one in others.split(",") if one.strip())
        return table

    def _ranks(self, domains: list[str]) -> dict[str, int]:
        ranks: dict[str, int] = {}
        for height, line in enumerate(reversed(list(self.layers))):  # type: ignore[call-overload]
            for name in (part.strip() for part in line.split(",")):
                for one in domains if name == "DOMAINS" else [name]:
                    ranks[one] = height
        return ranks


def _folder(module: str) -> str:
    return module.split(".")[1] if "." in module else ""
