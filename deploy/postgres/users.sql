-- Tallyboard's users on PostgreSQL. The provision job runs this as an administrator before the migrations, and grants.sql
-- after them; it may run again at any time, and sets the passwords anew.
--
-- By hand on a server of your own: put a name for <database> and passwords for <migrate-password>, <task-password> and
-- <stats-password>, run this file, then CREATE DATABASE <database> OWNER tallyboard_migrate, then `task-service migrate`
-- and `stats-service migrate` with DATABASE_URL=postgres://tallyboard_migrate:…@host/<database>, then grants.sql there.
DO $$
DECLARE name text;
BEGIN
  FOREACH name IN ARRAY ARRAY['tallyboard_migrate', 'tallyboard_task', 'tallyboard_stats'] LOOP
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = name) THEN
      EXECUTE format('CREATE ROLE %I LOGIN NOSUPERUSER NOCREATEDB NOCREATEROLE NOREPLICATION', name);
    END IF;
  END LOOP;
END
$$;
ALTER ROLE tallyboard_migrate PASSWORD '<migrate-password>';
ALTER ROLE tallyboard_task PASSWORD '<task-password>';
ALTER ROLE tallyboard_stats PASSWORD '<stats-password>';
