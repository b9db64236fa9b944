package io.reactiverouter.schema;

import io.reactiverouter.topology.Node;
import io.reactiverouter.topology.ShardId;
import java.sql.Array;
import java.sql.Connection;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** Reads the structure of a database from its catalogue, with one query. Blocks. */
final class StructureReader {

    /**
     * Rows of object, table that it belongs to, aspect and value, in the order of people. What belongs to an extension is left out:
     * the extension itself is there. Indexes of constraints are left out, the constraints are there.
     */
    private static final String QUERY = """
            with schemas as (
              select oid, quote_ident(nspname) as name from pg_namespace
              where nspname !~ '^pg_' and nspname not in ('information_schema', 'reactive_router') and not nspname = any(?)),
            relations as (
              select c.*, s.name || '.' || quote_ident(c.relname) as name,
                case c.relkind when 'v' then 'view ' when 'm' then 'materialized view ' when 'S' then 'sequence '
                  when 'f' then 'foreign table ' else 'table ' end || s.name || '.' || quote_ident(c.relname) as object
              from pg_class c join schemas s on s.oid = c.relnamespace
              where c.relkind in ('r', 'p', 'f', 'v', 'm', 'S') and not s.name || '.' || quote_ident(c.relname) = any(?)
                and c.relname <> ?
                and not exists (select from pg_depend d
                  where d.classid = 'pg_class'::regclass and d.objid = c.oid and d.deptype = 'e')),
            constraint_indexes as (select conindid from pg_constraint where contype in ('p', 'u', 'x')),
            facts (object, parent, aspect, position, value) as (
              select object, null::text, 'kind', 0,
                case relpersistence when 'u' then 'unlogged ' else '' end
                  || case relkind when 'p' then 'partitioned table' when 'r' then 'table' else split_part(object, ' ', 1) end
                  || case when relispartition then ', partition ' || pg_get_expr(relpartbound, oid) else '' end
                from relations
              union all select object, null, 'partition key', 1, pg_get_partkeydef(oid) from relations where relkind = 'p'
              union all select object, null, 'row security', 2, 'on' from relations where relrowsecurity
              union all select object, null, 'definition', 3, regexp_replace(pg_get_viewdef(oid), '\\s+', ' ', 'g')
                from relations where relkind in ('v', 'm')
              union all select r.object, null, 'type', 3, format_type(q.seqtypid, null)
                from relations r join pg_sequence q on q.seqrelid = r.oid
              union all
              select 'column ' || r.name || '.' || quote_ident(a.attname), r.object, f.aspect, f.position, f.value
                from relations r
                join pg_attribute a on a.attrelid = r.oid and a.attnum > 0 and not a.attisdropped
                left join pg_attrdef d on d.adrelid = a.attrelid and d.adnum = a.attnum
                left join pg_type t on t.oid = a.atttypid
                left join pg_collation c on c.oid = a.attcollation and a.attcollation <> t.typcollation
                cross join lateral (values
                  ('type', 0, format_type(a.atttypid, a.atttypmod) || coalesce(' collate ' || quote_ident(c.collname), '')),
                  ('nullability', 1, case when a.attnotnull then 'not null' else 'nullable' end),
                  ('default', 2, case when a.attgenerated = '' then 'default ' || pg_get_expr(d.adbin, d.adrelid) end),
                  ('generation', 3, case when a.attgenerated <> '' then 'generated as ' || pg_get_expr(d.adbin, d.adrelid)
                    when a.attidentity = 'a' then 'identity always' when a.attidentity = 'd' then 'identity by default' end)
                ) f (aspect, position, value)
                where r.relkind in ('r', 'p', 'f') and f.value is not null
              union all
              select 'index ' || s.name || '.' || quote_ident(i.relname), r.object, f.aspect, f.position, f.value
                from relations r
                join pg_index x on x.indrelid = r.oid
                join pg_class i on i.oid = x.indexrelid
                join schemas s on s.oid = i.relnamespace
                cross join lateral (values ('definition', 0, pg_get_indexdef(i.oid)),
                  ('validity', 1, case when x.indisvalid then null else 'invalid' end)) f (aspect, position, value)
                where f.value is not null and i.oid not in (select conindid from constraint_indexes)
              union all
              select 'constraint ' || quote_ident(c.conname) || ' of ' || r.name, r.object, 'definition', 0,
                pg_get_constraintdef(c.oid)
                from relations r join pg_constraint c on c.conrelid = r.oid where c.contype in ('p', 'u', 'f', 'c', 'x')
              union all
              select 'trigger ' || quote_ident(t.tgname) || ' of ' || r.name, r.object, 'definition', 0,
                pg_get_triggerdef(t.oid) || case when t.tgenabled = 'D' then ' (disabled)' else '' end
                from relations r join pg_trigger t on t.tgrelid = r.oid where not t.tgisinternal
              union all
              select 'function ' || s.name || '.' || quote_ident(p.proname) || '('
                || pg_get_function_identity_arguments(p.oid) || ')', null, 'definition', 0,
                'MD5 ' || md5(pg_get_functiondef(p.oid))
                from pg_proc p join schemas s on s.oid = p.pronamespace where p.prokind in ('f', 'p')
                  and not exists (select from pg_depend d
                    where d.classid = 'pg_proc'::regclass and d.objid = p.oid and d.deptype = 'e')
              union all
              select 'type ' || s.name || '.' || quote_ident(t.typname), null, 'definition', 0,
                case t.typtype when 'd' then 'domain over ' || format_type(t.typbasetype, t.typtypmod)
                    || case when t.typnotnull then ' not null' else '' end
                    || coalesce((select ' ' || string_agg(pg_get_constraintdef(c.oid), ' ' order by c.conname)
                      from pg_constraint c where c.contypid = t.oid and c.contype = 'c'), '')
                  else 'enum (' || (select string_agg(quote_literal(e.enumlabel), ', ' order by e.enumsortorder)
                    from pg_enum e where e.enumtypid = t.oid) || ')' end
                from pg_type t join schemas s on s.oid = t.typnamespace where t.typtype in ('d', 'e')
                  and not exists (select from pg_depend d
                    where d.classid = 'pg_type'::regclass and d.objid = t.oid and d.deptype = 'e')
              union all select 'extension ' || quote_ident(extname), null, 'version', 0, extversion from pg_extension)
            select object, parent, aspect, value from facts where value is not null order by object, position""";

