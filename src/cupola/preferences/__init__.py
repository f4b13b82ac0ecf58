"""Votes on answers of models, and models that vote: boards with intervals, judges that are checked. Pure, on files."""
