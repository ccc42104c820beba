package composetest

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"sync"
	"time"
)

// attempt is a try to speak to a server of the stack, from a container in the network of one that does so in earnest.
type attempt struct {
	what    string
	from    string   // the service in whose network it happens
	secrets []string // the services whose secrets it has: those of the first in /run/secrets, of others in /run/<service>
	image   string
	user    string
	environ []string
	command []string
	works   bool
	says    string // part of what is printed
}

// Where the tries find the authorities.
const caFile = "/run/secrets/ca.crt"

// attemptsAtOnce is the number of containers that try something at the same time.
const attemptsAtOnce = 5

// stubbornness is how long a set-up job that cannot get in goes on trying.
const stubbornness = 3 * time.Second

// checkTLS asserts that servers inside the stack refuse connections without TLS, show a certificate of the stack's
// authority for their names, and that the connections there are have it.
func (s *stack) checkTLS(ctx context.Context) error {
	list, err := s.containers(ctx, false)
	if err != nil {
		return err
	}
	byService := map[string]container{}
	for _, c := range list {
		byService[c.service()] = c
	}
	attempts := slices.Concat(s.databaseAttempts(byService), s.natsAttempts(byService), s.signalAttempts(byService))
	results, turns := make([]error, len(attempts)), make(chan struct{}, attemptsAtOnce)
	var running sync.WaitGroup
	for i, a := range attempts {
		running.Go(func() {
			turns <- struct{}{}
			results[i] = s.try(ctx, a, byService[a.from].ID)
			<-turns
		})
	}
	running.Wait()
	for i, a := range attempts {
		s.report.check(a.what, results[i])
	}
	return s.checkSessions(ctx)
}

// try carries an attempt out.
func (s *stack) try(ctx context.Context, a attempt, container string) error {
	args := []string{"run", "--rm", "--network", "container:" + container, "--cap-drop", "ALL", "--user", a.user}
	for i, service := range a.secrets {
		at := "/run/secrets"
		if i > 0 {
			at = "/run/" + service
		}
		args = append(args, "--volume", s.cfg.Project+"_"+secretVolumes[service]+":"+at+":ro")
	}
	for _, variable := range a.environ {
		args = append(args, "--env", variable)
	}
	if a.command[0] != "" {
		args = append(args, "--entrypoint", a.command[0])
	}
	out, err := s.command(ctx, "docker", append(append(args, a.image), a.command[1:]...)...)
	if err != nil {
		out += err.Error()
	}
	return errors.Join(
		holds((err == nil) == a.works, "it ended with %v", err),
		holds(strings.Contains(out, a.says), "it said %s, and not %q", strings.TrimSpace(out), a.says))
}

// address returns a container's address in a network.
func (s *stack) address(c container, network string) string {
	return c.NetworkSettings.Networks[s.cfg.Project+"_"+network].IPAddress
}

// databaseAttempts are those of MySQL's own client, with the password of task-service: what is refused is the way it comes.
func (s *stack) databaseAttempts(byService map[string]container) []attempt {
	client := func(what, host, mode string, works bool, says string) attempt {
		return attempt{
			what: what, from: "task-service", secrets: []string{"task-service"}, image: byService["mysql"].Config.Image, user: "65532:65532",
			works: works, says: says, command: []string{"sh", "-c", "MYSQL_PWD=$(cat /run/secrets/database-password) exec mysql --no-defaults " +
				"--protocol=TCP --host=" + host + " --user=tallyboard_task --get-server-public-key --ssl-mode=" + mode + " --execute='SELECT 1'"},
		}
	}
	return []attempt{
		client("mysql refuses connections without TLS", "mysql", "DISABLED", false, "Access denied"),
		client("mysql has a certificate of the stack's authority for its name", "mysql", "VERIFY_IDENTITY --ssl-ca="+caFile, true, "1"),
		client("mysql's certificate is for no other name", s.address(byService["mysql"], "data"), "VERIFY_IDENTITY --ssl-ca="+caFile, false, "SSL connection error"),
	}
}

