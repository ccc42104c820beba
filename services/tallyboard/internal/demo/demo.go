package demo

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// Config of the demo.
type Config struct {
	URL  string `env:"TALLYBOARD_URL" envDefault:"http://localhost:8080"` // of a running Tallyboard
	Key  string `env:"DEMO_KEY" envDefault:"DEMO"`                        // of the project to fill
	Seed uint64 `env:"DEMO_SEED" envDefault:"1"`                          // the same seed makes the same story
}

const timeout = 2 * time.Minute // for the import of some hundred tasks

// Run fills a project of a running Tallyboard. Running it again on the same day adds nothing.
func Run(ctx context.Context, cfg Config, out io.Writer) error {
	ctx, cancel := context.WithTimeout(ctx, timeout)
	defer cancel()
	base := strings.TrimSuffix(cfg.URL, "/")
	now := time.Now().UTC().Truncate(24 * time.Hour).Add(17 * time.Hour)
	if now.After(time.Now()) {
		now = now.AddDate(0, 0, -1)
	}
	doc := compose(cfg.Seed, cfg.Key, "Demo: a team's quarter", simulate(cfg.Seed, now), now)
	project, err := json.Marshal(map[string]any{"key": cfg.Key, "name": doc.Project.Name})
	if err != nil {
		return err
	}
	if status, body, err := post(ctx, base+"/api/v1/projects", project); err != nil {
		return fmt.Errorf("no Tallyboard answers at %s (start it with make run, or set TALLYBOARD_URL): %w", base, err)
	} else if status != http.StatusCreated && status != http.StatusConflict {
		return fmt.Errorf("create the project %s: %s", cfg.Key, explain(status, body))
	}
	if err := limitWIP(ctx, base+"/api/v1/projects/"+cfg.Key, doc.Project.States); err != nil {
		return err
	}
	text, err := json.Marshal(doc)
	if err != nil {
		return err
	}
	status, body, err := post(ctx, base+"/api/v1/projects/"+cfg.Key+"/import?format=tallyboard", text)
	if err != nil {
		return fmt.Errorf("import the demo: %w", err)
	}
	if status != http.StatusOK {
		return fmt.Errorf("import the demo: %s", explain(status, body))
	}
	var report struct {
		Tasks       int64 `json:"tasks"`
		Known       int64 `json:"known"`
		Events      int64 `json:"events"`
		RefusedRows int64 `json:"refusedRows"`
		Refused     []struct {
			Reason string `json:"reason"`
		} `json:"refused"`
	}
	if err := json.Unmarshal(body, &report); err != nil {
		return fmt.Errorf("read the import's report: %w", err)
	}
	if report.RefusedRows > 0 {
		return fmt.Errorf("%d tasks of the demo were refused, the first because: %s", report.RefusedRows, report.Refused[0].Reason)
	}
	fmt.Fprintf(out, "%d tasks with %d events added to %s (%d were there already): %s/p/%s/board\n", report.Tasks, report.Events, cfg.Key, report.Known, base, cfg.Key)
	return nil
}

// limitWIP gives the project's states the limits of the demo's, by name: an import leaves settings as they are.
func limitWIP(ctx context.Context, url string, wanted []state) error {
	_, body, err := send(ctx, http.MethodGet, url, nil)
	if err != nil {
		return fmt.Errorf("read the project: %w", err)
	}
	var have struct {
		States []struct {
			ID       string `json:"id"`
			Name     string `json:"name"`
			WIPLimit *int   `json:"wipLimit"`
		} `json:"states"`
	}
	if err := json.Unmarshal(body, &have); err != nil {
		return fmt.Errorf("read the project: %w", err)
	}
	for _, s := range have.States {
		for _, w := range wanted {
			if s.Name != w.Name || w.WIPLimit == 0 || s.WIPLimit != nil {
				continue
			}
			status, body, err := send(ctx, http.MethodPatch, url+"/states/"+s.ID, fmt.Appendf(nil, `{"wipLimit":%d}`, w.WIPLimit))
			if err != nil {
				return fmt.Errorf("set a WIP limit: %w", err)
			}
			if status != http.StatusOK {
				return fmt.Errorf("set a WIP limit: %s", explain(status, body))
			}
		}
	}
	return nil
}

func post(ctx context.Context, url string, body []byte) (status int, answer []byte, err error) {
	return send(ctx, http.MethodPost, url, body)
}

func send(ctx context.Context, method, url string, body []byte) (status int, answer []byte, err error) {
	req, err := http.NewRequestWithContext(ctx, method, url, bytes.NewReader(body))
	if err != nil {
		return 0, nil, err
	}
	req.Header.Set("If-Match", "*")
	req.Header.Set("Content-Type", "application/json")
	res, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, nil, err
	}
	defer res.Body.Close() //nolint:errcheck // it is only read, and reading reports what fails
	answer, err = io.ReadAll(io.LimitReader(res.Body, 1<<20))
	return res.StatusCode, answer, err
}

// explain shows what a problem document says.
func explain(status int, body []byte) string {
	var p struct {
		Detail string `json:"detail"`
		Title  string `json:"title"`
	}
	if json.Unmarshal(body, &p) == nil && p.Detail+p.Title != "" {
		return fmt.Sprintf("%s (status %d)", strings.TrimSpace(p.Title+": "+p.Detail), status)
	}
	return fmt.Sprintf("status %d", status)
}
