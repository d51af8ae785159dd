"""topic.py - a file of segment or function vectors, one JSON line a vector; writing all files of a generator, or comparing them.

Knows the form of the files (vectors/FORMAT.md); knows nothing of what they show."""
import collections
import json
import pathlib

VECTORS = pathlib.Path(__file__).resolve().parent.parent


def lonely(families):
    """The families of one: they are none."""
    return {family for family, size in collections.Counter(families).items() if size == 1}


class Topic:
    """One file. A subclass has `kind`, the notes of its flags, what stands between title and flags, and makes the vectors."""
    kind, notes = "", {}
    generator = ""  # its file, if that is not the one of its kind
    separators = (", ", ": ")

    def __init__(self, name, title, section, covers, level="MUST"):
        self.name, self.title, self.vectors, self.ids = name, title, [], set()
        self.default = {"section": section, "covers": covers, "level": level}

    def begun(self, name, comment, other):
        vector = {"id": f"{self.kind}/{self.name}/{name}", "comment": comment}
        if vector["id"] in self.ids:
            raise SystemExit(f"{vector['id']} twice")
        self.ids.add(vector["id"])
        return {**vector, **{key: other.get(key, value) for key, value in self.default.items()}}

    def said(self, vector, other, *keys):
        """What the caller says besides, in this order."""
        for key in keys:
            if key in other:
                vector[key] = f"{self.kind}/{self.name}/{other[key]}" if key == "family" else other[key]

    def more(self):
        return {}

    def text(self):
        used = {flag for vector in self.vectors for flag in vector.get("flags", ())}
        head = {"format": f"{self.kind}-vectors-1", "topic": self.name, "title": self.title, "generator": f"generate/{self.generator or self.kind}.py", **self.more(),
                "flags": {flag: self.notes[flag] for flag in sorted(used)}}
        alone = lonely(vector.get("family") for vector in self.vectors)
        body = ",\n  ".join(json.dumps({key: value for key, value in vector.items() if key != "family" or value not in alone}, ensure_ascii=False, separators=self.separators)
                            for vector in self.vectors)
        return json.dumps(head, indent=1)[:-2] + ',\n "vectors": [\n  ' + body + "\n ]\n}\n"


def main(topics, top):
    """Writes the file of each topic below `top`; where `top` is --check, says which of the files that are there would change."""
    stale = []
    for make in topics:
        topic = make()
        path = (VECTORS if top == "--check" else pathlib.Path(top)) / topic.kind / f"{topic.name}.json"
        if top != "--check":
            path.write_text(topic.text())
            print(f"{path.name}: {len(topic.vectors)}")
        elif not path.exists() or path.read_text() != topic.text():
            stale.append(str(path))
    if stale:
        raise SystemExit("differ from what their generator makes: " + " ".join(stale))