// natsAttempts are those of the set-up job, which speaks to NATS as services do, and one of somebody who knows no TLS.
func (s *stack) natsAttempts(byService map[string]container) []attempt {
	job := func(what, says string, environ ...string) attempt {
		return attempt{
			what: what, from: "task-service", secrets: []string{"provision", "task-service"}, image: "tallyboard/provision:" + testVersion, user: "65532:65532",
			command: []string{"", "apply"}, works: says == "", says: says,
			environ: append([]string{
				"DATABASE_ADMIN_URL=mysql://root@mysql:3306/", "DATABASE_ADMIN_PASSWORD_FILE=/run/secrets/admin-password",
				"MIGRATE_PASSWORD_FILE=/run/secrets/migrate-password", "TASK_PASSWORD_FILE=/run/secrets/task-password",
				"STATS_PASSWORD_FILE=/run/secrets/stats-password", "DATABASE_CA_FILE=" + caFile, "NATS_CA_FILE=" + caFile,
				"NATS_URL=nats://nats:4222", "NATS_NKEY_SEED_FILE=/run/secrets/nats.seed", "NATS_INBOX_PREFIX=_INBOX_admin",
				fmt.Sprintf("PROVISION_TIMEOUT=%s", stubbornness),
			}, environ...),
		}
	}
	return []attempt{
		{
			what: "nats refuses connections without TLS", from: "task-service", image: probeImage, user: "65532:65532", works: true,
			says: `"tls_required":true`, command: []string{"bash", "-c", `exec 3<>/dev/tcp/nats/4222; read -r info <&3; echo "$info"
				printf 'CONNECT {"verbose":false}\r\nPING\r\n' >&3; ! timeout 5 grep -q -m 1 PONG <&3`},
		},
		job("nats has a certificate of the stack's authority for its name", ""),
		job("nats' certificate is for no other name", "another host name", "NATS_URL=nats://"+s.address(byService["nats"], "data")+":4222"),
		job("nats lets nobody in without an identity", "refuses this identity", "NATS_NKEY_SEED_FILE="),
		job("nats refuses to let task-service make streams", "ermissions", "NATS_NKEY_SEED_FILE=/run/task-service/nats.seed", "NATS_INBOX_PREFIX=_INBOX_task"),
	}
}

// signalAttempts are curl's on the receivers of traces and metrics.
func (s *stack) signalAttempts(byService map[string]container) []attempt {
	curl := func(what, from, user string, works bool, says string, args ...string) attempt {
		return attempt{
			what: what, from: from, secrets: []string{from}, image: probeImage, user: user, works: works, says: says,
			command: append([]string{"curl", "--silent", "--show-error", "--max-time", "5", "--output", "/dev/null", "--write-out", "answered %{http_code}",
				"--header", "Content-Type: application/json", "--data", "{}"}, args...),
		}
	}
	edge, collector := "101:101", "10001:10001"
	var list []attempt
	for port, path := range map[string]string{"4318": "/v1/traces", "4319": "/v1/metrics"} {
		at := "otel-collector:" + port + path
		list = append(list,
			curl("otel-collector takes signals by TLS on "+port, "edge", edge, true, "answered 200", "--cacert", caFile, "https://"+at),
			curl("otel-collector refuses connections without TLS on "+port, "edge", edge, true, "answered 400", "http://"+at),
			curl("otel-collector's certificate on "+port+" is of no authority that everybody trusts", "edge", edge, false, "certificate", "https://"+at),
			curl("otel-collector's certificate on "+port+" is for no other name", "edge", edge, false, "SSL", "--cacert", caFile,
				"https://"+s.address(byService["otel-collector"], "app")+":"+port+path))
	}
	for _, c := range []struct{ server, from, user string }{{"otel-collector", "edge", edge}, {"jaeger", "otel-collector", collector}} {
		list = append(list,
			curl(c.server+" takes signals by TLS on 4317", c.from, c.user, true, "answered 415", "--cacert", caFile, "https://"+c.server+":4317"),
			curl(c.server+" refuses connections without TLS on 4317", c.from, c.user, false, "curl", "http://"+c.server+":4317"))
	}
	return list
}

// checkSessions asks the database of each connection from another container whether it is encrypted.
func (s *stack) checkSessions(ctx context.Context) error {
	out, err := s.compose(ctx, "exec", "-T", "mysql", "sh", "-c", `MYSQL_PWD=$(cat /run/secrets/admin-password) mysql -uroot -N -B -e "
		SELECT processlist_user, connection_type, variable_value FROM performance_schema.threads
		JOIN performance_schema.status_by_thread USING (thread_id)
		WHERE variable_name = 'Ssl_version' AND processlist_user LIKE 'tallyboard%'"`)
	if err != nil {
		return err
	}
	versions := map[string][]string{}
	for line := range strings.Lines(out) {
		if f := strings.Fields(line); len(f) > 0 {
			versions[f[0]] = append(versions[f[0]], strings.Join(f[1:], " "))
		}
	}
	for _, user := range []string{"tallyboard_task", "tallyboard_stats"} {
		plain := slices.ContainsFunc(versions[user], func(v string) bool { return !strings.HasPrefix(v, "SSL/TLS TLSv1.") })
		s.report.check("every connection of "+user+" to mysql is encrypted", holds(len(versions[user]) > 0 && !plain, "%v", versions[user]),
			fmt.Sprintf("%d connections", len(versions[user])))
	}
	return nil
}
