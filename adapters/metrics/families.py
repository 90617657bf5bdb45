"""Which metrics there are: the name, the meaning, the unit and the labels of each."""

from attrs import frozen

DURATIONS = (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0)
"""Upper bounds in seconds."""

GROUP_SIZES = (1.0, 2.0, 4.0, 8.0, 16.0, 32.0, 64.0, 128.0, 256.0)


@frozen(kw_only=True)
class Family:
    """All series of one metric. A histogram has `bounds`, in its unit."""

    name: str  # a counter's without the `_total` that the text has
    kind: str  # counter, gauge or histogram
    help: str
    unit: str = ""
    labels: tuple[str, ...] = ()
    bounds: tuple[float, ...] = ()


REQUESTS = Family(
    name="http_server_request_duration_seconds",
    kind="histogram",
    help="How long requests took until they were answered. Those that follow changes take as long as they follow.",
    unit="seconds",
    labels=("http_request_method", "http_route", "http_response_status_code"),
    bounds=DURATIONS,
)
ACTIVE = Family(
    name="http_server_active_requests",
    kind="gauge",
    help="Requests that are worked on now. Those that wait for their body or for a change do not count.",
)
FOLLOWERS = Family(
    name="backroom_followers",
    kind="gauge",
    help="Clients that wait for changes now, by kind: poll, stream or socket.",
    labels=("kind",),
)
GROUPS = Family(
    name="backroom_commit_batches",
    kind="histogram",
    help="Group commits of the store, by the number of batches that each of them had.",
    unit="batches",
    bounds=GROUP_SIZES,
)
COMMITS = Family(
    name="backroom_commit_duration_seconds",
    kind="histogram",
    help="How long each group commit took, from its first batch until it was durable.",
    unit="seconds",
    bounds=DURATIONS,
)
DELIVERIES = Family(
    name="backroom_webhook_deliveries",
    kind="counter",
    help="Attempts to deliver to webhooks, by outcome: delivered, retry (another one follows) or failed (none does).",
    labels=("outcome",),
)
POOL = Family(
    name="backroom_pool_connections",
    kind="gauge",
    help="Connections to PostgreSQL that are open now, by state: used or idle.",
    labels=("state",),
)
POOL_LIMIT = Family(
    name="backroom_pool_connections_limit",
    kind="gauge",
    help="The most connections to PostgreSQL that the processes of this host may open.",
)
STARTS = Family(
    name="backroom_worker_starts",
    kind="counter",
    help="How often each worker was started. More than once means that it ended and was replaced.",
    labels=("worker",),
)
STARTED = Family(
    name="process_start_time_seconds",
    kind="gauge",
    help="When each worker was started, in seconds since 1970.",
    unit="seconds",
    labels=("worker",),
)
MEMORY = Family(
    name="process_resident_memory_bytes",
    kind="gauge",
    help="The memory of each worker that is not swapped out.",
    unit="bytes",
    labels=("worker",),
)
CPU = Family(
    name="process_cpu_seconds",
    kind="counter",
    help="The computing time of each worker, of the kernel for it too, and of those that it replaced.",
    unit="seconds",
    labels=("worker",),
)

SHARED = (REQUESTS, ACTIVE, FOLLOWERS, GROUPS, COMMITS, DELIVERIES, POOL, POOL_LIMIT, STARTS, STARTED, MEMORY, CPU)
"""What the workers count, each in its block of the shared memory."""

UP = Family(name="backroom_store_up", kind="gauge", help="Whether the store could be read for this answer: 1 or 0.")
CHANGES = Family(
    name="backroom_changes", kind="counter", help="Changes in the log, purged ones too: the number of the newest."
)
OLDEST = Family(
    name="backroom_oldest_change_age_seconds",
    kind="gauge",
    help="How long ago the oldest change that is kept was made.",
    unit="seconds",
)
LAG_CHANGES = Family(
    name="backroom_webhook_lag_changes",
    kind="gauge",
    help="How many changes, of any type, a webhook has not had yet. The 1,000 webhooks furthest behind are here.",
    unit="changes",
    labels=("webhook",),
)
LAG_SECONDS = Family(
    name="backroom_webhook_lag_seconds",
    kind="gauge",
    help="How long ago the first change was made that a webhook has not had yet.",
    unit="seconds",
    labels=("webhook",),
)
ENABLED = Family(
    name="backroom_webhook_enabled",
    kind="gauge",
    help="Whether a webhook is enabled: 1 or 0. The service disables one that cannot be reached for days.",
    labels=("webhook",),
)
SIZE = Family(
    name="backroom_store_size_bytes", kind="gauge", help="The size of the file or the database.", unit="bytes"
)
WAL = Family(name="backroom_store_wal_bytes", kind="gauge", help="The size of SQLite's write-ahead log.", unit="bytes")
FREE = Family(
    name="backroom_store_free_bytes", kind="gauge", help="What is free on the disk of the file.", unit="bytes"
)

MEASURED = (UP, CHANGES, OLDEST, LAG_CHANGES, LAG_SECONDS, ENABLED, SIZE, WAL, FREE)
"""What the store is asked for each answer."""

BUILD = Family(
    name="backroom_build",
    kind="info",
    help="Which program this is.",
    labels=("version", "python", "store"),
)
