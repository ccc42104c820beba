// Command configdoc writes docs/configuration.md from the configuration structs: names and defaults from their env tags,
// meanings from their comments. Run it in the top folder of the repository.
package main

import (
	"fmt"
	"os"
	"strings"
)

// programs with their configuration struct.
var programs = []struct{ name, dir string }{
	{"task-service", "services/task-service/app"},
	{"stats-service", "services/stats-service/app"},
	{"tallyboard", "services/tallyboard/internal/launch"},
	{"tallyboard demo", "services/tallyboard/internal/demo"},
	{"tallyboard bench", "services/tallyboard/internal/bench"},
}

const intro = `# Configuration

Everything is set by environment variables. Durations are Go durations (` + "`5s`" + `), sizes are bytes. Any variable can be
given as a file instead: ` + "`NAME_FILE`" + ` names one that holds the value. ` + "`make run`" + ` passes what it does not use itself on to both services, except
DATABASE_URL, NATS_URL, LISTEN and MIGRATE, which it sets for them.

This page is generated from the code by ` + "`make generate`" + `.
`

func main() {
	if err := run("docs/configuration.md"); err != nil {
		fmt.Fprintln(os.Stderr, "configdoc:", err)
		os.Exit(1)
	}
}

func run(out string) error {
	var all []*variable
	byKey := map[string]*variable{}
	for _, p := range programs {
		vars, err := variablesOf(p.dir, "Config", "")
		if err != nil {
			return fmt.Errorf("%s: %w", p.name, err)
		}
		for _, v := range vars {
			key := v.name + "\x00" + v.fallback + "\x00" + v.meaning
			if known := byKey[key]; known != nil {
				known.programs = append(known.programs, p.name)
				continue
			}
			v.programs = []string{p.name}
			byKey[key] = v
			all = append(all, v)
		}
	}
	var b strings.Builder
	b.WriteString(intro)
	section := ""
	for _, v := range all {
		if s := strings.Join(v.programs, ", "); s != section {
			section = s
			fmt.Fprintf(&b, "\n## %s\n\n| variable | default | meaning |\n|---|---|---|\n", section)
		}
		fmt.Fprintf(&b, "| `%s` | %s | %s |\n", v.name, v.shownDefault(), strings.ReplaceAll(v.meaning, "|", "\\|"))
	}
	return os.WriteFile(out, []byte(b.String()), 0o644) //nolint:gosec // documentation is for everybody
}
