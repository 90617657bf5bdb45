"""A store in PostgreSQL: any number of processes on any number of machines.

For operators:

- Several hosts in the DSN are tried in turn, and the first that accepts writes is taken. After a failover the store
  goes on by itself; what was in flight is answered as unavailable, and may have taken effect. That nothing answered is
  lost takes a synchronous standby.
- Readers of the log see a change once no older transaction is open that has written anything, anywhere in the same
  cluster: the ids of transactions belong to all its databases. A forgotten transaction (`pg_stat_activity`,
  `pg_prepared_xacts`) delays the log for as long as it is open, and nothing else; nothing is skipped.
- A copy in another cluster, database or table gives the log a new name, so that cursors from before have expired
  there. A recovery in place, to an earlier point in time, cannot be told from a failover: let followers start anew.
- Taking over another store (`backroom move`) is one transaction that writes, and may last minutes: so long do readers of
  the logs of other stores in the same cluster wait. Telling a store only reads, and delays nobody.
- Behind PgBouncer in transaction mode, `statement_cache_size=0` in the DSN is needed, or a PgBouncer that prepares
  statements itself (1.21 and `max_prepared_statements`). Notifications are not heard there, so that a follower
  learns within a second of what another process wrote.
- Each process uses up to `pool_size` connections (10, unless the DSN says otherwise), and one to listen.
"""
