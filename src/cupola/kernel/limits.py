"""A limit on everything. Each stands here once, with its unit and its reason."""

from __future__ import annotations

# requests
MAX_BODY_BYTES = 16 * 1024 * 1024  # any JSON body
MAX_UPLOAD_BYTES = 64 * 1024**3  # a streamed upload; nothing of it is held in memory
MAX_LIST = 100  # rows of one page of a list
MAX_JSON_DEPTH = 64

# tasks
MAX_PAGE_TASKS = 50  # tasks leased at once
LEASE_S = 30 * 60  # a lease without a heartbeat
MAX_LEASE_S = 24 * 60 * 60
MAX_JUDGEMENTS_PER_TASK = 50
MAX_DRAFT_BYTES = 4 * 1024 * 1024
MAX_REVISION = 2**31 - 1  # what the database's int holds
MAX_FENCE = 2**63 - 1
MAX_SECONDS_PER_TASK = 4 * 60 * 60  # longer means that nobody sat there

# labels
MAX_OBJECTS_PER_LABEL = 20_000
MAX_TEXT_CHARS = 200_000
MAX_CLASSES = 10_000
MAX_LABEL_BYTES = 8 * 1024 * 1024

# import
MAX_IMAGE_PIXELS = 256_000_000  # Pillow refuses a decompression bomb above this
MAX_IMAGE_BYTES = 512 * 1024 * 1024
MAX_TEXT_ITEM_BYTES = 2 * 1024 * 1024
MAX_REF_CHARS = 1_024
MAX_ZIP_ENTRIES = 5_000_000
MAX_ZIP_RATIO = 200  # bytes out for a byte in; images do not compress like that
MAX_MANIFEST_LINE_BYTES = 8 * 1024 * 1024
MAX_REDIRECTS = 5
FETCH_TIMEOUT_S = 30

# webhooks
WEBHOOK_TRIES = 20  # spread over 24 h
WEBHOOK_WINDOW_S = 24 * 60 * 60
WEBHOOK_TIMEOUT_S = 10

# names
MAX_NAME_CHARS = 200
