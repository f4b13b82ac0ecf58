"""Files of annotations as other tools write them: read, written, and turned into each other. Needs no server.

`model` is what everything is read into and written from; `table` lists the formats, a file each; `report` counts what
one of them could not take.
"""
