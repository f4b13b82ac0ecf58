"""What is absent from the database, each a query over Postgres's own catalogue whose rows are the offences.

`tenant tables` are those of the schema `cupola` with a column `tenant`.
"""

from __future__ import annotations

from dataclasses import dataclass

import psycopg

APPEND_ONLY = (
    *("transfer", "judgement", "event", "settlement", "offer", "adjudication", "opinion"),
    "settlement_part",
    "rejection",
    *("submission_doubt", "submission_rejection", "verdict"),
    *("audit_item", "audit_judgement", "release_row", "flow"),
)
RUNNING_ROLES = ("cupola_server", "cupola_app", "cupola_gateway", "cupola_ops")

_TENANT_TABLES = """
WITH tenant_table AS (
  SELECT c.oid, c.relname, c.relrowsecurity, c.relforcerowsecurity, a.attnum AS tenant_attnum
  FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'tenant' AND NOT a.attisdropped
  WHERE c.relnamespace = 'cupola'::regnamespace AND c.relkind IN ('r', 'p')
)
"""


@dataclass(frozen=True, slots=True)
class Absence:
    """A sentence on what there must not be, and the query that returns one text for each offence."""

    name: str
    query: str


ABSENCES = (
    Absence(
        "no tenant table without row level security, enabled and forced",
        _TENANT_TABLES
        + "SELECT relname || ': row security is not ' || CASE WHEN relrowsecurity THEN 'forced' ELSE 'enabled' END "
        "FROM tenant_table WHERE NOT (relrowsecurity AND relforcerowsecurity)",
    ),
    Absence(
        "no tenant table without a policy, and none that lets the tenant's role see past its tenant",
        _TENANT_TABLES
        + """
        SELECT t.relname || ': no policy' FROM tenant_table t WHERE NOT EXISTS (SELECT FROM pg_policy p
          WHERE p.polrelid = t.oid)
        UNION ALL
        SELECT t.relname || ': policy ' || p.polname || ' does not name the tenant'
        FROM tenant_table t JOIN pg_policy p ON p.polrelid = t.oid
        WHERE (p.polroles = '{0}' OR p.polroles && ARRAY(SELECT oid FROM pg_roles
          WHERE rolname IN ('cupola_app', 'cupola_owner')))
          AND (coalesce(pg_get_expr(p.polqual, p.polrelid), 'current_tenant') !~ 'current_tenant'
            OR coalesce(pg_get_expr(p.polwithcheck, p.polrelid), 'current_tenant') !~ 'current_tenant')
        """,
    ),
    Absence(
        "no primary or unique key of a tenant table that leaves the tenant out",
        _TENANT_TABLES
        + """
        SELECT t.relname || ': ' || i.indexrelid::regclass || ' leaves the tenant out'
        FROM tenant_table t JOIN pg_index i ON i.indrelid = t.oid AND i.indisunique
        WHERE NOT t.tenant_attnum = ANY ((i.indkey::int2[])[0:i.indnkeyatts - 1])
        """,
    ),
    Absence(
        "no tenant table without a primary key",
        _TENANT_TABLES + "SELECT relname || ': no primary key' FROM tenant_table t "
        "WHERE NOT EXISTS (SELECT FROM pg_index i WHERE i.indrelid = t.oid AND i.indisprimary)",
    ),
    Absence(
        "no foreign key between tenant tables that leaves the tenant out",
        _TENANT_TABLES
        + """
        SELECT t.relname || ': ' || k.conname || ' reaches ' || r.relname || ' without the tenant'
        FROM pg_constraint k JOIN tenant_table t ON t.oid = k.conrelid JOIN tenant_table r ON r.oid = k.confrelid
        WHERE k.contype = 'f' AND NOT EXISTS (
          SELECT FROM unnest(k.conkey, k.confkey) AS pair (here, there)
          WHERE pair.here = t.tenant_attnum AND pair.there = r.tenant_attnum)
        """,
    ),
    Absence(
        "no role of the running server that is superuser, bypasses row level security or makes roles",
        """
        SELECT rolname || ' is too mighty' FROM pg_roles
        WHERE rolname = ANY (%(roles)s) AND (rolsuper OR rolbypassrls OR rolcreaterole OR rolcreatedb OR rolreplication)
        """,
    ),
    Absence(
        "no role of the running server that owns anything or may become somebody who does",
        """
        SELECT r.rolname || ' may act as ' || o.rolname || ', who owns ' || c.relname
        FROM pg_class c JOIN pg_roles o ON o.oid = c.relowner CROSS JOIN pg_roles r
        WHERE c.relnamespace = 'cupola'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm', 'S')
          AND r.rolname = ANY (%(roles)s) AND pg_has_role(r.oid, o.oid, 'MEMBER')
        UNION ALL
        SELECT r.rolname || ' may act as ' || o.rolname || ', who owns ' || p.proname
        FROM pg_proc p JOIN pg_roles o ON o.oid = p.proowner CROSS JOIN pg_roles r
        WHERE p.pronamespace = 'cupola'::regnamespace
          AND r.rolname = ANY (%(roles)s) AND pg_has_role(r.oid, o.oid, 'MEMBER')
        UNION ALL
        SELECT r.rolname || ' may create in the schema ' || n.nspname FROM pg_namespace n CROSS JOIN pg_roles r
        WHERE r.rolname = ANY (%(roles)s) AND n.nspname IN ('cupola', 'public')
          AND has_schema_privilege(r.oid, n.oid, 'CREATE')
        """,
    ),
    Absence(
        "no right to change or delete what is append-only",
        """
        SELECT r.rolname || ' may ' || lower(v.verb) || ' ' || c.relname
        FROM pg_class c CROSS JOIN pg_roles r CROSS JOIN unnest(ARRAY['UPDATE', 'DELETE', 'TRUNCATE']) AS v (verb)
        WHERE c.relnamespace = 'cupola'::regnamespace AND c.relname = ANY (%(append_only)s)
          AND r.rolname = ANY (%(roles)s)
          AND (has_table_privilege(r.oid, c.oid, v.verb) OR v.verb = 'UPDATE'
            AND has_any_column_privilege(r.oid, c.oid, 'UPDATE'))
        """,
    ),
    Absence(
        "no append-only table whose owner could change or delete a row",
        """
        SELECT n.name || ': ' || CASE WHEN c.oid IS NULL THEN 'no such table' ELSE 'no trigger refuses its changes' END
        FROM unnest(%(append_only)s::text[]) AS n (name)
        LEFT JOIN pg_class c ON c.relname = n.name AND c.relnamespace = 'cupola'::regnamespace
        WHERE NOT EXISTS (  -- before, each statement: 2 before, 8 delete, 16 update, 32 truncate; the row bit (1) unset
          SELECT FROM pg_trigger g JOIN pg_proc p ON p.oid = g.tgfoid
          WHERE g.tgrelid = c.oid AND p.proname = 'refuse_change' AND g.tgenabled IN ('O', 'A')
            AND g.tgtype & 58 = 58 AND g.tgtype & 1 = 0)
        """,
    ),
    Absence(
        "no money that is not a whole number",
        """
        SELECT c.relname || '.' || a.attname || ' is ' || format_type(a.atttypid, a.atttypmod)
        FROM pg_class c JOIN pg_attribute a ON a.attrelid = c.oid
        WHERE c.relnamespace = 'cupola'::regnamespace AND c.relkind IN ('r', 'p', 'v', 'm')
          AND a.attname ~ '(_minor|amount|balance)$' AND a.attnum > 0 AND NOT a.attisdropped
            AND a.atttypid <> 'int8'::regtype
        """,
    ),
    Absence(
        "no type that loses its index under row level security (enum, numeric)",
        _TENANT_TABLES
        + """
        SELECT t.relname || '.' || a.attname || ' is ' || format_type(a.atttypid, a.atttypmod)
        FROM tenant_table t JOIN pg_attribute a ON a.attrelid = t.oid AND a.attnum > 0 AND NOT a.attisdropped
        JOIN pg_type y ON y.oid = a.atttypid WHERE y.typtype = 'e' OR y.oid = 'numeric'::regtype
        """,
    ),
    Absence(
        "no function that row level security asks whose plan depends on what was believed of its tables",
        """
        WITH RECURSIVE asked AS (
          SELECT p.oid, p.proname, p.prosrc, p.proconfig FROM pg_policy o
          JOIN pg_depend d ON d.classid = 'pg_policy'::regclass AND d.objid = o.oid
            AND d.refclassid = 'pg_proc'::regclass
          JOIN pg_proc p ON p.oid = d.refobjid
          UNION
          SELECT p.oid, p.proname, p.prosrc, p.proconfig FROM asked a
          JOIN pg_proc p ON p.pronamespace = 'cupola'::regnamespace AND a.prosrc ~ ('\\m' || p.proname || '\\('))
        SELECT proname || ' reads tables as its connection once planned it' FROM asked
        WHERE prosrc ~* '\\mfrom\\M'
          AND NOT coalesce('{enable_seqscan=off,plan_cache_mode=force_generic_plan}' <@ proconfig, false)
        """,
    ),
    Absence(
        "no function that notifies",
        """
        SELECT p.proname || ' notifies' FROM pg_proc p
        WHERE p.pronamespace = 'cupola'::regnamespace AND p.prosrc ~* '(pg_notify|\\mnotify\\M)'
        UNION ALL
        SELECT c.relname || ' has the trigger ' || g.tgname || ', which notifies'
        FROM pg_trigger g JOIN pg_class c ON c.oid = g.tgrelid JOIN pg_proc p ON p.oid = g.tgfoid
        WHERE c.relnamespace = 'cupola'::regnamespace AND p.prosrc ~* '(pg_notify|\\mnotify\\M)'
        """,
    ),
    Absence(
        "no function that runs as its owner for anybody, or that looks names up where its caller chooses",
        """
        SELECT p.proname || ' runs as its owner under the caller''s search_path' FROM pg_proc p
        WHERE p.pronamespace = 'cupola'::regnamespace AND p.prosecdef
          AND NOT EXISTS (SELECT FROM unnest(p.proconfig) AS setting WHERE setting LIKE 'search_path=%%')
        UNION ALL
        SELECT p.proname || ' runs as its owner for anybody'
          FROM pg_proc p
        CROSS JOIN aclexplode(coalesce(p.proacl, acldefault('f', p.proowner))) g
        WHERE p.pronamespace = 'cupola'::regnamespace AND p.prosecdef AND g.grantee = 0
        """,
    ),
    Absence(
        "no view that reads with its owner's eyes",
        """
        SELECT c.relname || ' is not security_invoker' FROM pg_class c
        WHERE c.relnamespace = 'cupola'::regnamespace AND c.relkind = 'v'
          AND NOT coalesce(c.reloptions && '{security_invoker=true,security_invoker=on}', false)
        """,
    ),
)


def offences(conn: psycopg.Connection, absence: Absence) -> list[str]:
    """What breaks an absence in the database of `conn`; empty when it holds."""
    given = {"roles": list(RUNNING_ROLES), "append_only": list(APPEND_ONLY)}
    return sorted(row[0] for row in conn.execute(absence.query, given))
