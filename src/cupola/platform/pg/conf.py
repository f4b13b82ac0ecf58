"""The settings of the embedded Postgres: safe first, small second, as suits a laptop."""

from __future__ import annotations

from pathlib import Path

PORT = 5432  # only a part of the socket's name: the server listens on no network address

_SETTINGS: dict[str, str] = {
    "listen_addresses": "''",
    "port": str(PORT),
    "unix_socket_permissions": "0700",
    "max_connections": "100",  # a server and two workers, and room for a person who looks
    # Nothing acknowledged may be lost.
    "fsync": "on",
    "synchronous_commit": "on",
    "full_page_writes": "on",
    # Small at rest. io_method=sync saves the three resident I/O workers.
    "shared_buffers": "64MB",
    "work_mem": "8MB",
    "maintenance_work_mem": "64MB",
    "effective_cache_size": "1GB",
    "io_method": "sync",
    "huge_pages": "off",
    "max_worker_processes": "4",
    "max_parallel_workers": "2",
    # Backups are dumps: no replication, so the log may be minimal.
    "wal_level": "minimal",
    "max_wal_senders": "0",
    "max_logical_replication_workers": "0",
    "min_wal_size": "64MB",
    "max_wal_size": "512MB",
    "checkpoint_timeout": "15min",
    # Short statements: compiling one costs more than it saves.
    "jit": "off",
    "random_page_cost": "1.1",
    # Queues and leases leave dead rows behind at the head of an index: clean often, in small bites.
    "autovacuum_naptime": "15s",
    "autovacuum_max_workers": "2",
    "autovacuum_vacuum_scale_factor": "0.02",
    "autovacuum_vacuum_threshold": "200",
    "autovacuum_analyze_scale_factor": "0.05",
    "autovacuum_vacuum_insert_scale_factor": "0.1",
    "autovacuum_vacuum_cost_delay": "1ms",
    # A client that died in the middle of a transaction must not hold its locks for ever.
    "idle_in_transaction_session_timeout": "5min",
    "client_connection_check_interval": "10s",
    "timezone": "'UTC'",
    "log_timezone": "'UTC'",
    "lc_messages": "'C'",
    "log_min_messages": "warning",
    "log_line_prefix": "'%m [%p] %q%u@%d '",
    "log_statement": "none",
}

FILE = "cupola.conf"
LOCAL_FILE = "local.conf"


def _quoted(text: str) -> str:
    return "'" + text.replace("\\", "\\\\").replace("'", "''") + "'"


def main_file() -> str:
    """postgresql.conf: our settings, then whatever the operator writes into local.conf, which wins."""
    return (
        f"# Written by Cupola. Put your own settings into {LOCAL_FILE}, which is read last and never overwritten.\n"
        f"include '{FILE}'\ninclude_if_exists '{LOCAL_FILE}'\n"
    )


def our_file(socket_folder: Path) -> str:
    """cupola.conf, written anew at each start, since the socket's place may move with the data folder."""
    lines = [f"{name} = {value}" for name, value in _SETTINGS.items()]
    # a list of folders, so that one is quoted as a name and the whole as a text
    lines.append("unix_socket_directories = " + _quoted(f'"{socket_folder}"'))
    return "\n".join(lines) + "\n"


def access_file() -> str:
    """pg_hba.conf: whoever can reach the socket's folder, which only its owner can, and no network at all."""
    return "# TYPE DATABASE USER METHOD\nlocal all all trust\n"
