-- Tallyboard's database and users on MySQL or MariaDB. The provision job runs this as an administrator before the
-- migrations, and grants.sql after them; it may run again at any time, and sets the passwords anew.
--
-- By hand on a server of your own: put a name for <database>, passwords for <migrate-password>, <task-password> and
-- <stats-password>, and SSL for <tls> (NONE if the server has no TLS), run this file, then `task-service migrate` and
-- `stats-service migrate` with DATABASE_URL=mysql://tallyboard_migrate:…@host/<database>, then grants.sql.
CREATE DATABASE IF NOT EXISTS `<database>` CHARACTER SET utf8mb4 COLLATE utf8mb4_unicode_ci;

CREATE USER IF NOT EXISTS 'tallyboard_migrate'@'%' IDENTIFIED BY '<migrate-password>';
CREATE USER IF NOT EXISTS 'tallyboard_task'@'%' IDENTIFIED BY '<task-password>';
CREATE USER IF NOT EXISTS 'tallyboard_stats'@'%' IDENTIFIED BY '<stats-password>';
ALTER USER 'tallyboard_migrate'@'%' IDENTIFIED BY '<migrate-password>' REQUIRE <tls>;
ALTER USER 'tallyboard_task'@'%' IDENTIFIED BY '<task-password>' REQUIRE <tls>;
ALTER USER 'tallyboard_stats'@'%' IDENTIFIED BY '<stats-password>' REQUIRE <tls>;

-- The only one that changes the schema; no service knows its password.
GRANT SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, INDEX, REFERENCES ON `<database>`.* TO 'tallyboard_migrate'@'%';