    private final PrimarySearch search;
    private final SchemaSettings settings;

    StructureReader(PrimarySearch search, SchemaSettings settings) {
        this.search = search;
        this.settings = settings;
    }

    /** A structure, or why there is none. */
    record Answer(
            ShardId shard,
            @Nullable Structure structure,
            @Nullable Throwable failure) {}

    Answer read(Target target) {
        ShardId shard = target.shard().id();
        try {
            return new Answer(shard, read(search.find(target.shard(), true)), null);
        } catch (NoPrimaryAnswersException | SQLException | RuntimeException e) {
            return new Answer(shard, null, e);
        }
    }

    private Structure read(Node primary) throws SQLException {
        PrimaryDataSource database = new PrimaryDataSource(
                primary, search.options(primary), PrimarySearch.QUESTION_LIMIT, PrimarySearch.QUESTION_LIMIT);
        try (Connection connection = database.getConnection();
                Statement path = connection.createStatement();
                PreparedStatement query = connection.prepareStatement(QUERY)) {
            // So that every name comes with its schema.
            path.execute("set search_path to pg_catalog");
            Array ignored = connection.createArrayOf("text", settings.ignored().toArray());
            query.setArray(1, ignored);
            query.setArray(2, ignored);
            query.setString(3, settings.table());
            Structure structure = new Structure();
            try (ResultSet rows = query.executeQuery()) {
                while (rows.next()) {
                    structure.add(rows.getString(1), rows.getString(2), rows.getString(3), rows.getString(4));
                }
            }
            return structure;
        }
    }

    /**
     * Compares what was read.
     *
     * @throws SchemaUnreadableException if a shard was not
     */
    static SchemaDrift compared(List<Answer> answers) {
        List<Throwable> causes = new ArrayList<>();
        List<DatabaseVersion> unread = new ArrayList<>();
        Map<ShardId, Structure> read = new LinkedHashMap<>();
        for (Answer answer : answers) {
            Structure structure = answer.structure();
            if (structure != null) {
                read.put(answer.shard(), structure);
                continue;
            }
            Throwable cause = Objects.requireNonNull(answer.failure());
            causes.add(cause);
            unread.add(DatabaseVersion.unreachable(answer.shard().value(), words(cause)));
        }
        if (!unread.isEmpty()) {
            throw new SchemaUnreadableException(new MigrationReport(unread), causes);
        }
        return SchemaDrift.between(read);
    }

    private static String words(Throwable cause) {
        return cause instanceof NoPrimaryAnswersException ? String.valueOf(cause.getMessage()) : Failures.words(cause);
    }
}
