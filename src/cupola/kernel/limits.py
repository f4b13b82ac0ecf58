"""A limit on everything. Each stands here once, with its unit and its reason."""

from __future__ import annotations

# requests
MAX_BODY_BYTES = 16 * 1024 * 1024  # any JSON body
MAX_UPLOAD_BYTES = 64 * 1024**3  # a streamed upload; nothing of it is held in memory
MAX_LIST = 100  # rows of one page of a list
MAX_JSON_DEPTH = 64

# connections, before anybody is recognised (app.wire, app.edge)
MAX_HEAD_BYTES = 64 * 1024  # address and headers of a request together
HEAD_TIMEOUT_S = 15  # from the first byte of a request to the end of its headers
MAX_HALF_OPEN = 1_000  # connections in the middle of a head; the oldest makes room
READER_TIMEOUT_S = 60  # an answer of which nothing is read for so long is broken off
BODY_TIMEOUT_S = 30  # between two pieces of a body
BODY_RATE_BYTES_PER_S = 2_000  # a body slower than this, over all, is broken off
BODY_GRACE_S = 60  # before the rate counts
MAX_STRANGER_BODY_BYTES = 64 * 1024  # a larger one only from somebody who was recognised
MAX_BODIES_BYTES = 256 * 1024 * 1024  # of all requests of a process that are being read
MAX_OPEN_FILES = 16_384

STATEMENT_S = 60  # a statement of the database, for whoever waits for an answer

# how many requests a process works on at once; the others wait their turn, fairly (app.turns)
MAX_REQUESTS_AT_ONCE = 16
MAX_REQUESTS_WAITING = 2_000

# tasks
MAX_PAGE_TASKS = 50  # tasks leased at once
LEASE_S = 30 * 60  # a lease without a heartbeat
MAX_LEASE_S = 24 * 60 * 60
MAX_APPEAL_WORDS = 4_000  # of either side, characters
MAX_REVIEW_FIRST_S = 72 * 60 * 60  # that pay waits for a look; accepted by itself then
INVITE_S = 24 * 60 * 60  # an invitation that nobody answers for so long lapses, and the next is asked
MAX_TENANTS_ASKED = 500  # for the offers of one person
MAX_JUDGEMENTS_PER_TASK = 50
MAX_DRAFT_BYTES = 8 * 1024 * 1024  # as a label: what can be drawn can be kept
MAX_DRAFT_PATCHES = 32  # differences that wait beside a draft before they are gathered into it
MAX_DRAFTS_BYTES = 16 * 1024 * 1024  # of one person in one tenant together: a page brings its drafts along
MAX_PAGE_BYTES = 24 * 1024 * 1024  # what a page shows beside its drafts: it has fewer tasks where they are heavy
MAX_REVISION = 2**31 - 1  # what the database's int holds
MAX_FENCE = 2**63 - 1
MAX_REJECTION_NOTE = 2_000
MAX_SECONDS_PER_TASK = 4 * 60 * 60  # longer means that nobody sat there

# labels
MAX_PRE_LABELS_COMPARED = 5_000  # when tasks are made; enough to see what a project lacks, and soon done
MAX_OPINIONS = 1_000  # of one request; it is checked and kept as a whole
MAX_OBJECTS_PER_LABEL = 20_000
MAX_POINTS_PER_SHAPE = 2_000  # corners of one outline; what merging and comparing cost grows with their square
MAX_SKELETON_POINTS = 200
MAX_FRAMES = 2_000_000  # of one video: nine hours at 60 a second
MAX_TRACKS_PER_LABEL = 5_000
MAX_KEYS_PER_LABEL = 100_000  # of all tracks together
MAX_EVENTS_PER_LABEL = 10_000
MAX_MASK_TILES = 4_096  # of 256 x 256 px: all of an image of 268 megapixels
MAX_SIDE_PX = 10_000_000  # where an image's size is not known
MAX_TEXT_CHARS = 200_000
MAX_CLASSES = 10_000
MAX_ANSWER_ROWS = 500  # of one answer of rows
MAX_SPANS = 5_000  # words marked in one text, and relations between them
MAX_ANSWER_FILE_BYTES = 64_000_000  # a file that somebody hands in as an answer
MAX_ANSWER_FILES = 100  # of one person for one task, those included that were taken back
MAX_ANSWER_BYTES_A_DAY = 4_000_000_000  # of such files from one person, in one organisation, within 24 h
MAX_LABEL_BYTES = 8 * 1024 * 1024
MAX_FIT_BYTES = 128 * 1024 * 1024  # of the labels that a fit compares, of each kind of evidence; the newest count
MAX_DECIDED_BYTES = 64 * 1024 * 1024  # of the labels that are decided on at a time; one task always is
MAX_ROW_LABEL_BYTES = 32 * 1024  # a longer one lies in a blob, and its row names it

# import
MAX_IMAGE_PIXELS = 256_000_000  # Pillow refuses a decompression bomb above this
MAX_IMAGE_BYTES = 512 * 1024 * 1024
MAX_VIDEO_BYTES = 20 * 1024**3
MAX_VIDEO_S = 6 * 60 * 60  # a longer one is cut into segments: nobody follows anything for longer
MAX_VIDEO_PIXELS = 64_000_000  # of one picture
MAX_TEXT_ITEM_BYTES = 2 * 1024 * 1024
MAX_REF_CHARS = 1_024
MAX_PARTS = 1_000  # of one item
MAX_METADATA_BYTES = 64 * 1024  # of an item, and of all its parts together beside it
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

GROWN_FROM = 1_000  # rows written at once, from which on a table is looked at anew before anything is planned on it
